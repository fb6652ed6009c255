import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { readConfiguration } from '../lib/configuration';
import { KEYS } from '../lib/configuration-keys';
import { ConfigurationError, type ConfigurationProblem } from '../lib/configuration-section';
import { plainTemplates } from '../lib/plain-templates';
import { configuration, functionZips, synthesize } from './template';

function read(changes: { [key: string]: unknown }) {
  const context: { [key: string]: unknown } = { ...configuration, ...changes };
  return readConfiguration(context);
}

function problems(changes: { [key: string]: unknown }): ConfigurationProblem[] {
  try {
    read(changes);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

test('a correct configuration is read with its defaults', () => {
  assert.deepEqual(read({ consumers: [{ account: '222222222222' }] }), {
    instance: 'dev',
    baseDomain: 'example.com',
    baseHostedZoneId: 'Z0BASE',
    zoneName: 'build.example.com',
    parameterPrefix: '/zone-delegation/dev',
    networkingAccount: '111111111111',
    networkingRegion: 'us-east-1',
    networkingStackName: 'zone-delegation-networking-dev',
    organizationId: undefined,
    consumers: [{
      account: '222222222222',
      region: 'us-east-1',
      names: ['dev'],
      createdNames: ['dev'],
      applications: [],
      certificateRegion: 'us-east-1',
      externalId: undefined,
      stackName: 'zone-delegation-consumer-dev',
      ttlSeconds: undefined,
      drainSeconds: undefined,
      alarmTopicArn: undefined,
      retainZones: false,
    }],
    architecture: 'arm64',
    functionZips: undefined,
    functionEnvironment: {},
    logRetentionDays: undefined,
    alarmTopicArn: undefined,
    terminationProtection: false,
    retainZones: false,
  });
});

test('lists, objects and numbers of the command line are JSON', () => {
  const { consumers, functionEnvironment, logRetentionDays } = read({
    consumers: '[{"account":"333333333333","names":["QA"]}]',
    functionEnvironment: '{"RUST_LOG":"debug"}',
    logRetentionDays: '30',
  });
  assert.deepEqual(consumers.map(({ account, names, stackName }) => [account, names, stackName]),
    [['333333333333', ['qa'], 'zone-delegation-consumer-dev-qa']]);
  assert.deepEqual([functionEnvironment, logRetentionDays], [{ RUST_LOG: 'debug' }, 30]);
});

for (const key of ['instance', 'baseDomain', 'baseHostedZoneId', 'subDomain', 'networkingAccount', 'region', 'consumers']) {
  test(`a missing ${key} is reported in one sentence that names it`, () => {
    assert.deepEqual(problems({ [key]: undefined }), [{ key, message: `${key} is missing.` }]);
  });
}

const wrong: [key: string, changes: { [key: string]: unknown }, message: RegExp][] = [
  ['instance', { instance: 'a.b' }, /^instance must be one label without "_", but it is "a\.b"\.$/],
  ['instance', { instance: 'a_b', consumers: [{ account: '222222222222', names: ['dev'] }] }, /^instance must be one label without "_", but it is "a_b"\.$/],
  ['instance', { instance: 'a'.repeat(36) }, /^instance must not be longer than 35 characters, but it is "a{36}"\.$/],
  ['baseDomain', { baseDomain: 'example.com.' }, /^baseDomain must not end with a dot, but it is "example\.com\."\.$/],
  ['baseHostedZoneId', { baseHostedZoneId: '/hostedzone/Z1' }, /must be the id of a hosted zone/],
  ['subDomain', { subDomain: '*' }, /^subDomain must be labels of .*; "\*" is none, but it is "\*"\.$/],
  ['subDomain', { subDomain: 'a'.repeat(64) }, /must be labels of 1 to 63/],
  ['subDomain', { subDomain: Array(4).fill('a'.repeat(60)).join('.'), consumers: [{ account: '222222222222' }] }, /must leave room for "\.example\.com" within 253 characters/],
  ['networkingAccount', { networkingAccount: '123' }, /^networkingAccount must be an account of 12 digits, but it is "123"\.$/],
  ['networkingAccount', { networkingAccount: 111111111111 }, /^networkingAccount must be a string, but it is 111111111111\.$/],
  ['region', { region: 'Frankfurt' }, /must be the name of a Region/],
  ['networkingRegion', { networkingRegion: '' }, /^networkingRegion is empty\.$/],
  ['instance', { instance: '' }, /^instance is empty\.$/],
  ['subDomain', { subDomain: 'build.Example.com' }, /^subDomain must be relative to "example\.com", and so not end in it \(write "build"\), but it is "build\.Example\.com"\.$/],
  ['subDomain', { subDomain: 'example.com' }, /must be relative to "example\.com"/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['dev.build.example.com'] }] }, /must be relative to "build\.example\.com", and so not end in it/],
  ['consumers[0].retiredNames', { consumers: [{ account: '222222222222', names: ['dev'], retiredNames: ['dev.build.example.com'] }] }, /must be relative to "build\.example\.com"/],
  ['consumers[0].applications', { consumers: [{ account: '222222222222', applications: ['app1.dev.build.example.com'] }] }, /must be relative to "dev\.build\.example\.com"/],
  ['organizationId', { organizationId: 'a1b2' }, /must be the id of an organization/],
  ['architecture', { architecture: 'riscv' }, /must be "arm64" or "x86_64"/],
  ['functionEnvironment', { functionEnvironment: 'A=1' }, /must be an object of strings, but it is "A=1"\.$/],
  ['functionEnvironment.AB', { functionEnvironment: { AB: 1 } }, /^functionEnvironment\.AB must be a string, but it is 1\.$/],
  ['functionEnvironment.A-B', { functionEnvironment: { 'A-B': '' } }, /must have a name that is a letter and then/],
  ['functionEnvironment.AWS_SESSION_TOKEN', { functionEnvironment: { AWS_SESSION_TOKEN: 'x' } }, /must be left out, because Lambda sets it/],
  ['functionEnvironment.STATE_MACHINE_ARN', { functionEnvironment: { STATE_MACHINE_ARN: 'x' } }, /must be left out, because the constructs set it/],
  ['functionZips', { functionZips: '/Nowhere' }, /^functionZips must be a folder that contains publish-zone\.zip, but it is "\/Nowhere"\.$/],
  ['organisationId', { organisationId: 'o-a1b2c3d4e5' }, /^organisationId is unknown: did you mean organizationId\? The keys are instance, baseDomain, .*, pipeline\.$/],
  ['notify', { notify: ['x@y.z'] }, /^notify is unknown here: it is a key of pipeline\. The keys are instance, /],
  ['names', { names: ['dev'] }, /^names is unknown here: it is a key of an entry of consumers\. The keys are /],
  ['account', { account: '222222222222' }, /^account is unknown here: it is a key of an entry of consumers and of pipeline\. The keys are /],
  ['foo', { foo: 1 }, /^foo is unknown\. The keys are instance, /],
  ['consumers[0].organizationId', { consumers: [{ account: '222222222222', organizationId: 'o-a1b2c3d4e5' }] }, /^consumers\[0\]\.organizationId is unknown here: it is a key of the top level\. /],
  ['netwrokingregion', { netwrokingregion: 'eu-west-1' }, /did you mean networkingRegion\?/],
  ['alarmTopicArn', { alarmTopicArn: 'alarms' }, /^alarmTopicArn must be the ARN of an SNS topic, such as "arn:aws:sns:us-east-1:111111111111:alarms", but it is "alarms"\.$/],
  ['alarmTopicArn', { alarmTopicArn: 'arn:aws:sns:us-east-1:111111111111:alarms:4c1a' }, /must be the ARN of an SNS topic/],
  ['alarmTopicArn', { alarmTopicArn: 'arn:aws:sns:us-east-1:111111111111:Alarms', networkingRegion: 'eu-west-1' },
    /^alarmTopicArn must be of a topic in eu-west-1, since alarms notify only topics of their own Region, but it is "arn:aws:sns:us-east-1:111111111111:Alarms"\.$/],
  ['consumers[0].alarmTopicArn', { consumers: [{ account: '222222222222', region: 'eu-west-1', alarmTopicArn: 'arn:aws:sns:us-east-1:222222222222:a' }] }, /must be of a topic in eu-west-1/],
  ['logRetentionDays', { logRetentionDays: 31 }, /^logRetentionDays must be one of 1, 3, 5, 7, 14, 30, .*, 3653, but it is 31\.$/],
  ['logRetentionDays', { logRetentionDays: 'never' }, /^logRetentionDays must be a whole number, but it is "never"\.$/],
  ['consumers[0].ttlSeconds', { consumers: [{ account: '222222222222', ttlSeconds: -1 }] }, /must be 0 to 2,147,483,647 seconds, but it is -1\.$/],
  ['consumers[0].ttlSeconds', { consumers: [{ account: '222222222222', ttlSeconds: 1.5 }] }, /must be a whole number/],
  ['consumers[0].drainSeconds', { consumers: [{ account: '222222222222', ttlSeconds: 3600 }] }, /^consumers\[0\]\.drainSeconds must be given, 3,480 at most: it is ttlSeconds otherwise, which is 3,600\.$/],
  ['consumers[0].drainSeconds', { consumers: [{ account: '222222222222', drainSeconds: 3481 }] }, /^consumers\[0\]\.drainSeconds must be 0 to 3,480 seconds, but it is 3481\.$/],
  ['consumers', { consumers: [] }, /must be a list with at least one entry/],
  ['consumers', { consumers: '[{"account":"222222222222",}]' }, /^consumers is not JSON: Expected double-quoted property name in JSON at position 27/],
  ['functionEnvironment', { functionEnvironment: '{"A":1' }, /^functionEnvironment is not JSON: Expected ',' or '}' after property value in JSON at position 6/],
  ['consumers[0]', { consumers: ['222222222222'] }, /must be an object with account, region, names/],
  ['consumers[0].account', { consumers: [{ names: ['dev'] }] }, /^consumers\[0\]\.account is missing\.$/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: [] }] }, /must have at least one name/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: 'dev' }] }, /must be a list, but it is "dev"/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['dev', 'DEV'] }] }, /must have "dev" once/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['-dev'] }] }, /"-dev" is none/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: [Array(4).fill('a'.repeat(60)).join('.')] }] }, /must leave room for "\.build\.example\.com"/],
  ['consumers[0].name', { consumers: [{ account: '222222222222', name: 'dev' }] }, /^consumers\[0\]\.name is unknown: did you mean names\? The keys are account, region,/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['dev', 'x.dev'] }] },
    /^consumers\[0\]\.names has "x\.dev", which is below "dev" and so is in its zone: give the upper one alone, and the lower one as one of its applications\.$/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['app1.dev', 'dev'], applications: ['app2'] }] }, /has "app1\.dev", which is below "dev"/],
  ['consumers[0].applications', { consumers: [{ account: '222222222222', applications: ['app', 'x.app'] }] }, /^consumers\[0\]\.applications has "x\.app", which is below "app"/],
  ['consumers[0].applications', { consumers: [{ account: '222222222222', applications: ['a'.repeat(43)] }] },
    /^consumers\[0\]\.applications must leave room for "\.dev\.build\.example\.com" within 64 characters, but it is "a{43}"\.$/],
  ['consumers[0].applications', { consumers: [{ account: '222222222222', applications: ['a_b'] }] },
    /^consumers\[0\]\.applications must give names without "_", which no certificate can have, but it is "a_b"\.$/],
  ['consumers[0].applications', { consumers: [{ account: '222222222222', names: ['dev', 'q_a'], applications: ['app'] }] }, /must give names without "_"/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['a-b', 'ab'] }] },
    /^consumers\[0\]\.names gives the subdomains "a-b" and "ab", whose outputs would have one name: let them differ in letters or digits\.$/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['dev', 'appdev'], applications: ['app'] }] }, /"app\.dev" and "appdev", whose outputs/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: [Array(2).fill('a'.repeat(60)).join('.')] }] },
    /^consumers\[0\]\.names begins with a name that gives the stack the name zone-delegation-consumer-dev-a{60}-a{60}, which is longer than 128 characters\.$/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['a.b'] }, { account: '333333333333', names: ['a-b'] }] },
    /^consumers\[1\]\.names begins with "a-b", which gives the stack the name zone-delegation-consumer-dev-a-b like consumers\[0\]\.names, which begins with "a\.b": let another name be the first\.$/],
  ['consumers[0].retiredNames', { consumers: [{ account: '222222222222', names: ['dev'], retiredNames: ['QA'] }] },
    /^consumers\[0\]\.retiredNames has "qa", which is not in names: leave it there until the consumer's stack has deleted it\.$/],
  ['consumers[0].retiredNames', { consumers: [{ account: '222222222222', names: ['dev', 'qa'], retiredNames: ['dev'] }] },
    /^consumers\[0\]\.retiredNames has "dev", after which the stack is named: set stackName "zone-delegation-consumer-dev" and keep it, so that/],
  ['consumers[0].retiredNames', { retainZones: 'true', consumers: [{ account: '222222222222', names: ['dev', 'qa'], retiredNames: ['qa'] }] },
    /^consumers\[0\]\.retiredNames has "qa", whose zone retainZones keeps: set retainZones of the entry to false and deploy, then retire the name\.$/],
  ['terminationProtection', { terminationProtection: 'yes' }, /^terminationProtection must be true or false, but it is "yes"\.$/],
  ['consumers[0].retainZones', { consumers: [{ account: '222222222222', retainZones: 1 }] }, /^consumers\[0\]\.retainZones must be true or false, but it is 1\.$/],
  ['consumers[0].retiredNames', { consumers: [{ account: '222222222222', retiredNames: 'dev' }] }, /must be a list, but it is "dev"\.$/],
  ['consumers[0].retiredNames', { consumers: [{ account: '222222222222', retiredNames: ['dev', 'DEV'] }] }, /must have "dev" once/],
  ['consumers[0].retiredNames', { consumers: [{ account: '222222222222', retiredNames: ['*'] }] }, /"\*" is none/],
  ['consumers[0].retiredName', { consumers: [{ account: '222222222222', retiredName: ['dev'] }] }, /is unknown: did you mean retiredNames\?/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['qa', 'dev'], retiredNames: ['dev'] }, { account: '333333333333', names: ['dev'] }] },
    /has "dev", which consumers\[0\]\.names has too/],
  ...['a', 'zone-delegation-networking-dev', 'zone-delegation-consumer-dev2', 'zone-delegation-consumer-dev-A', 'zone-delegation-consumer-dev-a_b',
    `zone-delegation-consumer-dev-${'a'.repeat(100)}`].map((stackName): typeof wrong[number] => ['consumers[0].stackName',
    { consumers: [{ account: '222222222222', stackName }] },
    /^consumers\[0\]\.stackName must be "zone-delegation-consumer-dev", or that and "-" and lower-case letters, digits and "-", 128 characters at most, but it is/]),
  ['consumers[1].stackName', { consumers: [{ account: '222222222222' }, { account: '333333333333', names: ['qa'], stackName: 'zone-delegation-consumer-dev' }] },
    /^consumers\[1\]\.stackName gives the stack the name zone-delegation-consumer-dev, which is that of consumers\[0\] too: give it a stackName of its own\.$/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['qa'], stackName: 'zone-delegation-consumer-dev' }, { account: '333333333333' }] },
    /^consumers\[1\]\.names gives the stack the name zone-delegation-consumer-dev, which is that of consumers\[0\] too/],
  ['consumers[0].externalId', { consumers: [{ account: '222222222222', externalId: '?' }] }, /must be 2 to 1,224/],
  ['consumers[0].certificateRegion', { consumers: [{ account: '222222222222', certificateRegion: 'x' }] }, /must be the name of a Region/],
  ['consumers[1].account', { consumers: [{ account: '222222222222' }, { account: '222222222222', names: ['qa'] }] }, /one entry\.$/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['dev'] }, { account: '333333333333', names: ['Dev'] }] },
    /^consumers\[1\]\.names has "dev", which consumers\[0\]\.names has too: the owner of a name could capture all names below it\.$/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['dev'] }, { account: '333333333333', names: ['a.dev'] }] },
    /which is below "dev"/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['a.dev'] }, { account: '333333333333', names: ['dev'] }] },
    /which is above "a\.dev"/],
];
for (const [key, changes, message] of wrong) {
  test(`a wrong ${key} is reported in one sentence that names it: ${JSON.stringify(changes).slice(0, 100)}`, () => {
    const found = problems(changes);
    assert.deepEqual(found.map((problem) => problem.key), [key]);
    assert.match(found[0]!.message, message);
    assert.ok(found[0]!.message.startsWith(`${key} `));
  });
}

