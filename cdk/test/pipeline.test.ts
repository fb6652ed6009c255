import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { App, type Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ConfigurationError } from '../lib/configuration-section';
import { readPipelineConfiguration } from '../lib/pipeline-configuration';
import { connectionArn, consumers, pipeline, pipelineIn, pipelineStack } from './pipeline';
import { functionZips, readable, resourceOf, resourcesOf, statementsOf, synthesize } from './template';

interface Stages { Name: string; Actions: { Name: string; ActionTypeId: { Provider: string }; Configuration: { [name: string]: string }; RunOrder: number }[] }

function stagesOf(stack: Stack): Stages[] {
  return resourceOf(Template.fromStack(stack), 'AWS::CodePipeline::Pipeline').Properties['Stages'] as Stages[];
}

test('the pipeline is of type V2, deploys networking first, then all consumers at once', () => {
  const stack = pipelineStack();
  Template.fromStack(stack).hasResourceProperties('AWS::CodePipeline::Pipeline', { PipelineType: 'V2', RestartExecutionOnUpdate: true });
  const stages = stagesOf(stack);
  assert.deepEqual(stages.map(({ Name }) => Name), ['Source', 'Build', 'UpdatePipeline', 'Assets', 'Networking', 'Consumers']);
  assert.deepEqual(stages.at(-1)?.Actions.map(({ Name, RunOrder }) => [Name, RunOrder]), [
    ['Consumer222222222222.zone-delegation-consumer-dev.Prepare', 1],
    ['Consumer333333333333.zone-delegation-consumer-dev-qa.Prepare', 1],
    ['Consumer222222222222.zone-delegation-consumer-dev.Deploy', 2],
    ['Consumer333333333333.zone-delegation-consumer-dev-qa.Deploy', 2],
  ]);
});

test('the stack of a consumer whose names are all retired stays in the pipeline, which deletes them', () => {
  const retired = consumers.map((consumer) => ({ ...consumer, retiredNames: consumer.names }));
  const deployed = (of: unknown[]) => stagesOf(pipelineIn(new App({ context: { functionZips } }), {}, of)).at(-1)?.Actions.map(({ Name }) => Name);
  assert.deepEqual(deployed(retired), deployed(consumers));
});

test('the source is a connection, or CodeCommit without one', () => {
  const connection = stagesOf(pipelineStack())[0]!.Actions[0]!;
  assert.equal(connection.ActionTypeId.Provider, 'CodeStarSourceConnection');
  assert.deepEqual([connection.Configuration['ConnectionArn'], connection.Configuration['FullRepositoryId'], connection.Configuration['BranchName']],
    [connectionArn, 'Owner/zone-delegation', 'main']);
  const codeCommit = stagesOf(pipelineStack({ connectionArn: undefined, repository: 'zone-delegation', branch: 'Release' }))[0]!.Actions[0]!;
  assert.equal(codeCommit.ActionTypeId.Provider, 'CodeCommit');
  assert.deepEqual([codeCommit.Configuration['RepositoryName'], codeCommit.Configuration['BranchName']], ['zone-delegation', 'Release']);
});

test('the source may use its connection, by an action of the same service as the ARN\'s', () => {
  for (const service of ['codeconnections', 'codestar-connections']) {
    const arn = `arn:aws:${service}:us-east-1:444444444444:connection/0000`;
    const statements = Object.entries(statementsOf(Template.fromStack(pipelineStack({ connectionArn: arn }))))
      .filter(([id]) => /^PipelineSource.*CodePipelineActionRoleDefaultPolicy/.test(id)).flatMap(([, of]) => of);
    const actions = statements.filter(({ Resource }) => Resource === arn).flatMap(({ Action }) => Action);
    assert.ok(actions.includes(`${service}:UseConnection`), actions.join());
  }
});

test('a deleted pipeline leaves its two buckets', () => {
  const retained = Object.values(Template.fromStack(pipelineStack()).toJSON()['Resources'] as { [id: string]: { Type: string; DeletionPolicy?: string } })
    .filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain').map(({ Type }) => Type);
  assert.deepEqual(retained, ['AWS::S3::Bucket', 'AWS::S3::Bucket']);
});

test('tests and build are separate steps with a checked Rust, and share no build results', () => {
  const specOf = (id: string) => {
    const { Properties } = resourceOf(Template.fromStack(pipelineStack()), 'AWS::CodeBuild::Project', id);
    assert.equal((Properties['Cache'] as { Type: string }).Type, 'S3');
    return JSON.parse((Properties['Source'] as { BuildSpec: string }).BuildSpec) as {
      phases: { install: { commands: string[] }; build: { commands: string[] } }; cache: { paths: string[] };
    };
  };
  const [build, test] = [specOf('BuildSynthesize'), specOf('NetworkingTest')];
  assert.deepEqual(test.phases.build.commands, ['cargo xtask test']);
  for (const { phases, cache } of [build, test]) {
    assert.match(phases.install.commands[0]!, /^\.github\/install-rust\.sh /);
    assert.deepEqual(cache.paths, ['/root/.cargo/registry/cache/**/*', '/root/.npm/**/*']);
  }
});

