import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Aws, CfnOutput, CfnParameter, Duration, Fn, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import {
  type CertificateOptions, DelegatedSubdomain, type DelegatedSubdomainProps, type DelegationGrant, DelegationsOnDelete, PublishedZone,
  type PublishedZoneProps, RecordsOnDelete, SubdomainCertificate, ValidationRecordsOnDelete,
} from '../lib';
import { functionZips, readable, resourceOf, resourcesOf, stackWithFunctions, statementsOf } from './template';

const delegation = {
  parameterPrefix: '/zone-delegation/dev',
  roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222',
};

function importedZone(scope: Stack, zoneName = 'example.com', id = 'Imported'): route53.IHostedZone {
  return route53.HostedZone.fromHostedZoneAttributes(scope, id, { hostedZoneId: 'Z0IMPORTED', zoneName });
}

function privateZone(scope: Stack): route53.PrivateHostedZone {
  return new route53.PrivateHostedZone(scope, 'Private', { zoneName: 'example.com', vpc: new ec2.Vpc(scope, 'Vpc', { maxAzs: 1 }) });
}

function publishedZone(stack: Stack, props: Partial<PublishedZoneProps> = {}): PublishedZone {
  return new PublishedZone(stack, 'PublishedZone', { zoneName: 'build.example.com', parameterPrefix: '/zone-delegation/dev', ...props });
}

function propertiesOf(stack: Stack, type: string, idPart = ''): { [name: string]: unknown } {
  const { ServiceToken: _, ...properties } = readable(resourceOf(Template.fromStack(stack), type, idPart).Properties) as { [name: string]: unknown };
  return properties;
}

