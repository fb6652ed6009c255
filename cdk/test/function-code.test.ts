import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import { RustFunction } from 'cargo-lambda-cdk';
import { DelegatedSubdomain, type FunctionSettings, PublishedZone } from '../lib';
import { packagedFunctions, packageRoot } from '../lib/packaged-functions';
import { functionZips, resourceOf } from './template';

const workspace = mkdtempSync(path.join(tmpdir(), 'workspace-'));
after(() => rmSync(workspace, { recursive: true }));
const manifestPath = path.join(workspace, 'Cargo.toml');
writeFileSync(manifestPath, '[workspace]\nmembers = []\n');

// A fake cargo records where and how it is called, and writes the requested binary. The construct searches for cargo-lambda once per process, so
// the fake exists from the start.
const calls = path.join(workspace, 'calls');
const tools = path.join(workspace, 'tools');
mkdirSync(tools);
writeFileSync(path.join(tools, 'cargo'), `#!/bin/sh
[ "$2" = --version ] && exit "\${CARGO_LAMBDA_STATUS:-0}"
echo "$PWD: $*" >> '${calls}'
echo "$8" > "$4/bootstrap"
`, { mode: 0o755 });
process.env['PATH'] = [tools, process.env['PATH']].join(path.delimiter);

function stackWith(functionSettings: FunctionSettings, context: { [key: string]: unknown } = {}): Stack {
  // No stack is bundled unless a test requests it.
  const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [], ...context } }), 'Stack');
  const zone = new PublishedZone(stack, 'PublishedZone', { zoneName: 'example.com', parameterPrefix: '/x', functionSettings });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', parentZone: zone.zone, functionSettings });
  return stack;
}

function functionsOf(stack: Stack): lambda.Function[] {
  return stack.node.findAll().filter((construct) => construct instanceof lambda.Function);
}

test('without prebuilt functions they are built from the workspace', () => {
  const functions = functionsOf(stackWith({ manifestPath }, { functionZips: '/nowhere' }));
  assert.equal(functions.length, 2);
  assert.ok(functions.every((one) => one instanceof RustFunction));
  assert.ok(functions.every((one) => one.architecture === lambda.Architecture.ARM_64));
});

test('cargo-lambda makes the release build of one package with the locked versions, in the workspace', () => {
  for (const architecture of [undefined, lambda.Architecture.X86_64]) {
    const stack = stackWith({ manifestPath, architecture }, { 'aws:cdk:bundling-stacks': ['**'] });
    const { directory } = (stack.node.root as App).synth();
    for (const [id, { Properties }] of Object.entries(Template.fromStack(stack).findResources('AWS::Lambda::Function'))) {
      const asset = (Properties as { Code: { S3Key: string } }).Code.S3Key.replace(/^(.*)\.zip$/, 'asset.$1');
      assert.equal(readFileSync(path.join(directory, asset, 'bootstrap'), 'utf8').trim(),
        id.includes('PublishZone') ? 'publish-zone' : 'delegate-subdomain');
    }
  }
  const expected = ['--arm64', '--x86-64'].flatMap((architecture) => ['publish-zone', 'delegate-subdomain'].map((name) =>
    `${workspace}: lambda build --lambda-dir OUT --release ${architecture} --bin ${name} --flatten ${name} --locked --package ${name}`));
  assert.deepEqual(readFileSync(calls, 'utf8').trim().split('\n').map((call) => call.replace(/(--lambda-dir) \S+/, '$1 OUT')), expected);
});

test('a missing cargo-lambda is not replaced by a container', () => {
  const pinned = /^cargo-lambda==(\S+)$/m.exec(readFileSync(path.join(__dirname, '../../tests/emulator/requirements.in'), 'utf8'))?.[0];
  process.env['CARGO_LAMBDA_STATUS'] = '101';
  try {
    assert.throws(() => stackWith({ manifestPath }, { 'aws:cdk:bundling-stacks': ['**'] }), {
      message: `functionZips must be the folder with the prebuilt functions if cargo-lambda, which builds them, is missing: pip install ${pinned}.`,
    });
    // Commands that do not bundle need no compiler: config:check, `cdk list`.
    assert.equal(functionsOf(stackWith({ manifestPath })).length, 2);
  } finally {
    delete process.env['CARGO_LAMBDA_STATUS'];
  }
  assert.ok(readFileSync(path.join(__dirname, '../../docs/get-started.md'), 'utf8').includes(`\`pip install ${pinned}\``));
});

test('prebuilt functions come from the settings or from the context', () => {
  for (const stack of [stackWith({ functionZips }), stackWith({}, { functionZips }), stackWith({ functionZips }, { functionZips: '/nowhere' })]) {
    assert.ok(functionsOf(stack).every((one) => !(one instanceof RustFunction)));
    Template.fromStack(stack).allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'provided.al2023', Handler: 'bootstrap', MemorySize: 256, Timeout: 900, Architectures: ['arm64'],
    });
  }
});

test('a package contains its functions, a checkout builds them', () => {
  const root = path.join(workspace, 'package');
  const folder = path.join(root, 'functions', 'arm64');
  mkdirSync(folder, { recursive: true });
  // The workspace's Cargo.toml is beside it.
  assert.equal(packagedFunctions('arm64', root), undefined);
  const installed = path.join(workspace, 'node_modules', 'zone-delegation');
  mkdirSync(path.join(installed, 'functions', 'arm64'), { recursive: true });
  assert.equal(packagedFunctions('arm64', installed), path.join(installed, 'functions', 'arm64'));
  assert.equal(packagedFunctions('x86_64', installed), undefined);
  assert.equal(packageRoot(path.join(__dirname, '..', 'lib')), path.join(__dirname, '..'));
});

test('a missing folder is named with its complete path', () => {
  assert.throws(() => stackWith({ functionZips: 'nowhere' }), { message: `functionZips must be a folder that contains publish-zone.zip, but it is "${path.resolve('nowhere')}".` });
});

test('a missing workspace is named', () => {
  assert.throws(() => stackWith({ manifestPath: '/nowhere/Cargo.toml' }),
    /^PropError: functionSettings\.manifestPath must be the Cargo\.toml of the functions' workspace, but it is "\/nowhere\/Cargo\.toml"\.$/);
});

test('every setting of a function is used', () => {
  const topicStack = new Stack(new App(), 'Topics');
  const stack = stackWith({
    functionZips,
    architecture: lambda.Architecture.X86_64,
    logRetention: logs.RetentionDays.ONE_WEEK,
    environment: { DNS_NAME_SERVERS: '127.0.0.1:5353' },
    alarmTopic: sns.Topic.fromTopicArn(topicStack, 'Topic', 'arn:aws:sns:us-east-1:111111111111:alarms'),
  });
  const template = Template.fromStack(stack);
  template.allResourcesProperties('AWS::Lambda::Function', { Architectures: ['x86_64'] });
  template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 7 });
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: ['arn:aws:sns:us-east-1:111111111111:alarms'] });
  const { Environment } = resourceOf(template, 'AWS::Lambda::Function', 'DelegateSubdomain').Properties as { Environment: { Variables: object } };
  assert.deepEqual(Object.keys(Environment.Variables), ['DNS_NAME_SERVERS', 'STATE_MACHINE_ARN', 'STACK_ID', 'MAX_INVOCATION_AGE_SECONDS']);
});