test('the pipeline runs the same tools as a person', () => {
  const { devDependencies } = JSON.parse(readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8')) as { devDependencies: { 'aws-cdk': string } };
  const rust = readFileSync(path.join(__dirname, '..', '..', 'Cargo.toml'), 'utf8').match(/^rust-version = "(.*)"$/m)?.[1];
  const specs = Object.values(Template.fromStack(pipelineStack()).findResources('AWS::CodeBuild::Project'))
    .map(({ Properties }) => (Properties as { Source: { BuildSpec?: string } }).Source.BuildSpec ?? '').join('\n');
  assert.deepEqual([...new Set(specs.match(/aws-cdk@[\d.]+/g))], [`aws-cdk@${devDependencies['aws-cdk']}`]);
  const installed = readFileSync(path.join(__dirname, '..', '..', '.github', 'install-rust.sh'), 'utf8');
  assert.equal(/^version=(.*)$/m.exec(installed)?.[1], `${rust}.0`);
});

test('a failure is reported by e-mail, over an encrypted topic whose key rotates', () => {
  const template = Template.fromStack(pipelineStack());
  template.hasResourceProperties('AWS::Events::Rule', {
    EventPattern: { source: ['aws.codepipeline'], 'detail-type': ['CodePipeline Pipeline Execution State Change'], detail: { state: ['FAILED'] } },
  });
  template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'team@example.com' });
  const key = resourceOf(template, 'AWS::KMS::Key', 'Notifications').Properties;
  assert.equal(key['EnableKeyRotation'], true);
  assert.match(JSON.stringify(key['KeyPolicy']), /"kms:GenerateDataKey\*"\],"Effect":"Allow","Principal":\{"Service":"events\.amazonaws\.com"\}/);
  assert.match(String((readable(resourceOf(template, 'AWS::SNS::Topic').Properties) as { KmsMasterKeyId: string }).KmsMasterKeyId), /^\$\{NotificationsKey/);
});

test('the pipeline deploys the same stacks as a person', () => {
  const byHand = synthesize({ consumers });
  const stages = pipelineStack().node.children.filter(Stage.isStage);
  const stacks = stages.flatMap((stage) => stage.synth().stacks);
  assert.deepEqual(stacks.map(({ stackName }) => stackName), Object.keys(byHand));
  for (const { stackName, template } of stacks) {
    const withoutPaths = (resources: unknown) => JSON.parse(JSON.stringify(resources, (key, value: unknown) => (key === 'Metadata' ? undefined : value))) as unknown;
    assert.deepEqual(withoutPaths((template as { Resources: unknown }).Resources), withoutPaths(resourcesOf(byHand[stackName]!)));
  }
});

const wrong: [string, unknown, RegExp][] = [
  ['pipeline', undefined, /^pipeline is missing\.$/],
  ['pipeline', 'x', /^pipeline must be an object with account, region, repository, branch, connectionArn, notify, but it is "x"\.$/],
  ['pipeline.account', { ...pipeline, account: '4' }, /must be an account of 12 digits/],
  ['pipeline.repository', { ...pipeline, repository: undefined }, /^pipeline\.repository is missing\.$/],
  ['pipeline.repository', { ...pipeline, connectionArn: undefined }, /must be the name of a repository in CodeCommit if pipeline\.connectionArn is missing, but it is "Owner/],
  ['pipeline.repository', { ...pipeline, repository: 'a' }, /^pipeline\.repository must be "owner\/name" if pipeline\.connectionArn is given, but it is "a"\.$/],
  ['pipeline.connectionArn', { ...pipeline, connectionArn: 'arn:aws:s3:::x' }, /must be the ARN of a connection of CodeConnections/],
  ['pipeline.notify', { ...pipeline, notify: ['nobody'] }, /must be an e-mail address, but it is "nobody"\.$/],
  ['pipeline.emails', { ...pipeline, emails: [] }, /^pipeline\.emails is unknown\. The keys are account, /],
  ['pipeline.instance', { ...pipeline, instance: 'dev' }, /^pipeline\.instance is unknown here: it is a key of the top level\. /],
];
wrong.forEach(([key, value, message]) => test(`a wrong ${key} is named: ${message.source}`, () => {
  const context: { [key: string]: unknown } = { region: 'us-east-1', pipeline: value };
  assert.throws(() => readPipelineConfiguration(context),
    (error: ConfigurationError) => error.problems[0]?.key === key && message.test(error.message));
}));
