import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addStacks } from '../lib/app';
import { readConfiguration } from '../lib/configuration';
import type { Context } from '../lib/configuration-section';
import { PipelineStack } from '../lib/pipeline-stack';
import { StaticSite } from '../examples/static-site/static-site';
import { findings } from './nag';

test('the app has no finding of cdk-nag without a reason', () => {
  assert.deepEqual(findings(addStacks), []);
});

test('the pipeline has no finding of cdk-nag without a reason', () => {
  const found = findings((app) => new PipelineStack(app, 'zone-delegation-pipeline-dev', {
    env: { account: '444444444444', region: 'us-east-1' },
    configuration: readConfiguration(app.node.getAllContext() as Context),
    pipeline: { account: '444444444444', region: 'us-east-1', repository: 'zone-delegation', branch: 'main', notify: [] },
  }));
  // CDK Pipelines writes the roles below Pipeline/ itself, for its own artifacts, logs and reports and for taking the
  // bootstrap roles of the accounts; cdk-nag takes an acknowledgement of each single wildcard only.
  assert.deepEqual(found.filter((finding) => !/^\S*IAM5\S* zone-delegation-pipeline-dev\/Pipeline\//.test(finding)), []);
});

test('the static site has no finding of cdk-nag but what it is', () => {
  assert.deepEqual(findings((app) => new StaticSite(app, 'Site', {
    env: { account: '222222222222', region: 'eu-central-1' },
    subdomain: 'site',
    delegation: { parameterPrefix: '/zone-delegation/dev', roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222' },
  })), [
    'AwsSolutions-CFR1 Site/Distribution/Resource', // the site is for everyone everywhere
    'AwsSolutions-CFR2 Site/Distribution/Resource', // static files need no web application firewall
  ]);
});
