import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone, RecordsOnDelete, SubdomainCertificate } from '../lib';
import { configuration, dependenciesOf, functionZips, resourcesOf, stackWithFunctions, statementsOf, synthesize, withoutHash } from './template';
import { delegation, importedZone } from './zones';

const CHANGE = 'arn:${AWS::Partition}:route53:::change/*';
const LAMBDA_TRUST = [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } }];
const VALIDATION_RECORDS = {
  'ForAllValues:StringEquals': {
    'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'], 'route53:ChangeResourceRecordSetsRecordTypes': ['CNAME'],
  },
  'ForAllValues:StringLike': { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['_*'] },
  Null: {
    'route53:ChangeResourceRecordSetsActions': 'false',
    'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
    'route53:ChangeResourceRecordSetsRecordTypes': 'false',
  },
};
const NEW = {
  StringEquals: { 'aws:RequestTag/zone-delegation:stack-id': '${AWS::StackId}' }, Null: { 'aws:ResourceTag/zone-delegation:stack-id': 'true' },
};
const OWN = { StringEquals: { 'aws:ResourceTag/zone-delegation:stack-id': '${AWS::StackId}' } };

function logs(group: string) {
  return { Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Effect: 'Allow', Resource: `\${${group}.Arn}` };
}

test('the networking stack grants exactly this', () => {
  const parameters = ['hosted-zone-id', 'hosted-zone-name', 'name-servers']
    .map((name) => `arn:\${AWS::Partition}:ssm:us-east-1:111111111111:parameter/zone-delegation/dev/${name}`);
  const zone = 'arn:${AWS::Partition}:route53:::hostedzone/${PublishedZone}';
  assert.deepEqual(statementsOf(synthesize()['zone-delegation-networking-dev']!), {
    'PublishedZoneDelegation222222222222 trust': [{
      Action: 'sts:AssumeRole',
      Effect: 'Allow',
      Principal: { AWS: 'arn:${AWS::Partition}:iam::222222222222:root' },
      Condition: {
        ArnLike: { 'aws:PrincipalArn': ['arn:${AWS::Partition}:iam::222222222222:role/zone-delegation/delegate-subdomain/*'] },
      },
    }],
    'PublishedZoneDelegation222222222222 Delegation': [
      { Sid: 'ReadWhatIsPublished', Action: 'ssm:GetParameters', Effect: 'Allow', Resource: parameters },
      { Sid: 'ReadTheZone', Action: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], Effect: 'Allow', Resource: zone },
      {
        Sid: 'DelegateOwnNames',
        Action: 'route53:ChangeResourceRecordSets',
        Effect: 'Allow',
        Resource: zone,
        Condition: {
          'ForAllValues:StringEquals': {
            'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'],
            'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['dev.build.example.com'],
            'route53:ChangeResourceRecordSetsRecordTypes': ['NS'],
          },
          Null: {
            'route53:ChangeResourceRecordSetsActions': 'false',
            'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
            'route53:ChangeResourceRecordSetsRecordTypes': 'false',
          },
        },
      },
      { Sid: 'FollowChanges', Action: 'route53:GetChange', Effect: 'Allow', Resource: CHANGE },
    ],
    'PublishZoneFunctionPublishZoneRole trust': LAMBDA_TRUST,
    PublishZoneFunctionPublishZoneLogsPolicy: [logs('PublishZoneFunctionPublishZoneLogs')],
    PublishZoneFunctionPublishZonePublishPolicy: [
      { Action: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], Effect: 'Allow', Resource: zone },
      {
        Action: ['ssm:AddTagsToResource', 'ssm:GetParameters', 'ssm:ListTagsForResource', 'ssm:PutParameter', 'ssm:RemoveTagsFromResource'],
        Effect: 'Allow',
        Resource: parameters,
      },
      { Action: 'ssm:DeleteParameters', Effect: 'Allow', Resource: parameters, Condition: OWN },
    ],
  });
});

test('only roles and their policies grant permissions', () => {
  for (const template of Object.values(synthesize())) {
    const granting = Object.values(resourcesOf(template)).map(({ Type }) => Type).filter((type) => /^AWS::IAM::|Permission|Policy/.test(type));
    assert.deepEqual([...new Set(granting)].sort(), ['AWS::IAM::Policy', 'AWS::IAM::Role']);
  }
});

