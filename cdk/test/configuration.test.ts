import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import { test } from 'node:test';
import { readConfiguration } from '../lib/configuration';
import { ConfigurationError, type ConfigurationProblem } from '../lib/configuration-section';
import { configuration, functionZips } from './template';

function read(changes: { [key: string]: unknown }) {
  const context: { [key: string]: unknown } = { ...configuration, ...changes };
  return readConfiguration((key) => context[key]);
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

test('a configuration in order is read, with its defaults', () => {
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
      applications: [],
      certificateRegion: 'us-east-1',
      externalId: undefined,
      stackName: 'zone-delegation-consumer-dev',
    }],
    architecture: 'arm64',
    functionEnvironment: {},
  });
});

test('lists and objects of the command line are JSON', () => {
  const { consumers, functionEnvironment } = read({
    consumers: '[{"account":"333333333333","names":["QA"]}]',
    functionEnvironment: '{"RUST_LOG":"debug"}',
  });
  assert.deepEqual(consumers.map(({ account, names, stackName }) => [account, names, stackName]),
    [['333333333333', ['qa'], 'zone-delegation-consumer-dev-qa']]);
  assert.deepEqual(functionEnvironment, { RUST_LOG: 'debug' });
});

for (const key of ['instance', 'baseDomain', 'baseHostedZoneId', 'subDomain', 'networkingAccount', 'region', 'consumers']) {
  test(`a missing ${key} is one sentence that names it`, () => {
    assert.deepEqual(problems({ [key]: undefined }), [{ key, message: `${key} is missing.` }]);
  });
}

const wrong: [key: string, changes: { [key: string]: unknown }, message: RegExp][] = [
  ['instance', { instance: 'a.b' }, /^instance must be one label, but it is "a\.b"\.$/],
  ['baseDomain', { baseDomain: 'example.com.' }, /^baseDomain must not end with a dot, but it is "example\.com\."\.$/],
  ['baseHostedZoneId', { baseHostedZoneId: '/hostedzone/Z1' }, /must be the id of a hosted zone/],
  ['subDomain', { subDomain: '*' }, /^subDomain must be labels of .*; "\*" is none, but it is "\*"\.$/],
  ['subDomain', { subDomain: 'a'.repeat(64) }, /must be labels of 1 to 63/],
  ['networkingAccount', { networkingAccount: '123' }, /^networkingAccount must be an account of 12 digits, but it is "123"\.$/],
  ['networkingAccount', { networkingAccount: 111111111111 }, /^networkingAccount must be a string, but it is 111111111111\.$/],
  ['region', { region: 'Frankfurt' }, /must be the name of a Region/],
  ['networkingRegion', { networkingRegion: '' }, /must be the name of a Region/],
  ['organizationId', { organizationId: 'a1b2' }, /must be the id of an organization/],
  ['architecture', { architecture: 'riscv' }, /must be "arm64" or "x86_64"/],
  ['functionEnvironment', { functionEnvironment: { A: 1 } }, /must be an object of strings/],
  ['consumers', { consumers: [] }, /must be a list with at least one entry/],
  ['consumers', { consumers: '[{' }, /must be a list with at least one entry/],
  ['consumers[0]', { consumers: ['222222222222'] }, /must be an object with account, region, names/],
  ['consumers[0].account', { consumers: [{ names: ['dev'] }] }, /^consumers\[0\]\.account is missing\.$/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: [] }] }, /must have at least one name/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: 'dev' }] }, /must be a list, but it is "dev"/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['dev', 'DEV'] }] }, /must have "dev" once/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: ['-dev'] }] }, /"-dev" is none/],
  ['consumers[0].names', { consumers: [{ account: '222222222222', names: [Array(4).fill('a'.repeat(60)).join('.')] }] }, /must leave room for "\.build\.example\.com"/],
  ['consumers[0].name', { consumers: [{ account: '222222222222', name: 'dev' }] }, /^consumers\[0\]\.name is unknown: the keys are account/],
  ['consumers[0].externalId', { consumers: [{ account: '222222222222', externalId: '?' }] }, /must be 2 to 1,224/],
  ['consumers[0].certificateRegion', { consumers: [{ account: '222222222222', certificateRegion: 'x' }] }, /must be the name of a Region/],
  ['consumers[1].account', { consumers: [{ account: '222222222222' }, { account: '222222222222', names: ['qa'] }] }, /one entry\.$/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['dev'] }, { account: '333333333333', names: ['Dev'] }] },
    /^consumers\[1\]\.names has "dev", which is equal to "dev" of consumers\[0\]\.names: whoever holds a name could capture all below it\.$/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['dev'] }, { account: '333333333333', names: ['a.dev'] }] },
    /which is below "dev"/],
  ['consumers[1].names', { consumers: [{ account: '222222222222', names: ['a.dev'] }, { account: '333333333333', names: ['dev'] }] },
    /which is above "a\.dev"/],
];
for (const [key, changes, message] of wrong) {
  test(`a wrong ${key} is one sentence that names it: ${JSON.stringify(changes).slice(0, 100)}`, () => {
    const found = problems(changes);
    assert.deepEqual(found.map((problem) => problem.key), [key]);
    assert.match(found[0]!.message, message);
    assert.ok(found[0]!.message.startsWith(`${key} `));
  });
}

test('all that is wrong is found at once', () => {
  assert.deepEqual(
    problems({ instance: '', region: 1, consumers: [{ account: 'x', names: ['ok'] }, { account: '222222222222', names: ['.'] }] }).map(({ key }) => key),
    ['instance', 'region', 'consumers[0].account', 'consumers[1].names'],
  );
});

test('synth says what is wrong in one sentence, without a stack trace', () => {
  const result = spawnSync(process.execPath, ['--import', 'tsx', 'bin/zone-delegation.ts'], {
    cwd: path.join(__dirname, '..'),
    encoding: 'utf8',
    env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ ...configuration, functionZips, consumers: [{ account: 'x' }] }) },
  });
  assert.equal(result.status, 1);
  assert.equal(result.stderr, 'consumers[0].account must be an account of 12 digits, but it is "x".\n');
  assert.equal(result.stdout, '');
});

test('config:check lists all that is wrong', () => {
  const check = (...words: string[]) => spawnSync(process.execPath, ['--import', 'tsx', 'bin/config-check.ts', ...words], {
    cwd: path.join(__dirname, '..'), encoding: 'utf8',
  });
  assert.deepEqual(check('-c', 'region=x', '-c', 'instance=').stderr.split('\n').map((line) => line.split(' ')[0]), ['instance', 'region', '']);
  assert.deepEqual(check('-c', 'region=x', '-c', 'pipeline={}').stderr.split('\n').map((line) => line.split(' ')[0]),
    ['region', 'pipeline.account', 'pipeline.repository', '']);
  const good = check();
  assert.equal(good.stderr, '');
  assert.match(good.stdout, /^The configuration is in order: build\.example\.com for 222222222222 \(dev\)\.\n$/);
});
