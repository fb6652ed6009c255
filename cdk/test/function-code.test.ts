import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
import { functionZips, resourceOf } from './template';

const workspace = mkdtempSync(path.join(tmpdir(), 'workspace-'));
after(() => rmSync(workspace, { recursive: true }));
const manifestPath = path.join(workspace, 'Cargo.toml');
mkdirSync(workspace, { recursive: true });
writeFileSync(manifestPath, '[workspace]\nmembers = []\n');

function stackWith(functionSettings: FunctionSettings, context: { [key: string]: unknown } = {}): Stack {
  // No stack is bundled: what cargo-lambda makes of the workspace is not this test's matter.
  const stack = new Stack(new App({ context: { 'aws:cdk:bundling-stacks': [], ...context } }), 'Stack');
  const zone = new PublishedZone(stack, 'PublishedZone', { zoneName: 'example.com', parameterPrefix: '/x', functionSettings });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', parentZone: zone.zone, functionSettings });
  return stack;
}

function functionsOf(stack: Stack): lambda.Function[] {
  return stack.node.findAll().filter((construct) => construct instanceof lambda.Function);
}

test('without prebuilt functions they are built from the workspace', () => {
  const functions = functionsOf(stackWith({ manifestPath }));
  assert.equal(functions.length, 2);
  assert.ok(functions.every((one) => one instanceof RustFunction));
  assert.ok(functions.every((one) => one.architecture === lambda.Architecture.ARM_64));
});

test('prebuilt functions come from the settings or from the context', () => {
  for (const stack of [stackWith({ functionZips }), stackWith({}, { functionZips }), stackWith({ functionZips }, { functionZips: '/nowhere' })]) {
    assert.ok(functionsOf(stack).every((one) => !(one instanceof RustFunction)));
    Template.fromStack(stack).allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'provided.al2023', Handler: 'bootstrap', MemorySize: 256, Timeout: 900, Architectures: ['arm64'],
    });
  }
});

test('a workspace that is not there is named', () => {
  assert.throws(() => stackWith({ manifestPath: '/nowhere/Cargo.toml' }),
    /^PropError: manifestPath must be the Cargo\.toml of the functions' workspace .*, but it is "\/nowhere\/Cargo\.toml"\.$/);
});

test('settings arrive', () => {
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
  assert.deepEqual(Object.keys(Environment.Variables), ['DNS_NAME_SERVERS', 'STATE_MACHINE_ARN', 'MAX_INVOCATION_AGE_SECONDS']);
});