test('external id and organization restrict the trust policy further', () => {
  const statements = statementsOf(synthesize({
    organizationId: 'o-a1b2c3d4e5',
    consumers: [{ account: '222222222222', externalId: 'team-a' }],
  })['zone-delegation-networking-dev']!);
  assert.deepEqual(statements['PublishedZoneDelegation222222222222 trust']?.map(({ Condition }) => Condition), [{
    ArnLike: { 'aws:PrincipalArn': ['arn:${AWS::Partition}:iam::222222222222:role/zone-delegation/delegate-subdomain/*'] },
    StringEquals: { 'sts:ExternalId': 'team-a', 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' },
  }]);
});

test('each consumer has its own role for its own names', () => {
  const statements = statementsOf(synthesize({
    consumers: [{ account: '222222222222', names: ['Dev', 'dev2.eu'] }, { account: '333333333333', names: ['qa'] }],
  })['zone-delegation-networking-dev']!);
  const namesOf = (account: string) => JSON.stringify(statements[`PublishedZoneDelegation${account} Delegation`])
    .match(/NormalizedRecordNames":(\[.*?\])/)?.[1];
  assert.equal(namesOf('222222222222'), '["dev.build.example.com","dev2.eu.build.example.com"]');
  assert.equal(namesOf('333333333333'), '["qa.build.example.com"]');
});

test('the consumer stack grants exactly this', () => {
  const certificates = 'arn:${AWS::Partition}:acm:us-east-1:222222222222:certificate/*';
  const stateMachine = 'arn:${AWS::Partition}:states:us-east-1:222222222222:stateMachine:${AWS::StackName}-waiter';
  assert.deepEqual(statementsOf(synthesize()['zone-delegation-consumer-dev']!), {
    'DelegateSubdomainFunctionDelegateSubdomainRole trust': LAMBDA_TRUST,
    DelegateSubdomainFunctionDelegateSubdomainLogsPolicy: [logs('DelegateSubdomainFunctionDelegateSubdomainLogs')],
    DelegateSubdomainFunctionDelegateSubdomainWaitPolicy: [
      { Action: 'states:StartExecution', Effect: 'Allow', Resource: stateMachine },
      { Action: 'states:DescribeExecution', Effect: 'Allow', Resource: `${stateMachine.replace(':stateMachine:', ':execution:')}:*` },
    ],
    DelegateSubdomainFunctionDelegateSubdomainZonesPolicy: [
      {
        Action: ['route53:CreateHostedZone', 'route53:ListHostedZones', 'route53:ListHostedZonesByName'],
        Effect: 'Allow',
        Resource: '*',
      },
      {
        Action: [
          'route53:ChangeTagsForResource', 'route53:DeleteHostedZone', 'route53:GetDNSSEC',
          'route53:GetHostedZone', 'route53:ListResourceRecordSetProtections', 'route53:ListResourceRecordSets',
          'route53:ListTagsForResource', 'route53:UpdateHostedZoneComment',
        ],
        Effect: 'Allow',
        Resource: 'arn:${AWS::Partition}:route53:::hostedzone/*',
      },
      {
        Action: 'route53:ChangeResourceRecordSets',
        Effect: 'Allow',
        Resource: 'arn:${AWS::Partition}:route53:::hostedzone/*',
        Condition: VALIDATION_RECORDS,
      },
      { Action: 'route53:GetChange', Effect: 'Allow', Resource: CHANGE },
    ],
    DelegateSubdomainFunctionDelegateSubdomainDelegationsPolicy: [{
      Action: 'route53:ChangeResourceRecordSets',
      Effect: 'Allow',
      Resource: 'arn:${AWS::Partition}:route53:::hostedzone/*',
      Condition: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'], 'route53:ChangeResourceRecordSetsRecordTypes': ['NS'],
        },
        Null: { 'route53:ChangeResourceRecordSetsActions': 'false', 'route53:ChangeResourceRecordSetsRecordTypes': 'false' },
      },
    }],
    DelegateSubdomainFunctionDelegateSubdomainApexPolicy: [{
      Action: 'route53:ChangeResourceRecordSets',
      Effect: 'Allow',
      Resource: 'arn:${AWS::Partition}:route53:::hostedzone/*',
      Condition: {
        'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsActions': ['UPSERT'], 'route53:ChangeResourceRecordSetsRecordTypes': ['NS'] },
        'ForAllValues:StringLike': {
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['dev.build.example.com', 'app1.dev.build.example.com'],
        },
        Null: {
          'route53:ChangeResourceRecordSetsActions': 'false',
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
          'route53:ChangeResourceRecordSetsRecordTypes': 'false',
        },
      },
    }],
    DelegateSubdomainFunctionDelegateSubdomainDelegationRolePolicy: [{
      Action: 'sts:AssumeRole',
      Effect: 'Allow',
      Resource: 'arn:${AWS::Partition}:iam::111111111111:role/zone-delegation-dev-222222222222',
    }],
    DelegateSubdomainFunctionDelegateSubdomainCertificatesPolicy: [
      {
        Action: 'acm:RequestCertificate',
        Effect: 'Allow',
        Resource: '*',
        Condition: { StringEquals: { 'aws:RequestedRegion': 'us-east-1', 'acm:ValidationMethod': 'DNS' } },
      },
      { Action: 'acm:ListCertificates', Effect: 'Allow', Resource: '*' },
      { Action: ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'], Effect: 'Allow', Resource: certificates },
      { Action: 'acm:AddTagsToCertificate', Effect: 'Allow', Resource: certificates, Condition: NEW },
      {
        Action: ['acm:AddTagsToCertificate', 'acm:DeleteCertificate', 'acm:RemoveTagsFromCertificate'],
        Effect: 'Allow',
        Resource: certificates,
        Condition: OWN,
      },
    ],
    'DelegateSubdomainFunctionWaiterRole trust': [{
      Action: 'sts:AssumeRole',
      Effect: 'Allow',
      Principal: { Service: 'states.amazonaws.com' },
      Condition: {
        StringEquals: { 'aws:SourceAccount': '${AWS::AccountId}' },
        ArnLike: { 'aws:SourceArn': 'arn:${AWS::Partition}:states:us-east-1:222222222222:stateMachine:*' },
      },
    }],
    DelegateSubdomainFunctionWaiterPolicy: [
      { Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: '${DelegateSubdomainFunctionDelegateSubdomainFunction.Arn}' },
      {
        Action: [
          'logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies',
          'logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:UpdateLogDelivery',
        ],
        Effect: 'Allow',
        Resource: '*',
      },
    ],
  });
});

