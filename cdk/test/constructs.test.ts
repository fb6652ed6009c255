import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Aws, CfnOutput, CfnParameter, Duration, Fn, NestedStack, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget, LoadBalancerTarget } from 'aws-cdk-lib/aws-route53-targets';
import {
  DelegatedSubdomain, DelegationsOnDelete, PublishedZone, RecordsOnDelete, SubdomainCertificate, ValidationRecordsOnDelete,
} from '../lib';
import { functionZips, readable, resourceOf, resourcesOf, stackWithFunctions, statementsOf } from './template';
import { delegation, importedZone, publishedZone } from './zones';

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
  const balancer = new elbv2.ApplicationLoadBalancer(stack, 'Balancer', { vpc: new ec2.Vpc(stack, 'Vpc') });
  balancer.addListener('Https', { port: 443, certificates: [certificate], defaultAction: elbv2.ListenerAction.fixedResponse(200) });
  new route53.ARecord(stack, 'Balanced', { zone: subdomain, recordName: 'balanced', target: route53.RecordTarget.fromAlias(new LoadBalancerTarget(balancer)) });
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
  assert.equal(propertiesOf(stack, 'AWS::Route53::RecordSet', 'Balanced')['Name'], 'balanced.${Subdomain.DomainName}.');
  assert.deepEqual(readable(resourceOf(template, 'AWS::ElasticLoadBalancingV2::Listener').Properties['Certificates']), [
    { CertificateArn: '${SubdomainCertificate.CertificateArn}' },
  ]);
  assert.deepEqual(readable(stack.resolve([
    subdomain.hostedZoneRef, certificate.certificateRef, subdomain.name, subdomain.hostedZoneArn, subdomain.parentHostedZoneId, subdomain.parentZoneName,
  ])), [
    { hostedZoneId: '${Subdomain.HostedZoneId}' }, { certificateArn: '${SubdomainCertificate.CertificateArn}' }, '${Subdomain.DomainName}',
    'arn:${AWS::Partition}:route53:::hostedzone/${Subdomain.HostedZoneId}', '${Subdomain.ParentHostedZoneId}', '${Subdomain.ParentDomainName}',
  ]);
  assert.equal(statementsOf(template)['RoleDefaultPolicy']?.[0]?.Resource, 'arn:${AWS::Partition}:route53:::hostedzone/${Subdomain.HostedZoneId}');
  assert.match(JSON.stringify(template.findOutputs('NameServer')), /"Fn::Split":\[",",\{"Fn::GetAtt":\["Subdomain\w+","NameServers"\]/);
  assert.match(JSON.stringify(template.findResources('AWS::CloudFront::Distribution')), /"AcmCertificateArn":\{"Fn::GetAtt":\["SubdomainCertificate\w+","CertificateArn"\]/);
  const metric = stack.resolve(certificate.metricDaysToExpiry().toMetricConfig().metricStat) as { region: string; dimensions: { name: string }[] };
  assert.deepEqual([metric.region, metric.dimensions[0]?.name], ['us-east-1', 'CertificateArn']);
});

test('every prop of a subdomain is in its custom resource', () => {
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

test('every prop of a certificate is in its custom resource, and its policy is only for its zones', () => {
  const stack = stackWithFunctions({ account: '222222222222', region: 'eu-central-1' });
  new SubdomainCertificate(stack, 'Certificate', {
    zone: importedZone(stack, 'example.com', 'First'),
    additionalZones: [route53.HostedZone.fromHostedZoneAttributes(stack, 'Second', { hostedZoneId: 'Z0OTHER', zoneName: 'example.org' })],
    domainName: 'WWW.example.com',
    subjectAlternativeNames: ['*.example.org', 'example.com'],
    region: 'us-east-1',
    keyAlgorithm: acm.KeyAlgorithm.EC_PRIME256V1,
    validationRecordsOnDelete: ValidationRecordsOnDelete.DELETE,
    tags: { team: 'é a' },
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
    Tags: [{ Key: 'team', Value: 'é a' }],
  });
  const statements = Object.entries(statementsOf(Template.fromStack(stack))).flatMap(([id, found]) => id.endsWith('Policy') ? found : []);
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
          'ForAllValues:StringLike': { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': ['_*'] },
          Null: {
            'route53:ChangeResourceRecordSetsActions': 'false',
            'route53:ChangeResourceRecordSetsNormalizedRecordNames': 'false',
            'route53:ChangeResourceRecordSetsRecordTypes': 'false',
          },
        },
      },
    ]);
  }
});

