import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aws, Duration, Fn, type Stack, Tags } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { KeyAlgorithm } from 'aws-cdk-lib/aws-certificatemanager';
import * as route53 from 'aws-cdk-lib/aws-route53';
import {
  type CertificateOptions, DelegatedSubdomain, type DelegatedSubdomainProps, type DelegationGrant, type DelegationLocation, type FunctionSettings,
  PublishedZone, type PublishedZoneProps, SubdomainCertificate,
} from '../lib';
import { functionZips, stackWithFunctions } from './template';
import { delegation, importedZone, privateZone, publishedZone } from './zones';

/** Returns a value that only a program without types can pass. */
function untyped<T>(value: unknown): T {
  return value as T;
}

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
  [/^parentZone must be left out if zone is imported, .* in the app that creates it\.$/, (stack) => ({
    zoneName: undefined, zone: importedZone(stack, 'build.example.com'), parentZone: importedZone(stack, 'example.com', 'Parent'),
  })],
  [/^delegationTtl must be 0 to 2,147,483,647 whole seconds, but it is 0\.5\.$/, () => ({ delegationTtl: Duration.millis(500) })],
  [/^delegationTtl must be left out without parentZone, .*, but it is "Duration\.minutes\(5\)"\.$/, () => ({ delegationTtl: Duration.minutes(5) })],
  [/^delegationsOnDelete must be "Fail" or "Ignore", but it is "ignore"\.$/, () => ({ delegationsOnDelete: untyped('ignore') })],
  [/^zone must be a hosted zone of aws-route53, but it is "Z1"\.$/, () => ({ zoneName: undefined, zone: untyped('Z1') })],
  [/^parentZone must be a hosted zone of aws-route53, but it is a Stack\d?\.$/, (stack) => ({ parentZone: untyped(stack) })],
  [/^zoneName must be a string, but it is 5\.$/, () => ({ zoneName: untyped(5) })],
  [/^functionZips must be a folder that contains publish-zone\.zip, but it is "\/nowhere"\.$/, () => ({ functionSettings: { functionZips: '/nowhere' } })],
];
wrongZones.forEach(([message, props], index) => test(`a wrong prop of a published zone is named (${index}): ${message.source}`, () => {
  const stack = stackWithFunctions();
  assert.throws(() => publishedZone(stack, props(stack)), { name: 'PropError', message });
}));

test('two published zones must not share a prefix', () => {
  const stack = stackWithFunctions();
  publishedZone(stack);
  assert.throws(() => new PublishedZone(stack, 'Other', { zone: importedZone(stack), parameterPrefix: '/zone-delegation/dev' }),
    {
      name: 'PropError',
      message: 'parameterPrefix "/zone-delegation/dev" is that of Stack/PublishedZone and of Stack/Other, which are in one account and Region: give one of them another.',
    });
});

const wrongTags: Partial<PublishedZoneProps>['tags'][] = [{ 'aws:x': '' }, { x: 'a*b' }];
wrongTags.forEach((tags) => test(`a wrong tag of the parameters is named: ${JSON.stringify(tags)}`, () => {
  assert.throws(() => publishedZone(stackWithFunctions(), { tags }), { name: 'PropError', message: /^tags/ });
}));

