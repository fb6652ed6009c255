import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { addStacks } from '../lib/app';
import { findings } from './nag';
import { pipelineIn } from './pipeline';
import { siteIn } from './static-site';
import { configuration, functionZips } from './template';
import { publishedZone } from './zones';

test('the app has no finding of cdk-nag without a reason', () => {
  assert.deepEqual(findings(addStacks), []);
});

test('the pipeline has no finding of cdk-nag without a reason', () => {
  const found = findings(pipelineIn);
  // CDK Pipelines writes the roles below Pipeline/ itself, for its own artifacts, logs and reports and for taking the
  // bootstrap roles of the accounts; cdk-nag takes an acknowledgement of each single wildcard only.
  assert.deepEqual(found.filter((finding) => !/^\S*IAM5\S* zone-delegation-pipeline-dev\/Pipeline\//.test(finding)), []);
});

test('the static site has no finding of cdk-nag without a reason', () => {
  assert.deepEqual(findings(siteIn), []);
});

test('a reason is given for resources with a wildcard alone', () => {
  const acknowledged = (build: (app: App) => void) => {
    const app = new App({ context: { functionZips, ...configuration } });
    build(app);
    const rules = app.node.findAll().flatMap(({ node }) => node.metadata).filter(({ type }) => type === 'aws:cdk:acknowledged-rules');
    return rules.flatMap(({ data }) => Object.keys(data as object)).filter((rule) => rule.includes('IAM5['));
  };
  assert.deepEqual(acknowledged(addStacks).filter((rule) => !rule.includes('*')), []);
  // A prefix that CloudFormation is given may change under the policy, which so reaches all prefixes.
  const anyPrefix = acknowledged((app) => {
    const stack = new Stack(app, 'Stack');
    publishedZone(stack, { parameterPrefix: new CfnParameter(stack, 'Prefix').valueAsString });
  });
  assert.deepEqual([...new Set(anyPrefix)].map((rule) => rule.replace(/^.*:parameter/, '')),
    ['/*/hosted-zone-id]', '/*/hosted-zone-name]', '/*/name-servers]']);
});