test('only a subdomain that deletes its records lets the function delete records of any type, of its own names', () => {
  const conditions = (recordsOnDelete: RecordsOnDelete) => {
    const stack = stackWithFunctions({ account: '222222222222', region: 'eu-west-1' });
    const parentZone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Parent', { hostedZoneId: 'Z0PARENT', zoneName: 'example.org' });
    new DelegatedSubdomain(stack, 'Known', { subdomain: 'qa', parentZone, recordsOnDelete });
    new DelegatedSubdomain(stack, 'Unknown', { subdomain: 'dev', parentZone: route53.HostedZone.fromHostedZoneId(stack, 'ById', 'Z0ID'), recordsOnDelete });
    return Object.entries(statementsOf(Template.fromStack(stack))).filter(([id]) => id.endsWith('RecordsPolicy')).flatMap(([, found]) => found.map(({ Condition }) => Condition));
  };
  const ofNames = (...names: string[]) => ({
    'ForAllValues:StringEquals': { 'route53:ChangeResourceRecordSetsActions': ['DELETE'] },
    'ForAllValues:StringLike': { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': names },
    Null: { 'route53:ChangeResourceRecordSetsActions': 'false', 'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false' },
  });
  assert.deepEqual(conditions(RecordsOnDelete.DELETE), [ofNames('qa.example.org', '*.qa.example.org'), ofNames('dev.*', '*.dev.*')]);
  assert.deepEqual(conditions(RecordsOnDelete.FAIL), []);
});

test('only a zone that is created has a permission for the time to live of its apex', () => {
  const stack = stackWithFunctions({ account: '222222222222', region: 'eu-west-1' });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation, zone: importedZone(stack, 'dev.example.com') });
  assert.doesNotMatch(JSON.stringify(statementsOf(Template.fromStack(stack))), /"UPSERT"/);
});