const wrongGrants: [RegExp, Partial<DelegationGrant>][] = [
  [/^account must be an account of 12 digits, but it is "1"\.$/, { account: '1' }],
  [/^account is missing\.$/, { account: undefined }],
  [/^account must be an account of 12 digits, but it is 333333333333\.$/, { account: untyped(333333333333) }],
  [/^names must be a list of names, but it is "qa"\.$/, { names: untyped('qa') }],
  [/^names must not be longer than 253 characters, but it is "a.*\.build\.example\.com"\.$/, { names: [Array(4).fill('a'.repeat(60)).join('.')] }],
  [/^names must have at least one name, but it is \[\]\.$/, { names: [] }],
  [/^names must not end with a dot, but it is "qa\."\.$/, { names: ['qa.'] }],
  [/^names must be labels .*; "\*" is none, but it is "\*"\.$/, { names: ['*'] }],
  [/^names must be labels .*; "" is none, but it is "a\.\.b"\.$/, { names: ['a..b'] }],
  [/^names must have "qa" once, but it is \["qa","QA"\]\.$/, { names: ['qa', 'QA'] }],
  [/^names of account 333333333333 must not have "dev", which account 222222222222 already has: the owner of a name could capture all names below it\.$/, { names: ['Dev'] }],
  [/must not have "a\.dev", which is below "dev" of account 222222222222: /, { names: ['a.dev'] }],
  [/must not have "two", which is above "one\.two" of account 222222222222: /, { names: ['two'] }],
  [/^names must not clash: "a\.qa" is below "qa", and so is in its zone \(the consumer creates it there, with parentZone\), but it is \["qa","a\.qa"\]\.$/,
    { names: ['qa', 'a.qa'] }],
  [/^names is missing\.$/, { names: undefined }],
  [/^names must be a list whose length is known, because the zone's name is added to each name \(names may be tokens\)\.$/, { names: Fn.split(',', Aws.STACK_NAME) }],
  [/^names must be a string, but it is 5\.$/, { names: untyped([5]) }],
  [/^externalId must be 2 to 1,224/, { externalId: 'x' }],
  [/^organizationId must be the id of an organization, such as "o-a1b2c3d4e5", but it is "r-1"\.$/, { organizationId: 'r-1' }],
  [/^roleName must be 1 to 64 letters/, { roleName: 'a/b' }],
  [/^principalArns must be a pattern of role ARNs in one account, but it is "\*"\.$/, { principalArns: ['*'] }],
  [/^principalArns must be a list of patterns of role ARNs, but it is "arn:aws:iam::333333333333:role\/x"\.$/, { principalArns: untyped('arn:aws:iam::333333333333:role/x') }],
  [/^principalArns must have at least one pattern, but it is \[\]\.$/, { principalArns: [] }],
  [/^principalArns must be of the account 333333333333, because the role trusts no other account, but it is "arn:aws:iam::222222222222:role\/x"\.$/,
    { principalArns: ['arn:aws:iam::222222222222:role/x'] }],
];
wrongGrants.forEach(([message, grant], index) => test(`a wrong grant is named (${index}): ${message.source}`, () => {
  const zone = publishedZone(stackWithFunctions());
  zone.allowDelegation({ account: '222222222222', names: ['dev', 'one.two'] });
  assert.throws(() => zone.allowDelegation({ account: '333333333333', names: ['qa'], ...grant }), { name: 'PropError', message });
}));

test('nested names of one zone are refused, whichever construct publishes it', () => {
  const stack = stackWithFunctions();
  const published = (id: string, zone: route53.IHostedZone) => new PublishedZone(stack, id, { zone, parameterPrefix: `/${id}` });
  published('first', importedZone(stack)).allowDelegation({ account: '222222222222', names: ['dev'] });
  const second = published('second', importedZone(stack, 'example.com', 'Again'));
  assert.throws(() => second.allowDelegation({ account: '333333333333', names: ['a.dev'] }),
    /^PropError: names of account 333333333333 must not have "a\.dev", which is below "dev" of account 222222222222: /);
  assert.throws(() => second.allowDelegation({ account: '222222222222', names: ['a.dev'] }), /^PropError: names .*"a\.dev", which is below "dev"/);
});

const wrongLocations: [RegExp, Partial<DelegationLocation>][] = [
  [/^networkingAccount is missing\.$/, { networkingAccount: undefined }],
  [/^account must be an account of 12 digits, but it is 222222222222\.$/, { account: untyped(222222222222) }],
  [/^parameterPrefix must be 1 to 14 levels/, { parameterPrefix: '/a/' }],
  [/^region must be the name of a Region, such as "us-east-1", but it is "Ireland"\.$/, { region: 'Ireland' }],
  [/^externalId must be 2 to 1,224 .*, but it is 12\.$/, { externalId: untyped(12) }],
  [/^roleName must be 1 to 64 letters, .*, but it is "a\/b"\.$/, { roleName: 'a/b' }],
  [/^roleName must be given: parameterPrefix and account make "a{60}-222222222222" otherwise, and it must be 1 to 64 letters, .*\.$/, { parameterPrefix: `/${'a'.repeat(60)}` }],
  [/^zoneName must not end with a dot, but it is "example\.com\."\.$/, { zoneName: 'example.com.' }],
  [/^partition must be the name of a partition, such as "aws", but it is "amazon"\.$/, { partition: 'amazon' }],
];
wrongLocations.forEach(([message, location], index) => test(`a wrong place of a delegation is named (${index}): ${message.source}`, () => {
  assert.throws(() => PublishedZone.delegation({
    networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', ...location,
  }), { name: 'PropError', message });
}));

const wrongSubdomains: [RegExp, (stack: Stack) => Partial<DelegatedSubdomainProps>][] = [
  [/^subdomain is missing\.$/, () => ({ subdomain: undefined })],
  [/^subdomain must be a string, but it is 5\.$/, () => ({ subdomain: untyped(5) })],
  [/^delegation\.roleArn is missing\.$/, () => ({ delegation: untyped({ parameterPrefix: '/a' }) })],
  [/^subdomain must be labels of 1 to 63 letters/, () => ({ subdomain: 'a'.repeat(64) })],
  [/^delegation and parentZone are two ways to give the parent: give one of them\.$/, () => ({ delegation: undefined })],
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
  [/^drain must be given: it is ttl otherwise, 3,600 seconds, and must be 3,480 seconds at most \(.*\)\.$/, () => ({ ttl: Duration.hours(1) })],
  [/^drain must be given: it is the default of ttl otherwise, 300 seconds, and must be 180 seconds at most/, () => ({ serviceTimeout: Duration.minutes(5) })],
  [/^adoptDelegation must be left out without zone: a new zone has no delegation to adopt\.$/, () => ({ adoptDelegation: true })],
  [/^adoptDelegation must be true or false, but it is "true"\.$/, () => ({ adoptDelegation: untyped('true') })],
  [/^formerLogicalIds must be logical ids of resources of the stack, which are letters and digits, but it is "Stack\/Old"\.$/, () => ({ formerLogicalIds: ['Stack/Old'] })],
  [/^formerLogicalIds must be a list of logical ids, but it is "Old"\.$/, () => ({ formerLogicalIds: untyped('Old') })],
  [/^serviceTimeout must be 1 to 3,600 whole seconds, but it is 7200\.$/, () => ({ serviceTimeout: Duration.hours(2) })],
  [/^comment must be a string of at most 256 characters/, () => ({ comment: 'a'.repeat(257) })],
  [/^comment must be a string of at most 256 characters, but it is 5\.$/, () => ({ comment: untyped(5) })],
  [/^tags must have keys of 1 to 128 characters that do not start with "aws:" or "zone-delegation:", but it is "aws:x"\.$/, () => ({ tags: { 'aws:x': '' } })],
  [/^tags\.x must be a string of at most 256 characters/, () => ({ tags: { x: 'a'.repeat(257) } })],
  [/^tags\.x must be a string of at most 256 characters, but it is 1\.$/, () => ({ tags: untyped({ x: 1 }) })],
  [/^tags must be an object of strings, but it is \[\{"Key":"x","Value":"y"\}\]\.$/, () => ({ tags: untyped([{ Key: 'x', Value: 'y' }]) })],
  [/^recordsOnDelete must be "Fail" or "Delete", but it is "DELETE"\.$/, () => ({ recordsOnDelete: untyped('DELETE') })],
  [/^verifyDelegation must be true or false, but it is "false"\.$/, () => ({ verifyDelegation: untyped('false') })],
  [/^ttl must be a Duration, but it is null\.$/, () => ({ ttl: untyped(null) })],
  [/^delegation and parentZone are two ways/, () => ({ delegation: untyped(null) })],
  [/^parentZone must be a hosted zone of aws-route53, but it is "Z1"\.$/, () => ({ delegation: undefined, parentZone: untyped('Z1') })],
];
wrongSubdomains.forEach(([message, props], index) => test(`a wrong prop of a subdomain is named (${index}): ${message.source}`, () => {
  const stack = stackWithFunctions();
  assert.throws(() => new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation, ...props(stack) }), { name: 'PropError', message });
}));

