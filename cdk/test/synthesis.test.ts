import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { App, CfnParameter, NestedStack, Stack, Tags } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { DelegatedSubdomain, FunctionDefaults, PublishedZone, SubdomainCertificate } from '../lib';
import { dependenciesOf, functionZips, resourceOf, resourcesOf, stackWithFunctions } from './template';
import { delegation, importedZone, publishedZone } from './zones';

const NETWORKING = { account: '111111111111', region: 'eu-west-1' };
const CONSUMER = { account: '222222222222', region: 'eu-west-1' };
const newApp = () => new App({ context: { functionZips } });
const location = { networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev' };
const wrong = (message: string | RegExp) => ({ name: 'PropError', message });

test('a name is known at synthesis if the parent\'s is, so that full names stay as they are', () => {
  const app = newApp();
  const [networking, stack] = [new Stack(app, 'Networking', { env: NETWORKING }), new Stack(app, 'Consumer', { env: CONSUMER })];
  const granted = publishedZone(networking).allowDelegation({ account: '222222222222', names: ['Dev'] });
  const byGrant = new DelegatedSubdomain(stack, 'Granted', { subdomain: 'Dev', delegation: granted });
  const below = new DelegatedSubdomain(stack, 'Below', { subdomain: 'app', parentZone: byGrant });
  const located = PublishedZone.delegation({ ...location, parameterPrefix: '/other', zoneName: 'other.example.com' });
  const byLocation = new DelegatedSubdomain(stack, 'Located', { subdomain: 'dev', delegation: located });
  const byZone = new DelegatedSubdomain(stack, 'InZone', { subdomain: 'dev', parentZone: importedZone(stack, 'example.org.') });
  assert.deepEqual([byGrant, below, byLocation, byZone].map(({ zoneName, parentZoneName }) => [zoneName, parentZoneName]), [
    ['dev.build.example.com', 'build.example.com'], ['app.dev.build.example.com', 'dev.build.example.com'],
    ['dev.other.example.com', 'other.example.com'], ['dev.example.org', 'example.org'],
  ]);
  for (const recordName of ['www', 'www.dev.build.example.com', 'www.dev.build.example.com.']) {
    const record = new route53.ARecord(stack, recordName, { zone: byGrant, recordName, target: route53.RecordTarget.fromIpAddresses('192.0.2.1') });
    assert.equal(stack.resolve((record.node.defaultChild as route53.CfnRecordSet).name), 'www.dev.build.example.com.');
  }
});

test('a full name in place of a relative one is refused, and so is a name that validates certificates', () => {
  const app = newApp();
  const [networking, stack] = [new Stack(app, 'Networking', { env: NETWORKING }), new Stack(app, 'Consumer', { env: CONSUMER })];
  const zone = publishedZone(networking);
  assert.throws(() => zone.allowDelegation({ account: '222222222222', names: ['dev.build.example.com'] }),
    wrong('names must be relative to "build.example.com", and so not end in it (write "dev"), but it is "dev.build.example.com".'));
  const byZone = (subdomain: string) => () => new DelegatedSubdomain(stack, subdomain, { subdomain, parentZone: importedZone(stack, 'example.org', `Parent${subdomain}`) });
  assert.throws(byZone('Dev.example.org'), wrong('subdomain must be relative to "example.org", and so not end in it (write "dev"), but it is "Dev.example.org".'));
  assert.throws(byZone('_acme-challenge.dev'), wrong(/^subdomain must have no label such as "_acme-challenge", by which certificates are validated, but/));
  assert.throws(byZone(`a._${'0a'.repeat(16)}`), wrong(/^subdomain must have no label such as "_0a0a/));
  assert.throws(byZone('bücher'), wrong(/; "bücher" is none: write it as "xn--bcher-kva", but it is "bücher"\.$/));
});

test('a zone of another account is refused in place of one of the same account', () => {
  const app = newApp();
  const [networking, stack] = [new Stack(app, 'Networking', { env: NETWORKING }), new Stack(app, 'Consumer', { env: CONSUMER })];
  const parentZone = new route53.PublicHostedZone(networking, 'Zone', { zoneName: 'example.com' });
  const sentence = (prop: string, id: string) => wrong(`${prop} is Networking/Zone of account 111111111111, but Consumer/${id} is in account 222222222222: ${
    'let a zone of another account delegate by PublishedZone and its allowDelegation'}.`);
  assert.throws(() => new DelegatedSubdomain(stack, 'Dev', { subdomain: 'dev', parentZone }), sentence('parentZone', 'Dev'));
  assert.throws(() => new SubdomainCertificate(stack, 'Certificate', { zone: parentZone }), sentence('zone', 'Certificate'));
  assert.throws(() => new PublishedZone(stack, 'Published', { zone: parentZone, parameterPrefix: '/x' }), sentence('zone', 'Published'));
});

test('a delegation is refused in an account, or for a name, for which it was not granted', () => {
  const app = newApp();
  const networking = new Stack(app, 'Networking', { env: NETWORKING });
  const [stack, other] = [new Stack(app, 'Consumer', { env: CONSUMER }), new Stack(app, 'Other', { env: { ...CONSUMER, account: '333333333333' } })];
  const granted = publishedZone(networking).allowDelegation({ account: '222222222222', names: ['dev', 'one.two'] });
  assert.throws(() => new DelegatedSubdomain(other, 'Dev', { subdomain: 'dev', delegation: granted }), wrong(
    'delegation is for account 222222222222, as Networking/PublishedZone says, but Other/Dev is in account 333333333333: call allowDelegation for that account, and give what it returns.'));
  assert.throws(() => new DelegatedSubdomain(other, 'Dev', { subdomain: 'dev', delegation: PublishedZone.delegation(location) }), wrong(
    'delegation is for account 222222222222, but Other/Dev is in account 333333333333: call allowDelegation for that account, and give what it returns.'));
  for (const subdomain of ['qa', 'a.dev', 'two']) {
    assert.throws(() => new DelegatedSubdomain(stack, 'Qa', { subdomain, delegation: granted }), wrong(
      `subdomain of Consumer/Qa must be one of the names that Networking/PublishedZone allows account 222222222222: dev, one.two (allowDelegation has them), but it is "${subdomain}".`));
  }
  new DelegatedSubdomain(stack, 'Two', { subdomain: 'One.two', delegation: granted });
});

test('two published zones of an account must not share a prefix or a role name', () => {
  const app = newApp();
  const stackIn = (id: string, env: { account: string; region: string }) => new Stack(app, id, { env });
  publishedZone(stackIn('First', NETWORKING)).allowDelegation({ account: '222222222222', names: ['dev'] });
  assert.throws(() => publishedZone(stackIn('Second', NETWORKING)), wrong(
    'parameterPrefix "/zone-delegation/dev" is that of First/PublishedZone and of Second/PublishedZone, which are in one account and Region: give one of them another.'));
  const elsewhere = publishedZone(stackIn('Elsewhere', { ...NETWORKING, region: 'us-east-1' }), { zoneName: 'other.example.com' });
  assert.throws(() => elsewhere.allowDelegation({ account: '222222222222', names: ['dev'] }), wrong(
    'roleName "zone-delegation-dev-222222222222" is that of a role of First/PublishedZone and of one of Elsewhere/PublishedZone, which are in one account: give one of them another, and to PublishedZone.delegation as well.'));
  elsewhere.allowDelegation({ account: '222222222222', names: ['dev'], roleName: 'elsewhere' });
  publishedZone(stackIn('OtherAccount', CONSUMER), { zoneName: 'third.example.com' }).allowDelegation({ account: '222222222222', names: ['dev'] });
});

test('a consumer in the stack of the published zone is created after it and deleted before it', () => {
  for (const located of [false, true]) {
    const stack = stackWithFunctions(NETWORKING);
    const granted = publishedZone(stack, { parentZone: importedZone(stack) }).allowDelegation({ account: '111111111111', names: ['dev'] });
    const dev = new DelegatedSubdomain(stack, 'Dev', { subdomain: 'dev', delegation: located ? PublishedZone.delegation({ ...location, account: '111111111111' }) : granted });
    new DelegatedSubdomain(stack, 'App', { subdomain: 'app', parentZone: dev });
    const needed = dependenciesOf(Template.fromStack(stack));
    const published = Object.entries(resourcesOf(Template.fromStack(stack))).find(([, { Type }]) => Type === 'Custom::PublishedZone')![0];
    for (const [id, others] of Object.entries(needed).filter(([id]) => /^(Dev|App)/.test(id))) {
      assert.ok(others.has(published), id);
    }
  }
});

test('a value that is still to be looked up is accepted in every property that is a text', () => {
  const stack = stackWithFunctions(NETWORKING);
  const looked = (name: string) => StringParameter.valueFromLookup(stack, `/${name}`);
  const zone = (id: string) => route53.HostedZone.fromHostedZoneAttributes(stack, id, { hostedZoneId: looked(id), zoneName: looked(`${id}Name`) });
  const tags = { team: looked('team') };
  const formerLogicalIds = [looked('former')];
  const given = {
    FunctionSettings: { functionPrefix: looked('functionPrefix'), environment: { RUST_LOG: looked('level') }, rolePath: looked('path') },
    PublishedZoneProps: { zoneName: looked('zone'), parameterPrefix: looked('prefix'), formerLogicalIds, tags },
    DelegationGrant: {
      account: looked('account'), names: [looked('name')], externalId: looked('external'), organizationId: looked('organization'),
      principalArns: [looked('principal')], roleName: looked('role'),
    },
    DelegationLocation: {
      networkingAccount: looked('networking'), account: looked('account'), parameterPrefix: looked('prefix'), region: looked('region'), externalId: looked('external'),
      zoneName: looked('zoneName'), roleName: looked('role'), partition: looked('partition'),
    },
    Delegation: {
      parameterPrefix: looked('prefix'), roleArn: looked('roleArn'), region: looked('region'), externalId: looked('external'), zoneName: looked('zoneName'), account: looked('account'),
    },
    DelegatedSubdomainProps: { subdomain: looked('subdomain'), comment: looked('comment'), formerLogicalIds, tags },
    CertificateOptions: { domainName: looked('domain'), subjectAlternativeNames: [looked('alternative')], region: looked('certificateRegion'), formerLogicalIds, tags },
    SubdomainCertificateProps: {},
  };
  FunctionDefaults.set(stack, { functionBucket: Bucket.fromBucketName(stack, 'Bucket', 'functions'), ...given.FunctionSettings });
  new PublishedZone(stack, 'Published', { ...given.PublishedZoneProps, parentZone: zone('Parent') }).allowDelegation({ ...given.DelegationGrant, roleName: undefined });
  new PublishedZone(stack, 'Other', { zone: zone('Other2'), parameterPrefix: looked('other') }).allowDelegation(given.DelegationGrant);
  const located = PublishedZone.delegation(given.DelegationLocation);
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', { ...given.DelegatedSubdomainProps, delegation: located, zone: zone('Existing') });
  new DelegatedSubdomain(stack, 'Direct', { subdomain: looked('direct'), delegation: given.Delegation });
  subdomain.certificate('Certificate', { ...given.CertificateOptions, additionalZones: [zone('Additional')] });
  Template.fromStack(stack).resourceCountIs('Custom::DelegatedSubdomain', 2);

  // A new property must be added here. Paths are read at synthesis.
  const structs = readFileSync(path.join(__dirname, '..', 'API.md'), 'utf8').split(/^## /m).filter((section) => section.includes('| property | type | default |'));
  const texts = Object.fromEntries(structs.map((section) => [section.split('\n')[0]!, [...section.matchAll(/^\| `(\w+)` \| `(?:string(?:\[\])?|\{ \[key: string\]: string \})` \|/gm)]
    .map(([, name]) => name!).filter((name) => !['functionZips', 'manifestPath'].includes(name)).sort()]));
  assert.deepEqual(Object.fromEntries(Object.entries(given).map(([name, props]) => [name, Object.keys(props).sort()])), texts);
});

test('a role\'s logical id is derived from the account, not from its position', () => {
  const idsOf = (...accounts: string[]) => {
    const stack = stackWithFunctions();
    const zone = publishedZone(stack);
    accounts.forEach((account, index) => zone.allowDelegation({ account: new CfnParameter(stack, account).valueAsString, names: [`n${index}`], roleName: account }));
    return Object.entries(resourcesOf(Template.fromStack(stack))).filter(([, { Properties }]) => 'RoleName' in Properties)
      .map(([id, { Properties }]) => `${String(Properties['RoleName'])} ${id}`);
  };
  assert.deepEqual(idsOf('B'), idsOf('A', 'B').filter((id) => id.startsWith('B ')));
});

test('after a construct that threw, others of the app still work', () => {
  const stack = stackWithFunctions(NETWORKING);
  assert.throws(() => publishedZone(stack, { parameterPrefix: 'wrong' }), /parameterPrefix/);
  assert.throws(() => publishedZone(stack, { functionSettings: { functionZips: '/nowhere' } }), /functionZips must be a folder/);
  assert.throws(() => new DelegatedSubdomain(stack, 'Dev', { subdomain: 'dev', delegation, functionSettings: { functionZips: '/nowhere' } }), /functionZips must be a folder/);
  assert.throws(() => new DelegatedSubdomain(stack, 'Wrong', { subdomain: 'dev', delegation, tags: { 'aws:x': '' } }), /tags/);
  // The same names, now correct.
  const published = new PublishedZone(stack, 'Again', { zoneName: 'build.example.com', parameterPrefix: '/zone-delegation/dev' });
  published.allowDelegation({ account: '222222222222', names: ['dev'] });
  new DelegatedSubdomain(stack, 'Right', { subdomain: 'dev', delegation }).certificate('Certificate');
  Template.fromStack(stack).resourceCountIs('AWS::Lambda::Function', 2);
  Template.fromStack(stack).resourceCountIs('AWS::Route53::HostedZone', 1);
});

test('customizeRoles reports what the functions\' and the consumers\' roles need', () => {
  const app = newApp();
  iam.Role.customizeRoles(app, { preventSynthesis: false });
  const stack = new Stack(app, 'Stack', { env: NETWORKING });
  publishedZone(stack).allowDelegation({ account: '222222222222', names: ['dev'] });
  new DelegatedSubdomain(stack, 'Dev', { subdomain: 'dev', delegation }).certificate('Certificate');
  const { directory } = app.synth();
  const { roles } = JSON.parse(readFileSync(path.join(directory, 'iam-policy-report.json'), 'utf8')) as { roles: { roleConstructPath: string; identityPolicyStatements: { Action: string | string[] }[] }[] };
  const actions = (name: string) => roles.find(({ roleConstructPath }) => roleConstructPath.includes(name))!.identityPolicyStatements.flatMap(({ Action }) => Action);
  assert.ok(actions('PublishZoneFunction').includes('ssm:PutParameter'));
  assert.ok(actions('DelegateSubdomainFunction/DelegateSubdomain').includes('sts:AssumeRole'));
  assert.ok(actions('DelegateSubdomainFunction/Waiter').includes('lambda:InvokeFunction'));
  assert.ok(actions('Delegation222222222222').includes('route53:ChangeResourceRecordSets'));
});

test('renamed props of the constructs are used', () => {
  const stack = stackWithFunctions(NETWORKING);
  const published = publishedZone(stack, { formerLogicalIds: ['Old1'], tags: { team: 'a' } });
  published.allowDelegation({ account: '222222222222', names: ['dev', 'one.two'] });
  published.allowDelegation({ account: '333333333333', names: ['qa'] });
  Tags.of(stack).add('cost-center', '42');
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'x', delegation, zone: importedZone(stack, 'x.example.com'), adoptDelegation: true, formerLogicalIds: ['Old2'] });
  subdomain.certificate('Certificate', { export: true, formerLogicalIds: ['Old3'] });
  const template = Template.fromStack(stack);
  template.hasResourceProperties('Custom::PublishedZone', {
    FormerLogicalIds: ['Old1'],
    Tags: [{ Key: 'cost-center', Value: '42' }, { Key: 'team', Value: 'a' }],
    DelegatedNames: ['dev.build.example.com', 'one.two.build.example.com', 'qa.build.example.com'],
  });
  template.hasResourceProperties('Custom::DelegatedSubdomain', { AdoptDelegation: true, FormerLogicalIds: ['Old2'] });
  template.hasResourceProperties('Custom::SubdomainCertificate', { Export: true, FormerLogicalIds: ['Old3'] });
});

test('the functions decide the defaults of absent props', () => {
  const stack = stackWithFunctions();
  publishedZone(stack);
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');
  const template = Template.fromStack(stack);
  template.hasResourceProperties('Custom::PublishedZone', { FormerLogicalIds: Match.absent(), Tags: Match.absent(), DelegatedNames: Match.absent() });
  template.hasResourceProperties('Custom::DelegatedSubdomain', {
    AdoptDelegation: Match.absent(), FormerLogicalIds: Match.absent(), Ttl: Match.absent(), DrainSeconds: Match.absent(),
  });
  template.hasResourceProperties('Custom::SubdomainCertificate', { Export: Match.absent(), FormerLogicalIds: Match.absent() });
});

test('a published zone in a nested stack can have a consumer in the parent stack', () => {
  const nested = new NestedStack(new Stack(newApp(), 'Parent', { env: NETWORKING }), 'Nested');
  const granted = publishedZone(nested).allowDelegation({ account: '111111111111', names: ['dev'] });
  new DelegatedSubdomain(nested, 'Dev', { subdomain: 'dev', delegation: granted });
  assert.ok(resourceOf(Template.fromStack(nested), 'Custom::DelegatedSubdomain').DependsOn);
});