test('an existing zone is published as it is', () => {
  const stack = stackWithFunctions();
  publishedZone(stack, { zoneName: undefined, zone: importedZone(stack), delegationsOnDelete: DelegationsOnDelete.IGNORE })
    .allowDelegation({ account: '222222222222', names: ['dev'], roleName: 'the-role', principalArns: ['arn:aws:iam::222222222222:role/exactly'] });
  assert.deepEqual(propertiesOf(stack, 'Custom::PublishedZone'), {
    HostedZoneId: 'Z0IMPORTED', ParameterPrefix: '/zone-delegation/dev', DelegationsOnDelete: 'Ignore', DelegatedNames: ['dev.example.com'],
  });
  const template = Template.fromStack(stack);
  template.resourceCountIs('AWS::Route53::HostedZone', 0);
  template.resourceCountIs('AWS::Route53::RecordSet', 0);
  template.hasResourceProperties('AWS::IAM::Role', { RoleName: 'the-role' });
  assert.deepEqual(statementsOf(template)['PublishedZoneDelegation222222222222 trust']?.[0]?.Condition,
    { ArnLike: { 'aws:PrincipalArn': ['arn:aws:iam::222222222222:role/exactly'] } });
});

test('what allowDelegation returns can be used in the stack of another account', () => {
  const app = new App({ context: { functionZips } });
  const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'eu-west-1' } });
  const consumer = (id: string) => new Stack(app, id, { env: { account: '222222222222', region: 'eu-central-1' } });
  const [first, second] = [consumer('First'), consumer('Second')];
  const granted = publishedZone(networking).allowDelegation({ account: '222222222222', names: ['dev'], externalId: 'team-a' });
  new DelegatedSubdomain(first, 'Granted', { subdomain: 'dev', delegation: granted });
  new DelegatedSubdomain(second, 'Located', {
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
  assert.deepEqual(propertiesOf(first, 'Custom::DelegatedSubdomain'), expected);
  assert.deepEqual(propertiesOf(second, 'Custom::DelegatedSubdomain'), expected);
});

test('a removal policy keeps a subdomain\'s and a certificate\'s custom resource', () => {
  const stack = stackWithFunctions();
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
  const certificate = subdomain.certificate('Certificate');
  [subdomain, certificate].forEach((resource) => resource.applyRemovalPolicy(RemovalPolicy.RETAIN));
  for (const type of ['Custom::DelegatedSubdomain', 'Custom::SubdomainCertificate']) {
    Template.fromStack(stack).hasResource(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  }
});

test('a removal policy keeps every resource of a published zone that the consumers\' names need', () => {
  const kept = (policy: RemovalPolicy) => {
    const stack = stackWithFunctions();
    const zone = publishedZone(stack, { parentZone: importedZone(stack) });
    zone.allowDelegation({ account: '222222222222', names: ['dev'] });
    zone.applyRemovalPolicy(policy);
    zone.allowDelegation({ account: '333333333333', names: ['qa'] });
    const resources = Object.values(Template.fromStack(stack).toJSON()['Resources'] as { [id: string]: { Type: string; DeletionPolicy?: string } });
    return resources.filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith('Retain')).map(({ Type }) => Type).sort();
  };
  const all = ['AWS::IAM::Role', 'AWS::IAM::Role', 'AWS::Route53::HostedZone', 'AWS::Route53::RecordSet', 'Custom::PublishedZone'];
  assert.deepEqual(kept(RemovalPolicy.RETAIN), all);
  assert.deepEqual(kept(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE), all);
  assert.deepEqual(kept(RemovalPolicy.DESTROY), []);
});

