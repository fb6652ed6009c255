import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { MigratingStack, type Step } from '../examples/migrate-from-cdk/migrating-stack';
import { functionZips, readable, resourcesOf, type TemplateResource } from './template';

function resourcesAt(step: Step): { readonly [logicalId: string]: TemplateResource & { readonly DeletionPolicy?: string } } {
  const stack = new MigratingStack(new App({ context: { functionZips } }), 'Consumer', {
    step, delegation: { parameterPrefix: '/zone-delegation/dev', roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222' },
  });
  return resourcesOf(Template.fromStack(stack));
}

test('the zone is the same resource, unchanged, at every step', () => {
  const zones = (['before', 'retained', 'after'] as const).map((step) =>
    Object.entries(resourcesAt(step)).filter(([, { Type }]) => Type === 'AWS::Route53::HostedZone'));
  assert.equal(zones[0]?.length, 1);
  assert.deepEqual(zones[1], zones[0]);
  assert.deepEqual(zones[2], zones[0]);
});

test('the record is retained before it leaves', () => {
  const record = (step: Step) => Object.entries(resourcesAt(step)).find(([, { Type }]) => Type === 'Custom::CrossAccountZoneDelegation');
  const [before, retained] = [record('before'), record('retained')];
  assert.deepEqual([before?.[1].DeletionPolicy, retained?.[1].DeletionPolicy], ['Delete', 'Retain']);
  assert.equal(retained?.[0], before?.[0]);
  assert.deepEqual(retained?.[1].Properties, before?.[1].Properties);
  assert.equal(record('after'), undefined);
});

test('the subdomain takes the zone as it stands', () => {
  const subdomain = Object.values(resourcesAt('after')).find(({ Type }) => Type === 'Custom::DelegatedSubdomain');
  assert.equal((readable(subdomain?.Properties) as { HostedZoneId: string }).HostedZoneId, '${Zone}');
});