test('nested subdomains of one parent in one stack are refused', () => {
  const stack = stackWithFunctions();
  const located = PublishedZone.delegation({ networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev' });
  const first = new DelegatedSubdomain(stack, 'First', { subdomain: 'dev', delegation: located });
  new DelegatedSubdomain(stack, 'App', { subdomain: 'one.app', parentZone: first });
  const message = (id: string, name: string, clash: string) => ({ name: 'PropError', message: `subdomain of Stack/${id} must not be "${name}", which ${clash}.` });
  const way = 'in the same parent zone: create the lower one with the upper one as its parentZone';
  assert.throws(() => new DelegatedSubdomain(stack, 'Equal', { subdomain: 'Dev', delegation: { ...located, region: stack.region } }),
    message('Equal', 'Dev', 'Stack/First already has in the same parent zone'));
  assert.throws(() => new DelegatedSubdomain(stack, 'Below', { subdomain: 'a.dev', delegation: located }),
    message('Below', 'a.dev', `is below "dev" of Stack/First ${way}`));
  assert.throws(() => new DelegatedSubdomain(stack, 'Above', { subdomain: 'app', parentZone: first }),
    message('Above', 'app', `is above "one.app" of Stack/App ${way}`));
});

test('a wrong tag that Tags.of() adds is an error at synth', () => {
  const stack = stackWithFunctions();
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
  subdomain.certificate('Certificate');
  Tags.of(stack).add('aws:x', 'y', { includeResourceTypes: ['Custom::DelegatedSubdomain', 'Custom::SubdomainCertificate'] });
  const sentence = (type: string) => `tags must have keys of 1 to 128 characters that do not start with "aws:" or "zone-delegation:", but it is "aws:x". ${
    ''}(Tags.of().add() excludes the resource with { excludeResourceTypes: ['Custom::${type}'] })`;
  assert.throws(() => Template.fromStack(stack), ({ message }: Error) =>
    message.includes(`[Stack/Subdomain] ${sentence('DelegatedSubdomain')}`) && message.includes(`[Stack/Subdomain/Certificate] ${sentence('SubdomainCertificate')}`));
});

const wrongCertificates: [RegExp, CertificateOptions][] = [
  [/^domainName must be in one of the zones example\.com, but it is "example\.org"\.$/, { domainName: 'example.org' }],
  [/^domainName must be in one of the zones example\.com, but it is "notexample\.com"\.$/, { domainName: 'notexample.com' }],
  [/^domainName must be labels of/, { domainName: 'a.*.example.com' }],
  [/^domainName must not be longer than 64 characters/, { domainName: `${'a'.repeat(60)}.example.com` }],
  [/^subjectAlternativeNames must be in one of the zones/, { subjectAlternativeNames: ['*.com'] }],
  [/^subjectAlternativeNames must not be more than 99 names, but it is 100\.$/, { subjectAlternativeNames: Array(100).fill('example.com') }],
  [/^region must be the name of a Region/, { region: 'virginia' }],
  [/^export must be true or false, but it is "true"\.$/, { export: untyped('true') }],
  [/^formerLogicalIds must be logical ids of resources of the stack, .*, but it is "a-b"\.$/, { formerLogicalIds: ['a-b'] }],
  [/^keyAlgorithm must be RSA_2048, EC_prime256v1, EC_secp384r1: ACM requests no other, but it is "EC_secp521r1"\.$/, { keyAlgorithm: KeyAlgorithm.EC_SECP521R1 }],
  [/^serviceTimeout must be 1 to 3,600 whole seconds/, { serviceTimeout: Duration.seconds(0) }],
  [/^tags must have keys/, { tags: { 'zone-delegation:stack-id': '' } }],
  [/^keyAlgorithm must be a KeyAlgorithm of/, { keyAlgorithm: untyped('EC_prime256v1') }],
  [/^validationRecordsOnDelete must be "Keep" or "Delete", but it is "delete"\.$/, { validationRecordsOnDelete: untyped('delete') }],
  [/^subjectAlternativeNames must be a list of names, but it is "www\.example\.com"\.$/, { subjectAlternativeNames: untyped('www.example.com') }],
  [/^subjectAlternativeNames must be a string, but it is 5\.$/, { subjectAlternativeNames: untyped([5]) }],
  [/^additionalZones must be a list of hosted zones, but it is "Z1"\.$/, { additionalZones: untyped('Z1') }],
  [/^additionalZones\[0\] must be a hosted zone of aws-route53, but it is "Z1"\.$/, { additionalZones: untyped(['Z1']) }],
  [/^additionalZones\[0\] is missing\.$/, { additionalZones: untyped([undefined]) }],
  [/^domainName must be a string, but it is 5\.$/, { domainName: untyped(5) }],
  [/^domainName must be labels .*; "\*" is none, but it is "\*\.\*\.example\.com"\.$/, { domainName: '*.*.example.com' }],
  [/^domainName must not have "_", which no certificate can have, but it is "a_b\.example\.com"\.$/, { domainName: 'a_b.example.com' }],
  [/^tags\.a&b must be letters, digits, spaces and .*, in key and value, but it is ""\.$/, { tags: { 'a&b': '' } }],
  [/^tags\.a must be letters, .*, but it is "b&c"\.$/, { tags: { a: 'b&c' } }],
  [/^tags must be an object of strings, but it is "x"\.$/, { tags: untyped('x') }],
];
wrongCertificates.forEach(([message, options], index) => test(`a wrong prop of a certificate is named (${index}): ${message.source}`, () => {
  const stack = stackWithFunctions();
  assert.throws(() => new SubdomainCertificate(stack, 'Certificate', { zone: importedZone(stack), ...options }), { name: 'PropError', message });
}));

test('a certificate requires a public zone', () => {
  const stack = stackWithFunctions();
  assert.throws(() => new SubdomainCertificate(stack, 'A', { zone: privateZone(stack) }), { message: /^zone must be a public hosted zone/ });
  assert.throws(() => new SubdomainCertificate(stack, 'B', untyped({})), { message: 'zone is missing.' });
});

const wrongSettings: [RegExp, unknown][] = [
  [/^functionSettings must be an object, but it is "x"\.$/, 'x'],
  [/^functionSettings must be an object, but it is null\.$/, null],
  [/^functionSettings\.functionBucket and functionSettings\.functionZips are ways to give the functions: give one of them\.$/, { functionZips, functionBucket: {} }],
  [/^functionSettings\.functionZips must be the path of a folder, but it is 5\.$/, { functionZips: 5 }],
  [/^functionSettings\.manifestPath must be the path of a file, but it is 5\.$/, { manifestPath: 5 }],
  [/^functionSettings\.functionBucket must be a bucket of aws-s3, but it is "bucket"\.$/, { functionBucket: 'bucket' }],
  [/^functionSettings\.functionPrefix must be left out without functionBucket, .*, but it is "1\.0\.0\/"\.$/, { functionPrefix: '1.0.0/' }],
  [/^functionSettings\.architecture must be an Architecture of aws-lambda, .*, but it is "arm64"\.$/, { architecture: 'arm64' }],
  [/^functionSettings\.logRetention must be one of RetentionDays of aws-logs, but it is 8\.$/, { logRetention: 8 }],
  [/^functionSettings\.alarmTopic must be a topic of aws-sns, but it is "arn"\.$/, { alarmTopic: 'arn' }],
  [/^functionSettings\.environment must be an object of strings, but it is \["RUST_LOG"\]\.$/, { environment: ['RUST_LOG'] }],
  [/^functionSettings\.environment\.A-B must have a name that is a letter and then letters, .*, but it is ""\.$/, { environment: { 'A-B': '' } }],
  [/^functionSettings\.environment\.RUST_LOG must be a string, but it is 5\.$/, { environment: { RUST_LOG: 5 } }],
  [/^functionSettings\.environment\.STATE_MACHINE_ARN must be left out, because the constructs set it, but it is "x"\.$/, { environment: { STATE_MACHINE_ARN: 'x' } }],
  [/^functionSettings\.environment\.STACK_ID must be left out, because the constructs set it/, { environment: { STACK_ID: 'x' } }],
  [/^functionSettings\.environment\.MAX_INVOCATION_AGE_SECONDS must be left out/, { environment: { MAX_INVOCATION_AGE_SECONDS: '1' } }],
  [/^functionSettings\.environment\.AWS_REGION must be left out, because Lambda sets it, but it is "x"\.$/, { environment: { AWS_REGION: 'x' } }],
];
wrongSettings.forEach(([message, functionSettings], index) => test(`a wrong setting of the functions is named (${index}): ${message.source}`, () => {
  const settings = untyped<FunctionSettings>(functionSettings);
  assert.throws(() => publishedZone(stackWithFunctions(), { functionSettings: settings }), { name: 'PropError', message });
  assert.throws(() => new DelegatedSubdomain(stackWithFunctions(), 'Subdomain', { subdomain: 'dev', delegation, functionSettings: settings }),
    { name: 'PropError', message });
}));