test('a function of subdomains of other accounts alone changes no NS record set of its own account', () => {
  const stack = stackWithFunctions({ account: '222222222222', region: 'eu-west-1' });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
  const { DelegateSubdomainFunctionDelegateSubdomainApexPolicy: _apex, ...others } = statementsOf(Template.fromStack(stack));
  assert.doesNotMatch(JSON.stringify(others), /"NS"/);
});

test('the permissions with which a custom resource was created stay until it is deleted', () => {
  const app = (settings: { parentId?: string; prefix?: string; zoneId?: string; region?: string; zoneName?: string }) => {
    const root = new App({ context: { functionZips } });
    const stack = new Stack(root, 'Stack', { env: { account: '222222222222', region: 'eu-west-1' } });
    const zone = new route53.PublicHostedZone(stack, 'Zone', { zoneName: settings.zoneName ?? 'build.example.com' });
    new PublishedZone(stack, 'PublishedZone', { zone, parameterPrefix: settings.prefix ?? '/a' });
    const given = route53.HostedZone.fromHostedZoneAttributes(stack, 'Given', { hostedZoneId: settings.zoneId ?? 'Z0GIVEN', zoneName: 'example.org' });
    new SubdomainCertificate(stack, 'Certificate', { zone: given, region: settings.region });
    const delegation = PublishedZone.delegation({
      networkingAccount: settings.parentId ?? '111111111111', account: '222222222222', parameterPrefix: '/b',
    });
    new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
    return Template.fromStack(stack);
  };
  const policies = (template: Template) => Object.keys(template.findResources('AWS::IAM::Policy'));
  const [before, needs] = [policies(app({})), dependenciesOf(app({}))];
  const neededBy = (start: string) => before
    .filter((policy) => needs[Object.keys(needs).find((id) => id.startsWith(start))!]!.has(policy))
    .map((policy) => withoutHash(policy).replace(/^.*(?:PublishZone|DelegateSubdomain|Waiter)(?=\w+Policy$|Policy$)/, ''))
    .sort();
  assert.deepEqual(neededBy('PublishedZone'), ['LogsPolicy', 'PublishPolicy']);
  assert.deepEqual(neededBy('Certificate'), ['CertificatesPolicy', 'LogsPolicy', 'Policy', 'ValidationPolicy', 'WaitPolicy']);
  assert.deepEqual(neededBy('Subdomain'), ['ApexPolicy', 'DelegationRolePolicy', 'LogsPolicy', 'Policy', 'WaitPolicy', 'ZonesPolicy']);

  // A policy with another id is another resource: CloudFormation deletes the old one in the clean-up, after the custom resource that depended on
  // it.
  const changed = (settings: Parameters<typeof app>[0]) => {
    const after = policies(app(settings));
    assert.equal(after.length, before.length);
    return before.filter((policy) => !after.includes(policy)).map((policy) => /\w*?(\w[a-z]+)Policy$/.exec(withoutHash(policy))?.[1]);
  };
  assert.deepEqual(changed({}), []);
  assert.deepEqual(changed({ prefix: '/c' }), ['Publish']);
  assert.deepEqual(changed({ zoneName: 'other.example.com' }), ['Publish']);
  assert.deepEqual(changed({ zoneId: 'Z0OTHER' }), ['Validation']);
  assert.deepEqual(changed({ region: 'us-east-1' }), ['Certificates']);
  assert.deepEqual(changed({ parentId: '333333333333' }), ['Role']);
});

test('the consumer assumes the role that the networking stack creates', () => {
  const templates = synthesize();
  const roleName = 'zone-delegation-dev-222222222222';
  templates['zone-delegation-networking-dev']!.hasResourceProperties('AWS::IAM::Role', { RoleName: roleName });
  const resource = JSON.stringify(templates['zone-delegation-consumer-dev']!.findResources('Custom::DelegatedSubdomain'));
  assert.match(resource, new RegExp(`${configuration.networkingAccount}:role/${roleName}"`));
});
