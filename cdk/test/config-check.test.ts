import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { commandLineContext } from '../bin/command-line-context';
import { configuration } from './template';

const cdk = path.join(__dirname, '..');
const folders: string[] = [];
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

/** Returns a folder with these files. No test depends on the content of cdk/cdk.json, which is the user's. */
function folderWith(files: { readonly [name: string]: unknown }): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'config-check-'));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

const home = folderWith({});

/** Runs `npm run config:check` in a folder. */
function checkIn(folder: string, ...words: string[]) {
  const tsx = pathToFileURL(require.resolve('tsx')).href;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', tsx, path.join(cdk, 'bin', 'config-check.ts'), ...words], {
    cwd: folder, encoding: 'utf8', env: { ...process.env, HOME: home },
  });
  return { status, stdout, stderr };
}

const standard = folderWith({ 'cdk.json': { context: configuration } });

test('all mistakes are listed', () => {
  const keys = (...words: string[]) => checkIn(standard, ...words).stderr.split('\n').map((line) => line.split(' ')[0]);
  assert.deepEqual(keys('-c', 'region=x', '-c', 'instance='), ['instance', 'region', '']);
  assert.deepEqual(keys('-c', 'region=x', '-c', 'pipeline={}'), ['region', 'pipeline.account', 'pipeline.repository', '']);
  assert.deepEqual(keys('-c', 'region=x', '-c', 'pipeline={'), ['region', 'pipeline', '']);
  assert.match(checkIn(standard, '--context=organisationId=o-a1b2c3d4e5').stderr, /^organisationId is unknown: did you mean organizationId\? /);
});

test('a correct configuration is shown', () => {
  const consumers = [{ account: '222222222222', names: ['dev', 'qa'], retiredNames: ['qa'] }, { account: '333333333333', names: ['x'], retiredNames: ['x'] }];
  assert.deepEqual(checkIn(standard, '-c', `consumers=${JSON.stringify(consumers)}`), {
    status: 0,
    stdout: 'The configuration is in order: build.example.com by zone-delegation-networking-dev in 111111111111, ' +
      'dev by zone-delegation-consumer-dev in 222222222222 (retired: qa), no name by zone-delegation-consumer-dev-x in 333333333333 (retired: x).\n',
    stderr: '',
  });
});

test('any other correct configuration is accepted', () => {
  const context = {
    instance: 'prod', baseDomain: 'corp.test', baseHostedZoneId: 'Z0123456789', subDomain: 'apps', networkingAccount: '999999999999', region: 'eu-central-1',
    networkingRegion: 'eu-west-1', organizationId: 'o-a1b2c3d4e5', consumers: [{ account: '888888888888', names: ['shop'] }],
    pipeline: { account: '777777777777', repository: 'zone-delegation' },
  };
  assert.deepEqual(checkIn(folderWith({ 'cdk.json': { context } })), {
    status: 0,
    stdout: 'The configuration is in order: apps.corp.test by zone-delegation-networking-prod in 999999999999, shop by zone-delegation-consumer-prod-shop in 888888888888.\n',
    stderr: '',
  });
});

test('cdk.json is correct', () => {
  assert.deepEqual({ ...checkIn(cdk), stdout: '' }, { status: 0, stdout: '', stderr: '' });
});

test('a file that cannot be read is reported in one sentence', () => {
  for (const file of ['cdk.json', 'cdk.context.json']) {
    const { status, stderr, stdout } = checkIn(folderWith({ [file]: '{"context": {},}' }));
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, new RegExp(`^${file} is not JSON: Expected double-quoted property name in JSON at position 15.*\\.\\n$`));
  }
  assert.equal(checkIn(standard, '-c', 'region').stderr, '-c must be key=value, but it is "region".\n');
  assert.equal(checkIn(standard, '--contxt', 'a=b').stderr, "Unknown option '--contxt'. Usage: npm run config:check -- [-c key=value]...\n");
});

test('the context is that of the CDK\'s command line', () => {
  const words = ['a=line', 'object={"k":"line"}', 'equals=a=b', 'empty='];
  const folder = folderWith({
    'app.js': 'require("fs").writeFileSync("context.json", process.env.CDK_CONTEXT_JSON); process.exit(1)',
    'cdk.json': { app: 'node app.js', context: { a: 'app', b: 'app', nested: { both: 'app', app: { x: 1 } }, list: [1], mixed: 'app' } },
    'cdk.context.json': { a: 'looked up', b: 'looked up', c: 'looked up', nested: { both: 'looked up', lookedUp: 1, app: { y: 1 } }, list: [2, 3], mixed: { k: 1 } },
  });
  const own = folderWith({ '.cdk.json': { context: { a: 'own', b: 'own', c: 'own', d: 'own', nested: { own: 1 } } } });
  spawnSync(process.execPath, [path.join(cdk, 'node_modules', 'aws-cdk', 'bin', 'cdk'), 'list', '--no-notices', ...words.flatMap((word) => ['-c', word])], {
    cwd: folder, env: { ...process.env, HOME: own, CDK_DISABLE_CLI_TELEMETRY: 'true', CDK_HOME: own },
  });
  const seen = JSON.parse(readFileSync(path.join(folder, 'context.json'), 'utf8')) as object;
  const before = process.env['HOME'];
  process.env['HOME'] = own;
  const context = commandLineContext(folder, words);
  process.env['HOME'] = before;
  assert.deepEqual(context, Object.fromEntries(Object.entries(seen).filter(([key]) => !key.includes(':'))));
});
