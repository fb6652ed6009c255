import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addStacks } from '../lib/app';
import { findings } from './nag';
import { pipelineIn } from './pipeline';
import { siteIn } from './static-site';

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
