import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { addStacks } from '../lib/app';
import { appWith, findings, findingsOfNag2 } from './nag';
import { pipelineIn } from './pipeline';
import { siteIn } from './static-site';
import { configuration, functionZips, synthesize } from './template';
import { publishedZone } from './zones';

// CDK Pipelines creates the roles below Pipeline/ itself, for its own artifacts, logs and reports, and to assume the bootstrap roles of the
// accounts. cdk-nag accepts an acknowledgement of single wildcards only.
const OF_CDK_PIPELINES = /^\S*IAM5\S* \/?zone-delegation-pipeline-dev\/Pipeline\//;
for (const [what, build] of [['the app', addStacks], ['the pipeline', pipelineIn]] as const) {
  for (const [version, find] of [['2', findingsOfNag2], ['3', findings]] as const) {
    test(`cdk-nag ${version} finds nothing without an explanation in ${what}`, () => {
      assert.deepEqual(find(appWith(build)).filter((finding) => !OF_CDK_PIPELINES.test(finding)), []);
    });
  }
}

test('cdk-nag finds nothing without an explanation in the static site', () => {
  assert.deepEqual(findings(appWith(siteIn)), []);
});

test('a template that cdk-nag 2 does not check has no metadata for it', () => {
  assert.doesNotMatch(JSON.stringify(Object.values(synthesize()).map((template) => template.toJSON())), /cdk_nag/);
});

test('only resources with a wildcard have a reason', () => {
  const acknowledged = (build: (app: App) => void) => {
    const app = new App({ context: { functionZips, ...configuration } });
    build(app);
    const rules = app.node.findAll().flatMap(({ node }) => node.metadata).filter(({ type }) => type === 'aws:cdk:acknowledged-rules');
    return rules.flatMap(({ data }) => Object.keys(data as object)).filter((rule) => rule.includes('IAM5['));
  };
  assert.deepEqual(acknowledged(addStacks).filter((rule) => !rule.includes('*')), []);
  // A prefix that is a parameter of the template may change, so the policy covers all prefixes.
  const anyPrefix = acknowledged((app) => {
    const stack = new Stack(app, 'Stack');
    publishedZone(stack, { parameterPrefix: new CfnParameter(stack, 'Prefix').valueAsString });
  });
  assert.deepEqual([...new Set(anyPrefix)].map((rule) => rule.replace(/^.*:parameter/, '')),
    ['/*/hosted-zone-id]', '/*/hosted-zone-name]', '/*/name-servers]']);
});