test('a subdomain is a hosted zone, and its certificate a certificate, to the rest of the CDK', () => {
  const stack = stackWithFunctions({ account: '222222222222', region: 'eu-central-1' });
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
  const certificate: acm.ICertificate = subdomain.certificate('Certificate', { region: 'us-east-1' });
  const distribution = new cloudfront.Distribution(stack, 'Distribution', {
    defaultBehavior: { origin: new HttpOrigin('origin.example.com') }, domainNames: [subdomain.zoneName], certificate,
  });
  new route53.ARecord(stack, 'Address', { zone: subdomain, recordName: 'www', target: route53.RecordTarget.fromIpAddresses('192.0.2.1') });
  new route53.AaaaRecord(stack, 'Alias', { zone: subdomain, target: route53.RecordTarget.fromAlias(new CloudFrontTarget(distribution)) });
  subdomain.grantDelegation(new iam.Role(stack, 'Role', { assumedBy: new iam.AccountPrincipal('333333333333') }));
  new CfnOutput(stack, 'NameServer', { value: Fn.select(0, subdomain.hostedZoneNameServers!) });

  assert.deepEqual(propertiesOf(stack, 'AWS::Route53::RecordSet', 'Address'), {
    HostedZoneId: '${Subdomain.HostedZoneId}', Name: 'www.${Subdomain.DomainName}.', Type: 'A', TTL: '1800', ResourceRecords: ['192.0.2.1'],
  });
  assert.equal(propertiesOf(stack, 'AWS::Route53::RecordSet', 'Alias')['Name'], '${Subdomain.DomainName}.');
  assert.deepEqual(propertiesOf(stack, 'Custom::SubdomainCertificate'), {
    HostedZoneId: '${Subdomain.HostedZoneId}', DomainName: '${Subdomain.DomainName}', Region: 'us-east-1',
  });
  const template = Template.fromStack(stack);
  assert.equal(statementsOf(template)['RoleDefaultPolicy']?.[0]?.Resource, 'arn:${AWS::Partition}:route53:::hostedzone/${Subdomain.HostedZoneId}');
  assert.match(JSON.stringify(template.findOutputs('NameServer')), /"Fn::Split":\[",",\{"Fn::GetAtt":\["Subdomain\w+","NameServers"\]/);
  assert.match(JSON.stringify(template.findResources('AWS::CloudFront::Distribution')), /"AcmCertificateArn":\{"Fn::GetAtt":\["SubdomainCertificate\w+","CertificateArn"\]/);
  const metric = stack.resolve(certificate.metricDaysToExpiry().toMetricConfig().metricStat) as { region: string; dimensions: { name: string }[] };
  assert.deepEqual([metric.region, metric.dimensions[0]?.name], ['us-east-1', 'CertificateArn']);
});

test('every prop of a subdomain arrives', () => {
  const stack = stackWithFunctions();
  const zone = importedZone(stack, 'App1.Dev.example.com');
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', {
    subdomain: 'App1.dev',
    parentZone: importedZone(stack, 'example.com', 'Parent'),
    zone,
    ttl: Duration.hours(1),
    drain: Duration.minutes(15),
    verifyDelegation: false,
    recordsOnDelete: RecordsOnDelete.DELETE,
    comment: 'of team a',
    tags: { team: 'a' },
    serviceTimeout: Duration.minutes(30),
  });
  Tags.of(subdomain).add('cost-center', '42');
  assert.deepEqual(propertiesOf(stack, 'Custom::DelegatedSubdomain'), {
    ServiceTimeout: '1800',
    Subdomain: 'app1.dev',
    ParentHostedZoneId: 'Z0IMPORTED',
    HostedZoneId: 'Z0IMPORTED',
    Ttl: 3600,
    DrainSeconds: 900,
    VerifyDelegation: false,
    RecordsOnDelete: 'Delete',
    Comment: 'of team a',
    Tags: [{ Key: 'cost-center', Value: '42' }, { Key: 'team', Value: 'a' }],
  });
});

test('every prop of a certificate arrives, and its policy is only for its zones', () => {
  const stack = stackWithFunctions({ account: '222222222222', region: 'eu-central-1' });
  new SubdomainCertificate(stack, 'Certificate', {
    zone: importedZone(stack, 'example.com', 'First'),
    additionalZones: [route53.HostedZone.fromHostedZoneAttributes(stack, 'Second', { hostedZoneId: 'Z0OTHER', zoneName: 'example.org' })],
    domainName: 'WWW.example.com',
    subjectAlternativeNames: ['*.example.org', 'example.com'],
    region: 'us-east-1',
    keyAlgorithm: acm.KeyAlgorithm.EC_PRIME256V1,
    validationRecordsOnDelete: ValidationRecordsOnDelete.DELETE,
    tags: { team: 'a' },
    serviceTimeout: Duration.minutes(30),
  });
  assert.deepEqual(propertiesOf(stack, 'Custom::SubdomainCertificate'), {
    ServiceTimeout: '1800',
    HostedZoneId: 'Z0IMPORTED',
    AdditionalHostedZoneIds: ['Z0OTHER'],
    DomainName: 'www.example.com',
    SubjectAlternativeNames: ['*.example.org', 'example.com'],
    Region: 'us-east-1',
    KeyAlgorithm: 'EC_prime256v1',
    ValidationRecordsOnDelete: 'Delete',
    Tags: [{ Key: 'team', Value: 'a' }],
  });
  const statements = statementsOf(Template.fromStack(stack))['DelegateSubdomainFunctionDelegateSubdomainPolicy']!;
  const actions = statements.flatMap(({ Action }) => Action);
  assert.ok(!actions.includes('route53:CreateHostedZone') && !actions.includes('sts:AssumeRole'));
  for (const zone of ['Z0IMPORTED', 'Z0OTHER']) {
    assert.deepEqual(statements.filter(({ Resource }) => Resource === `arn:\${AWS::Partition}:route53:::hostedzone/${zone}`), [
      { Action: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], Effect: 'Allow', Resource: `arn:\${AWS::Partition}:route53:::hostedzone/${zone}` },
      {
        Action: 'route53:ChangeResourceRecordSets',
        Effect: 'Allow',
        Resource: `arn:\${AWS::Partition}:route53:::hostedzone/${zone}`,
        Condition: {
          'ForAllValues:StringEquals': {
            'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'],
            'route53:ChangeResourceRecordSetsRecordTypes': ['CNAME'],
          },
          Null: { 'route53:ChangeResourceRecordSetsActions': 'false', 'route53:ChangeResourceRecordSetsRecordTypes': 'false' },
        },
      },
    ]);
  }
});

