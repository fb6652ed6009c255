import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as fromCdk from '../examples/migrate-from-cdk/migrating-stack';
import * as fromPython from '../examples/migrate-from-python/migrating-stack';
import { functionZips, readable, resourcesOf, type TemplateResource } from './template';

const delegation = { parameterPrefix: '/zone-delegation/dev', roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222' };
const hostedZoneId = 'Z00000000000000000DEV';

const STEPS = ['before', 'retained', 'taken-over', 'after'] as const;
type Step = typeof STEPS[number];

interface Migration {
  readonly stackAt: (app: App, step: Step) => Stack;
  /** The type of the construct that is replaced. */
  readonly old: string;
  /** The type of the resource that must not change, and its final reference to the zone. */
  readonly stays: string;
  readonly zone: string;
}
const migrations: { readonly [from: string]: Migration } = {
  'the record of the CDK': {
    stackAt: (app, step) => new fromCdk.MigratingStack(app, 'Consumer', { step, delegation }),
    old: 'Custom::CrossAccountZoneDelegation', stays: 'AWS::Route53::HostedZone', zone: '${Zone}',
  },
  'the sample in Python': {
    stackAt: (app, step) => new fromPython.MigratingStack(app, 'Consumer', { step, delegation, hostedZoneId }),
    old: 'Custom::SampleSubdomain', stays: 'AWS::Route53::RecordSet', zone: hostedZoneId,
  },
};

type Retainable = TemplateResource & { readonly DeletionPolicy?: string; readonly UpdateReplacePolicy?: string };

for (const [from, { stackAt, old, stays, zone }] of Object.entries(migrations)) {
  const resourcesAt = (step: Step) =>
    resourcesOf(Template.fromStack(stackAt(new App({ context: { functionZips } }), step))) as { readonly [id: string]: Retainable };
  const find = (step: Step, type: string) => Object.entries(resourcesAt(step)).filter(([, { Type }]) => Type === type);

  test(`from ${from}: the kept resource is the same at every step`, () => {
    // It is the same zone: the sample's resource returned its id before.
    const found = STEPS.map((step) =>
      JSON.parse(JSON.stringify(find(step, stays)).replaceAll('{"Ref":"SampleSubdomain"}', JSON.stringify(hostedZoneId))) as unknown[]);
    assert.equal(found[0]?.length, 1);
    assert.deepEqual(found, STEPS.map(() => found[0]));
  });

  // The two deployments that change only the policy, before and after the adoption. The way back has them too.
  for (const [retained, not, type] of [['retained', 'before', old], ['taken-over', 'after', 'Custom::DelegatedSubdomain']] as const) {
    test(`from ${from}: ${retained} differs from ${not} only in that ${type} is retained`, () => {
      const [[id, kept] = []] = find(retained, type);
      assert.ok(id !== undefined && kept !== undefined);
      assert.deepEqual([kept.DeletionPolicy, kept.UpdateReplacePolicy], ['Retain', 'Retain']);
      assert.deepEqual({ ...resourcesAt(retained), [id]: { ...kept, DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' } }, resourcesAt(not));
    });
  }

  test(`from ${from}: the old resource is removed when the new one is added`, () => {
    const there = (type: string) => STEPS.map((step) => find(step, type).length);
    assert.deepEqual([there(old), there('Custom::DelegatedSubdomain')], [[1, 1, 0, 0], [0, 0, 1, 1]]);
  });

  test(`from ${from}: an unknown step is refused, because it could delete the delegation`, () => {
    assert.throws(() => stackAt(new App({ context: { functionZips } }), 'retain' as 'retained'),
      { message: 'step must be one of before, retained, taken-over, after, but it is "retain".' });
  });

  test(`from ${from}: the subdomain adopts the zone unchanged, with a logical id of its own`, () => {
    const [[id, subdomain] = []] = find('after', 'Custom::DelegatedSubdomain');
    assert.equal((readable(subdomain?.Properties) as { HostedZoneId: string }).HostedZoneId, zone);
    assert.notEqual(id, find('before', old)[0]?.[0]);
  });
}