test('grantDelegation still does what allowDelegation does', () => {
  const [old, now] = [stackWithFunctions(), stackWithFunctions()];
  const grant = { account: '222222222222', names: ['dev'] };
  assert.deepEqual(old.resolve(publishedZone(old).grantDelegation(grant)), now.resolve(publishedZone(now).allowDelegation(grant)));
  assert.deepEqual(resourcesOf(Template.fromStack(old)), resourcesOf(Template.fromStack(now)));
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
    /^PropError: functionSettings of Stack\/Third must be those that the stack's function was created with, because a stack has one function\.$/);
});

test('tokens are accepted', () => {
  const stack = stackWithFunctions();
  const parameter = (id: string) => new CfnParameter(stack, `The${id}`).valueAsString;
  const zone = new PublishedZone(stack, 'PublishedZone', {
    zoneName: parameter('ZoneName'), parentZone: importedZone(stack, parameter('ParentName')), parameterPrefix: parameter('Prefix'),
  });
  const granted = zone.allowDelegation({
    account: parameter('Account'), names: [parameter('Name'), 'dev'], externalId: parameter('ExternalId'), organizationId: parameter('Organization'),
    roleName: parameter('RoleName'),
  });
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', {
    subdomain: parameter('Subdomain'), delegation: { ...granted, region: parameter('NetworkRegion') }, comment: parameter('Comment'),
  });
  subdomain.certificate('Certificate', {
    domainName: parameter('DomainName'), subjectAlternativeNames: [`*.${Aws.REGION}.example.com`], region: parameter('Region'), tags: { team: parameter('Team') },
  });
  new SubdomainCertificate(stack, 'OfList', {
    zone: importedZone(stack, 'example.com', 'OfNames'), subjectAlternativeNames: new CfnParameter(stack, 'TheNames', { type: 'CommaDelimitedList' }).valueAsList,
  });
  assert.equal(readable(stack.resolve(PublishedZone.delegation({
    networkingAccount: parameter('Networking'), account: parameter('Own'), parameterPrefix: parameter('Where'), roleName: parameter('Role'),
    region: parameter('There'), externalId: parameter('Secret'), partition: parameter('Partition'),
  }).roleArn)), 'arn:${ThePartition}:iam::${TheNetworking}:role/${TheRole}');
  assert.equal(propertiesOf(stack, 'Custom::SubdomainCertificate', 'OfList')['SubjectAlternativeNames'], '${TheNames}');
  assert.equal(propertiesOf(stack, 'Custom::DelegatedSubdomain')['Subdomain'], '${TheSubdomain}');
  assert.equal(propertiesOf(stack, 'Custom::SubdomainCertificate', 'SubdomainCertificate')['DomainName'], '${TheDomainName}');
  assert.match(JSON.stringify(readable(resourcesOf(Template.fromStack(stack)))), /"\$\{TheName\}\.\$\{TheZoneName\}","dev\.\$\{TheZoneName\}"/);
});

