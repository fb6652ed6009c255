import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configuration, resourcesOf, statementsOf, synthesize } from './template';

const CHANGE = 'arn:${AWS::Partition}:route53:::change/*';
const LAMBDA_TRUST = [{ Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } }];
const OWN = { StringEquals: { 'aws:ResourceTag/zone-delegation:stack-id': '${AWS::StackId}' } };

function certificatesIn(region: string) {
  return `arn:\${AWS::Partition}:acm:${region}:222222222222:certificate/*`;
}

function logs(group: string) {
  return { Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Effect: 'Allow', Resource: `\${${group}.Arn}` };
}

test('the networking stack grants exactly this', () => {
  const parametersBelow = (prefix: string) => ['hosted-zone-id', 'hosted-zone-name', 'name-servers']
    .map((name) => `arn:\${AWS::Partition}:ssm:us-east-1:111111111111:parameter${prefix}/${name}`);
  const [parameters, ofAnyPrefix] = [parametersBelow('/zone-delegation/dev'), parametersBelow('/*')];
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
    PublishZoneFunctionPublishZonePolicy: [
      logs('PublishZoneFunctionPublishZoneLogs'),
      { Action: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], Effect: 'Allow', Resource: zone },
      { Action: ['ssm:AddTagsToResource', 'ssm:PutParameter', 'ssm:RemoveTagsFromResource'], Effect: 'Allow', Resource: parameters },
      // Those of an earlier prefix too, which may be gone.
      { Action: ['ssm:GetParameters', 'ssm:ListTagsForResource'], Effect: 'Allow', Resource: ofAnyPrefix },
      { Action: 'ssm:DeleteParameters', Effect: 'Allow', Resource: ofAnyPrefix, Condition: OWN },
    ],
  });
});

test('nothing but roles and their policies grants anything', () => {
  for (const template of Object.values(synthesize())) {
    const granting = Object.values(resourcesOf(template)).map(({ Type }) => Type).filter((type) => /^AWS::IAM::|Permission|Policy/.test(type));
    assert.deepEqual([...new Set(granting)].sort(), ['AWS::IAM::Policy', 'AWS::IAM::Role']);
  }
});

test('external id and organization narrow the trust further', () => {
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
  const stateMachine = 'arn:${AWS::Partition}:states:us-east-1:222222222222:stateMachine:${AWS::StackName}-waiter';
  assert.deepEqual(statementsOf(synthesize()['zone-delegation-consumer-dev']!), {
    'DelegateSubdomainFunctionDelegateSubdomainRole trust': LAMBDA_TRUST,
    DelegateSubdomainFunctionDelegateSubdomainPolicy: [
      logs('DelegateSubdomainFunctionDelegateSubdomainLogs'),
      { Action: 'states:StartExecution', Effect: 'Allow', Resource: stateMachine },
      {
        Action: ['acm:ListCertificates', 'route53:CreateHostedZone', 'route53:ListHostedZones', 'route53:ListHostedZonesByName'],
        Effect: 'Allow',
        Resource: '*',
      },
      { Action: ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'], Effect: 'Allow', Resource: certificatesIn('*') },
      { Action: 'acm:DeleteCertificate', Effect: 'Allow', Resource: certificatesIn('*'), Condition: OWN },
      {
        Action: [
          'route53:ChangeResourceRecordSets', 'route53:ChangeTagsForResource', 'route53:DeleteHostedZone', 'route53:GetDNSSEC',
          'route53:GetHostedZone', 'route53:ListResourceRecordSetProtections', 'route53:ListResourceRecordSets',
          'route53:ListTagsForResource', 'route53:UpdateHostedZoneComment',
        ],
        Effect: 'Allow',
        Resource: 'arn:${AWS::Partition}:route53:::hostedzone/*',
      },
      { Action: 'route53:GetChange', Effect: 'Allow', Resource: CHANGE },
      {
        Action: 'sts:AssumeRole',
        Effect: 'Allow',
        Resource: 'arn:${AWS::Partition}:iam::111111111111:role/zone-delegation-dev-222222222222',
      },
      {
        Action: 'acm:RequestCertificate',
        Effect: 'Allow',
        Resource: '*',
        Condition: { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } },
      },
      { Action: 'acm:AddTagsToCertificate', Effect: 'Allow', Resource: certificatesIn('us-east-1') },
      { Action: 'acm:RemoveTagsFromCertificate', Effect: 'Allow', Resource: certificatesIn('us-east-1'), Condition: OWN },
    ],
    'DelegateSubdomainFunctionWaiterRole trust': [{
      Action: 'sts:AssumeRole',
      Effect: 'Allow',
      Principal: { Service: 'states.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': '${AWS::AccountId}' }, ArnEquals: { 'aws:SourceArn': stateMachine } },
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

test('the last certificate may go while its stack stays: what deletes it is granted without one', () => {
  const policy = (applications: string[]) => JSON.stringify(statementsOf(synthesize({ consumers: [{ account: '222222222222', applications }] })[
    'zone-delegation-consumer-dev']!)['DelegateSubdomainFunctionDelegateSubdomainPolicy']);
  const actions = (text: string) => new Set(text.match(/acm:[A-Z]\w+/g));
  assert.deepEqual([...actions(policy(['app1']))].filter((action) => !actions(policy([])).has(action)), [
    'acm:RequestCertificate', 'acm:AddTagsToCertificate', 'acm:RemoveTagsFromCertificate',
  ]);
});

test('the consumer assumes the very role that the networking stack makes', () => {
  const templates = synthesize();
  const roleName = 'zone-delegation-dev-222222222222';
  templates['zone-delegation-networking-dev']!.hasResourceProperties('AWS::IAM::Role', { RoleName: roleName });
  const resource = JSON.stringify(templates['zone-delegation-consumer-dev']!.findResources('Custom::DelegatedSubdomain'));
  assert.match(resource, new RegExp(`${configuration.networkingAccount}:role/${roleName}"`));
});