test('a retired name is not created any longer, and changes nothing else', () => {
  const consumer = { account: '222222222222', names: ['qa', 'dev', 'a-b'] };
  const [standing, retired] = [read({ consumers: [consumer] }), read({ consumers: [{ ...consumer, retiredNames: ['a-b', 'Dev'] }] })];
  assert.deepEqual(retired.consumers, [{ ...standing.consumers[0], createdNames: ['qa'] }]);
});

test('rules of created names do not apply to retired names', () => {
  const names = ['dev', 'a_b', 'd-ev'];
  assert.deepEqual(problems({ consumers: [{ account: '222222222222', names, retiredNames: ['a_b', 'd-ev'], applications: ['app1'] }] }), []);
});

test('the first name of a stack may be retired if the stack keeps its name, or if all names are', () => {
  const names = ['dev', 'qa'];
  const [kept, all] = [{ retiredNames: ['dev'], stackName: 'zone-delegation-consumer-dev-team-a' }, { retiredNames: names }]
    .map((changes) => read({ consumers: [{ account: '222222222222', names, ...changes }] }).consumers[0]!);
  assert.deepEqual([kept!.stackName, kept!.createdNames, all!.stackName, all!.createdNames], ['zone-delegation-consumer-dev-team-a', ['qa'], 'zone-delegation-consumer-dev', []]);
});