test('the name of an imported zone may end with a dot', () => {
  const stack = stackWithFunctions();
  const zone = importedZone(stack, 'Example.com.');
  publishedZone(stack, { zoneName: undefined, zone }).allowDelegation({ account: '222222222222', names: ['dev'] });
  new SubdomainCertificate(stack, 'Certificate', { zone, subjectAlternativeNames: ['*.example.com'] });
  assert.match(JSON.stringify(Template.fromStack(stack).findResources('AWS::IAM::Role')), /NormalizedRecordNames":\["dev\.example\.com"\]/);
  assert.equal(propertiesOf(stack, 'Custom::SubdomainCertificate')['DomainName'], 'example.com');
});

test('a drain may be as long as the function allows', () => {
  const [long, short] = [stackWithFunctions(), stackWithFunctions()];
  new DelegatedSubdomain(long, 'Subdomain', { subdomain: 'dev', delegation, drain: Duration.seconds(3_480) });
  new DelegatedSubdomain(short, 'Subdomain', { subdomain: 'dev', delegation, drain: Duration.seconds(0), serviceTimeout: Duration.seconds(60) });
  assert.deepEqual([long, short].map((stack) => propertiesOf(stack, 'Custom::DelegatedSubdomain')['DrainSeconds']), [3_480, 0]);
});

test('a zone that is still to be looked up is accepted', () => {
  const stack = stackWithFunctions({ account: '111111111111', region: 'us-east-1' });
  const looked = (domainName: string) => route53.HostedZone.fromLookup(stack, domainName, { domainName });
  publishedZone(stack, { parentZone: looked('example.com') });
  new PublishedZone(stack, 'Other', { zone: looked('example.org'), parameterPrefix: '/other' }).allowDelegation({ account: '222222222222', names: ['dev'] });
  new PublishedZone(stack, 'Third', { zone: looked('example.net'), parameterPrefix: '/third' }).allowDelegation({ account: '333333333333', names: ['dev'] });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', parentZone: looked('example.edu') });
  new DelegatedSubdomain(stack, 'Same', { subdomain: 'dev', parentZone: looked('example.info') });
  const { missing } = (stack.node.root as App).synth().manifest;
  assert.deepEqual(missing?.map(({ provider }) => provider), Array(5).fill('hosted-zone'));
});

test('a zone of which only the id is known is accepted', () => {
  const stack = stackWithFunctions();
  const byId = (id: string) => route53.HostedZone.fromHostedZoneId(stack, id, id);
  publishedZone(stack, { parentZone: byId('Z0BASE') });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', parentZone: byId('Z0PARENT'), zone: byId('Z0ZONE') });
  new SubdomainCertificate(stack, 'Certificate', { zone: byId('Z0CERTIFIED'), domainName: 'www.example.com' });
  assert.equal(propertiesOf(stack, 'AWS::Route53::RecordSet')['HostedZoneId'], 'Z0BASE');
  assert.deepEqual(propertiesOf(stack, 'Custom::DelegatedSubdomain'), { Subdomain: 'dev', ParentHostedZoneId: 'Z0PARENT', HostedZoneId: 'Z0ZONE' });
  assert.deepEqual(propertiesOf(stack, 'Custom::SubdomainCertificate'), { HostedZoneId: 'Z0CERTIFIED', DomainName: 'www.example.com' });
});

test('each waiter has a different name that is short enough', () => {
  const app = () => new App({ context: { functionZips } });
  const nameIn = (stack: Stack) => {
    new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
    return readable(resourceOf(Template.fromStack(stack), 'AWS::StepFunctions::StateMachine').Properties['StateMachineName']);
  };
  const ofStackId = { 'Fn::Join': ['', [{ 'Fn::Select': [2, { 'Fn::Split': ['/', '${AWS::StackId}'] }] }, '-waiter']] };
  assert.equal(nameIn(new Stack(app(), 'a'.repeat(73))), '${AWS::StackName}-waiter');
  assert.deepEqual(nameIn(new Stack(app(), 'a'.repeat(74))), readable(ofStackId));
  assert.deepEqual(nameIn(new NestedStack(new Stack(app(), 'Parent'), 'Nested')), readable(ofStackId));
});

test('an account may have its names under each prefix of a zone', () => {
  const stack = stackWithFunctions();
  const zones = ['/a', '/b'].map((parameterPrefix) => new PublishedZone(stack, parameterPrefix.slice(1), {
    zone: importedZone(stack, 'example.com', `Of${parameterPrefix.slice(1)}`), parameterPrefix,
  }));
  zones.forEach((zone) => zone.allowDelegation({ account: '222222222222', names: ['dev'] }));
  Template.fromStack(stack).resourcePropertiesCountIs('AWS::IAM::Role', { RoleName: 'b-222222222222' }, 1);
});

test('subdomains of one name may have different parents', () => {
  const stack = stackWithFunctions();
  const dev = new DelegatedSubdomain(stack, 'Dev', { subdomain: 'dev', delegation });
  const other = new DelegatedSubdomain(stack, 'Other', { subdomain: 'dev', delegation: { ...delegation, parameterPrefix: '/zone-delegation/other' } });
  [dev, other].forEach((parentZone) => new DelegatedSubdomain(parentZone, 'App', { subdomain: 'app', parentZone }));
  Template.fromStack(stack).resourceCountIs('Custom::DelegatedSubdomain', 4);
});