test('an existing zone is published as it is', () => {
  const stack = stackWithFunctions();
  publishedZone(stack, { zoneName: undefined, zone: importedZone(stack), delegationsOnDelete: DelegationsOnDelete.IGNORE })
    .grantDelegation({ account: '222222222222', names: ['dev'], roleName: 'the-role', principalArns: ['arn:aws:iam::222222222222:role/exactly'] });
  assert.deepEqual(propertiesOf(stack, 'Custom::PublishedZone'), {
    HostedZoneId: 'Z0IMPORTED', ParameterPrefix: '/zone-delegation/dev', DelegationsOnDelete: 'Ignore',
  });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Route53::HostedZone', 0);
  template.resourceCountIs('AWS::Route53::RecordSet', 0);
  template.hasResourceProperties('AWS::IAM::Role', { RoleName: 'the-role' });
  assert.deepEqual(statementsOf(template)['PublishedZoneDelegation222222222222 trust']?.[0]?.Condition,
    { ArnLike: { 'aws:PrincipalArn': ['arn:aws:iam::222222222222:role/exactly'] } });
});

test('what grantDelegation returns can be used in the stack of another account', () => {
  const app = new App({ context: { functionZips } });
  const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'eu-west-1' } });
  const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-central-1' } });
  const granted = publishedZone(networking).grantDelegation({ account: '222222222222', names: ['dev'], externalId: 'team-a' });
  new DelegatedSubdomain(consumer, 'Granted', { subdomain: 'dev', delegation: granted });
  new DelegatedSubdomain(consumer, 'Located', {
    subdomain: 'dev',
    delegation: PublishedZone.delegation({
      networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'eu-west-1', externalId: 'team-a',
    }),
  });
  const expected = {
    Subdomain: 'dev',
    ParameterPrefix: '/zone-delegation/dev',
    NetworkRoleArn: 'arn:${AWS::Partition}:iam::111111111111:role/zone-delegation-dev-222222222222',
    NetworkRegion: 'eu-west-1',
    ExternalId: 'team-a',
  };
  assert.deepEqual(propertiesOf(consumer, 'Custom::DelegatedSubdomain', 'Granted'), expected);
  assert.deepEqual(propertiesOf(consumer, 'Custom::DelegatedSubdomain', 'Located'), expected);
});

test('what a removal policy is applied to keeps its custom resource', () => {
  const stack = stackWithFunctions();
  const zone = publishedZone(stack);
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', parentZone: zone.zone });
  const certificate = subdomain.certificate('Certificate');
  [zone, subdomain, certificate].forEach((resource) => resource.applyRemovalPolicy(RemovalPolicy.RETAIN));
  for (const type of ['Custom::PublishedZone', 'Custom::DelegatedSubdomain', 'Custom::SubdomainCertificate']) {
    Template.fromStack(stack).hasResource(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  }
});

test('a stack has one function, however many constructs', () => {
  const stack = stackWithFunctions();
  const first = new DelegatedSubdomain(stack, 'First', { subdomain: 'a', delegation, functionSettings: { environment: { RUST_LOG: 'debug' } } });
  new DelegatedSubdomain(stack, 'Second', { subdomain: 'b', parentZone: first });
  first.certificate('Certificate');
  new SubdomainCertificate(stack, 'Other', { zone: first, functionSettings: { environment: { RUST_LOG: 'debug' } } });
  Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 1);
  Template.fromStack(stack).resourceCountIs('AWS::StepFunctions::StateMachine', 1);
  assert.throws(() => new DelegatedSubdomain(stack, 'Third', { subdomain: 'c', parentZone: first, functionSettings: { environment: { RUST_LOG: 'info' } } }),
    /^PropError: functionSettings of Stack\/Third must be those that the stack's function was first made with, since a stack has one function\.$/);
});

test('tokens are let through', () => {
  const stack = stackWithFunctions();
  const parameter = (id: string) => new CfnParameter(stack, `The${id}`).valueAsString;
  const zone = new PublishedZone(stack, 'PublishedZone', {
    zoneName: parameter('ZoneName'), parentZone: importedZone(stack, parameter('ParentName')), parameterPrefix: parameter('Prefix'),
  });
  const granted = zone.grantDelegation({
    account: parameter('Account'), names: [parameter('Name'), 'dev'], externalId: parameter('ExternalId'), organizationId: parameter('Organization'),
    roleName: parameter('RoleName'),
  });
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', {
    subdomain: parameter('Subdomain'), delegation: { ...granted, region: parameter('NetworkRegion') }, comment: parameter('Comment'),
  });
  subdomain.certificate('Certificate', {
    domainName: parameter('DomainName'), subjectAlternativeNames: [`*.${Aws.REGION}.example.com`], region: parameter('Region'), tags: { team: parameter('Team') },
  });
  assert.equal(propertiesOf(stack, 'Custom::DelegatedSubdomain')['Subdomain'], '${TheSubdomain}');
  assert.equal(propertiesOf(stack, 'Custom::SubdomainCertificate')['DomainName'], '${TheDomainName}');
  assert.match(JSON.stringify(readable(resourcesOf(Template.fromStack(stack)))), /"\$\{TheName\}\.\$\{TheZoneName\}","dev\.\$\{TheZoneName\}"/);
});