test('docs/reference.md has every key of the settings, and the settings in docs/deploy.md are correct', () => {
  const page = (name: string) => readFileSync(path.join(__dirname, '..', '..', 'docs', name), 'utf8');
  const prefixes = ['', 'consumers[].', 'pipeline.'];
  const keys = Object.values(KEYS).flatMap((part, index) => part.map((key) => `${prefixes[index]!}${key}`));
  const [, settings] = /\n## Settings of the app\n(.*?)\n## /s.exec(page('reference.md'))!;
  const documented = [...settings!.matchAll(/^\| `([^`]+)` \| /gm)].map(([, key]) => key!);
  assert.deepEqual(documented.sort(), keys.sort());
  const consumers = [...page('deploy.md').matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text!) as unknown);
  assert.ok(consumers.length > 0);
  assert.deepEqual(problems({ consumers }), []);
});

test('docs/reference.md has every parameter of the plain templates', () => {
  const page = readFileSync(path.join(__dirname, '..', '..', 'docs', 'reference.md'), 'utf8');
  const [, table] = /\n## Parameters of the plain templates\n(.*?)\n## /s.exec(page)!;
  const cells = [...table!.matchAll(/^\| (`[^|]*) \| /gm)].flatMap(([, cell]) => [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!));
  const parameters = Object.values(plainTemplates()).flatMap((template) => Object.keys((template as { Parameters: object }).Parameters));
  const inTable = (name: string) => name.replace(/^Consumer[1-5](?=[A-Z])/, 'Consumer1');
  assert.deepEqual([...new Set(cells.map(inTable))].sort(), [...new Set(parameters.map(inTable))].sort());
});