/** What only a program without types can give. */
function untyped<T>(value: unknown): T {
  return value as T;
}

test('an imported zone may be written with its dot', () => {
  const stack = stackWithFunctions();
  const zone = importedZone(stack, 'Example.com.');
  publishedZone(stack, { zoneName: undefined, zone }).grantDelegation({ account: '222222222222', names: ['dev'] });
  new SubdomainCertificate(stack, 'Certificate', { zone, subjectAlternativeNames: ['*.example.com'] });
  assert.match(JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Role')), /NormalizedRecordNames":\["dev\.example\.com"\]/);
  assert.equal(propertiesOf(stack, 'Custom::SubdomainCertificate')['DomainName'], 'example.com');
});

const wrongZones: [RegExp, (stack: Stack) => Partial<PublishedZoneProps>][] = [
  [/^parameterPrefix must be 1 to 14 levels of .*, but it is "zone-delegation"\.$/, () => ({ parameterPrefix: 'zone-delegation' })],
  [/^parameterPrefix is missing\.$/, () => ({ parameterPrefix: undefined })],
  [/^zone\.hostedZoneId must be the id of a hosted zone, .*, but it is "\/hostedzone\/Z1"\.$/, (stack) => ({
    zoneName: undefined, zone: route53.HostedZone.fromHostedZoneAttributes(stack, 'Path', { hostedZoneId: '/hostedzone/Z1', zoneName: 'example.com' }),
  })],
  [/^delegationTtl must be a Duration, but it is 300\.$/, () => ({ delegationTtl: untyped(300) })],
  [/^parameterPrefix .*"\/a\/"\.$/, () => ({ parameterPrefix: '/a/' })],
  [/^parameterPrefix .*"\/aws\/x"\.$/, () => ({ parameterPrefix: '/aws/x' })],
  [/^zoneName must not end with a dot, but it is "example\.com\."\.$/, () => ({ zoneName: 'example.com.' })],
  [/^zoneName and zone are two ways/, () => ({ zoneName: undefined })],
  [/^zoneName and zone are two ways/, (stack) => ({ zone: importedZone(stack) })],
  [/^zone must be a public hosted zone, but it is "Stack\/Private"\.$/, (stack) => ({ zoneName: undefined, zone: privateZone(stack) })],
  [/^parentZone must be a public hosted zone/, (stack) => ({ parentZone: privateZone(stack) })],
  [/^parentZone must be the zone of a name above build\.example\.com, but it is "example\.org"\.$/, (stack) => ({ parentZone: importedZone(stack, 'example.org') })],
  [/^parentZone must be left out where zone is imported/, (stack) => ({
    zoneName: undefined, zone: importedZone(stack, 'build.example.com'), parentZone: importedZone(stack, 'example.com', 'Parent'),
  })],
  [/^delegationTtl must be 0 to 2,147,483,647 whole seconds, but it is 0\.5\.$/, () => ({ delegationTtl: Duration.millis(500) })],
  [/^functionSettings\.environment must be a letter and then .*, but it is "A-B"\.$/, () => ({ functionSettings: { environment: { 'A-B': '' } } })],
  [/^functionZips must be a folder that holds publish-zone\.zip, but it is "\/nowhere"\.$/, () => ({ functionSettings: { functionZips: '/nowhere' } })],
];
wrongZones.forEach(([message, props], index) => test(`a wrong prop of a published zone is named (${index}): ${message.source}`, () => {
  const stack = stackWithFunctions();
  assert.throws(() => publishedZone(stack, props(stack)), { name: 'PropError', message });
}));

const wrongGrants: [RegExp, Partial<DelegationGrant>][] = [
  [/^account must be an account of 12 digits, but it is "1"\.$/, { account: '1' }],
  [/^account must be granted its names in one call, since it has one role, but it is "222222222222"\.$/, { account: '222222222222' }],
  [/^account is missing\.$/, { account: undefined }],
  [/^account must be an account of 12 digits, but it is 333333333333\.$/, { account: untyped(333333333333) }],
  [/^names must be a list of names, but it is "qa"\.$/, { names: untyped('qa') }],
  [/^names must not be longer than 253 characters, but it is "a.*\.build\.example\.com"\.$/, { names: [Array(4).fill('a'.repeat(60)).join('.')] }],
  [/^names must have at least one name, but it is \[\]\.$/, { names: [] }],
  [/^names must not end with a dot, but it is "qa\."\.$/, { names: ['qa.'] }],
  [/^names must be labels .*; "\*" is none, but it is "\*"\.$/, { names: ['*'] }],
  [/^names must be labels .*; "" is none, but it is "a\.\.b"\.$/, { names: ['a..b'] }],
  [/^names must have "qa" once, but it is \["qa","QA"\]\.$/, { names: ['qa', 'QA'] }],
  [/^names of account 333333333333 must lie apart .*: "dev" is equal to "dev", but it is \["Dev"\]\.$/, { names: ['Dev'] }],
  [/: "a\.dev" is below "dev"/, { names: ['a.dev'] }],
  [/: "two" is above "one\.two"/, { names: ['two'] }],
  [/^externalId must be 2 to 1,224/, { externalId: 'x' }],
  [/^organizationId must be the id of an organization, such as "o-a1b2c3d4e5", but it is "r-1"\.$/, { organizationId: 'r-1' }],
  [/^roleName must be 1 to 64 letters/, { roleName: 'a/b' }],
  [/^principalArns must be a pattern of role ARNs in one account, but it is "\*"\.$/, { principalArns: ['*'] }],
];
wrongGrants.forEach(([message, grant], index) => test(`a wrong grant is named (${index}): ${message.source}`, () => {
  const zone = publishedZone(stackWithFunctions());
  zone.grantDelegation({ account: '222222222222', names: ['dev', 'one.two'] });
  assert.throws(() => zone.grantDelegation({ account: '333333333333', names: ['qa'], ...grant }), { name: 'PropError', message });
}));

const wrongSubdomains: [RegExp, (stack: Stack) => Partial<DelegatedSubdomainProps>][] = [
  [/^subdomain is missing\.$/, () => ({ subdomain: undefined })],
  [/^subdomain must be a string, but it is 5\.$/, () => ({ subdomain: untyped(5) })],
  [/^delegation\.roleArn is missing\.$/, () => ({ delegation: untyped({ parameterPrefix: '/a' }) })],
  [/^subdomain must be labels of 1 to 63 letters/, () => ({ subdomain: 'a'.repeat(64) })],
  [/^delegation and parentZone are two ways to say what the parent is: give one of them\.$/, () => ({ delegation: undefined })],
  [/^delegation and parentZone are two ways/, (stack) => ({ parentZone: importedZone(stack) })],
  [/^delegation\.roleArn must be the ARN of a role, but it is "admin"\.$/, () => ({ delegation: { ...delegation, roleArn: 'admin' } })],
  [/^delegation\.parameterPrefix must be/, () => ({ delegation: { ...delegation, parameterPrefix: 'x' } })],
  [/^delegation\.region must be the name of a Region/, () => ({ delegation: { ...delegation, region: 'x' } })],
  [/^delegation\.externalId must be/, () => ({ delegation: { ...delegation, externalId: '?' } })],
  [/^parentZone must be a public hosted zone/, (stack) => ({ delegation: undefined, parentZone: privateZone(stack) })],
  [/^zone must be a public hosted zone/, (stack) => ({ zone: privateZone(stack) })],
  [/^zone must be the zone of dev\.PARENT, but it is "example\.com"\.$/, (stack) => ({ zone: importedZone(stack) })],
  [/^zone must be the zone of dev\.example\.org, but it is "dev\.example\.com"\.$/, (stack) => ({
    delegation: undefined, zone: importedZone(stack, 'dev.example.com'), parentZone: importedZone(stack, 'example.org', 'Parent'),
  })],
  [/^ttl must be 0 to/, () => ({ ttl: Duration.days(30_000) })],
  [/^drain must be 0 to 3,480 whole seconds \(serviceTimeout less the 120 seconds that a delete needs besides\), but it is 3481\.$/,
    () => ({ drain: Duration.seconds(3_481) })],
  [/^drain must be 0 to 180 whole seconds \(.*\), but it is 181\.$/, () => ({ drain: Duration.seconds(181), serviceTimeout: Duration.minutes(5) })],
  [/^drain must be 0 to 0 whole seconds \(.*\), but it is 1\.$/, () => ({ drain: Duration.seconds(1), serviceTimeout: Duration.minutes(1) })],
  [/^serviceTimeout must be 1 to 3,600 whole seconds, but it is 7200\.$/, () => ({ serviceTimeout: Duration.hours(2) })],
  [/^comment must not be longer than 256 characters/, () => ({ comment: 'a'.repeat(257) })],
  [/^tags must have keys of 1 to 128 characters that do not start with "aws:" or "zone-delegation:", but it is "aws:x"\.$/, () => ({ tags: { 'aws:x': '' } })],
  [/^tags\.x must not be longer than 256 characters/, () => ({ tags: { x: 'a'.repeat(257) } })],
];
wrongSubdomains.forEach(([message, props], index) => test(`a wrong prop of a subdomain is named (${index}): ${message.source}`, () => {
  const stack = stackWithFunctions();
  assert.throws(() => new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation, ...props(stack) }), { name: 'PropError', message });
}));

test('a drain may be as long as the function lets it', () => {
  const [long, short] = [stackWithFunctions(), stackWithFunctions()];
  new DelegatedSubdomain(long, 'Subdomain', { subdomain: 'dev', delegation, drain: Duration.seconds(3_480) });
  new DelegatedSubdomain(short, 'Subdomain', { subdomain: 'dev', delegation, drain: Duration.seconds(0), serviceTimeout: Duration.seconds(60) });
  assert.deepEqual([long, short].map((stack) => propertiesOf(stack, 'Custom::DelegatedSubdomain')['DrainSeconds']), [3_480, 0]);
});

const wrongCertificates: [RegExp, CertificateOptions][] = [
  [/^domainName must lie in one of the zones example\.com, but it is "example\.org"\.$/, { domainName: 'example.org' }],
  [/^domainName must lie in one of the zones example\.com, but it is "notexample\.com"\.$/, { domainName: 'notexample.com' }],
  [/^domainName must be labels of/, { domainName: 'a.*.example.com' }],
  [/^domainName must not be longer than 64 characters/, { domainName: `${'a'.repeat(60)}.example.com` }],
  [/^subjectAlternativeNames must lie in one of the zones/, { subjectAlternativeNames: ['*.com'] }],
  [/^subjectAlternativeNames must not be more than 99 names, but it is 100\.$/, { subjectAlternativeNames: Array(100).fill('example.com') }],
  [/^region must be the name of a Region/, { region: 'virginia' }],
  [/^serviceTimeout must be 1 to 3,600 whole seconds/, { serviceTimeout: Duration.seconds(0) }],
  [/^tags must have keys/, { tags: { 'zone-delegation:stack-id': '' } }],
  [/^keyAlgorithm must be a KeyAlgorithm of/, { keyAlgorithm: untyped('EC_prime256v1') }],
];
wrongCertificates.forEach(([message, options], index) => test(`a wrong prop of a certificate is named (${index}): ${message.source}`, () => {
  const stack = stackWithFunctions();
  assert.throws(() => new SubdomainCertificate(stack, 'Certificate', { zone: importedZone(stack), ...options }), { name: 'PropError', message });
}));

test('a certificate refuses a private zone', () => {
  const stack = stackWithFunctions();
  assert.throws(() => new SubdomainCertificate(stack, 'A', { zone: privateZone(stack) }), { message: /^zone must be a public hosted zone/ });
});