test('the CDK\'s own context is no key of the configuration', () => {
  assert.deepEqual(problems({
    '@aws-cdk/core:x': true, 'aws:cdk:y': true, 'hosted-zone:account=1:domainName=example.com:region=us-east-1': {}, 'cli-telemetry': false,
  }), []);
});

test('names and applications of the greatest length are accepted', () => {
  const consumers = [
    { account: '222222222222', names: ['dev'], applications: ['a'.repeat(42)] }, { account: '333333333333', names: [`${'q'.repeat(60)}.${'q'.repeat(6)}`] },
  ];
  assert.equal(Object.keys(synthesize({ instance: 'a'.repeat(35), consumers })).length, 3);
});

/** Returns this number of names, each a label. */
function several(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n${index}`);
}

test('as many names, applications and consumers as a stack can have are accepted, and one more is reported', () => {
  const account = '222222222222';
  const consumersOf = (count: number) => several(count).map((name, index) => ({ account: String(100_000_000_000 + index), names: [name] }));
  for (const most of [[{ account, names: several(100) }], [{ account, names: several(40), applications: ['a'] }], [{ account, names: several(1), applications: several(66) }]]) {
    const outputs = synthesize({ consumers: most })['zone-delegation-consumer-dev-n0']!.findOutputs('*');
    assert.equal(Object.keys(outputs).length, 200);
  }
  const networking = synthesize({ consumers: consumersOf(197) })['zone-delegation-networking-dev']!;
  assert.equal(Object.keys(networking.findOutputs('*')).length, 200);
  assert.deepEqual([
    { consumers: [{ account, names: several(101) }] }, { consumers: [{ account, names: several(12), applications: several(5).map((name) => `a${name}`) }] },
    { consumers: consumersOf(198) },
  ].flatMap(problems).map(({ message }) => message), [
    'consumers[0].names gives 202 outputs, and a stack has 200 at most (101 names with 2 each).',
    'consumers[0].applications gives 204 outputs, and a stack has 200 at most (12 names with 2 each, and 5 applications below each name with 3 each).',
    'consumers must have 197 entries at most, because the networking stack has an output for each, but it has 198.',
  ]);
});

test('a description that would be too long has the number of names', () => {
  const label = 'a'.repeat(60);
  const templates = synthesize({ baseDomain: `${label}.${label}.${label}.${label}.com`, subDomain: 'b', consumers: [{ account: '222222222222', names: ['d'] }] });
  const names = several(100).map((name) => `${name}-of-a-team`);
  const { 'zone-delegation-consumer-dev-n0-of-a-team': many } = synthesize({ consumers: [{ account: '222222222222', names }] });
  assert.equal(many!.toJSON()['Description'], '100 subdomains of build.example.com');
  assert.match(String(templates['zone-delegation-networking-dev']!.toJSON()['Description']), /^Delegates b\.a.* and publishes it$/);
});

test('all mistakes are reported at once', () => {
  assert.deepEqual(
    problems({ instance: '', region: 1, consumers: [{ account: 'x', names: ['ok'] }, { account: '222222222222', names: ['.'] }] }).map(({ key }) => key),
    ['instance', 'region', 'consumers[0].account', 'consumers[1].names'],
  );
});

test('synth reports a mistake in one sentence, without a stack trace', () => {
  const result = spawnSync(process.execPath, ['--import', 'tsx', 'bin/zone-delegation.ts'], {
    cwd: path.join(__dirname, '..'),
    encoding: 'utf8',
    env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ ...configuration, functionZips, consumers: [{ account: 'x' }] }) },
  });
  assert.equal(result.status, 1);
  assert.equal(result.stderr, 'consumers[0].account must be an account of 12 digits, but it is "x".\n');
  assert.equal(result.stdout, '');
});
