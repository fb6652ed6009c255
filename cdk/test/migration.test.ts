import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as fromCdk from '../examples/migrate-from-cdk/migrating-stack';
import * as fromPython from '../examples/migrate-from-python/migrating-stack';
import { functionZips, readable, resourcesOf, type TemplateResource } from './template';

const delegation = { parameterPrefix: '/zone-delegation/dev', roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222' };
const hostedZoneId = 'Z00000000000000000DEV';

interface Migration {
  readonly stackAt: (app: App, step: 'before' | 'retained' | 'after') => Stack;
  /** What hands over. */
  readonly old: string;
  /** What must not change, and how it names the zone in the end. */
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

type Retainable = TemplateResource & { readonly DeletionPolicy?: string };

for (const [from, { stackAt, old, stays, zone }] of Object.entries(migrations)) {
  const find = (step: 'before' | 'retained' | 'after', type: string) => {
    const template = Template.fromStack(stackAt(new App({ context: { functionZips } }), step));
    return Object.entries(resourcesOf(template)).filter(([, { Type }]) => Type === type) as [string, Retainable][];
  };

  test(`from ${from}: what stays is one resource at every step`, () => {
    // Physically the same zone: it stands where the sample's resource stood.
    const found = (['before', 'retained', 'after'] as const).map((step) =>
      JSON.parse(JSON.stringify(find(step, stays)).replaceAll('{"Ref":"SampleSubdomain"}', JSON.stringify(hostedZoneId))) as unknown[]);
    assert.equal(found[0]?.length, 1);
    assert.deepEqual(found[1], found[0]);
    assert.deepEqual(found[2], found[0]);
  });

  test(`from ${from}: it is retained, and nothing else, before it leaves`, () => {
    const [[before], [retained]] = [find('before', old), find('retained', old)];
    assert.deepEqual([before?.[1].DeletionPolicy, retained?.[1].DeletionPolicy], ['Delete', 'Retain']);
    assert.equal(retained?.[0], before?.[0]);
    assert.deepEqual(retained?.[1].Properties, before?.[1].Properties);
    assert.deepEqual(find('after', old), []);
  });

  test(`from ${from}: a step that is none is named, or it would be taken for one that deletes`, () => {
    assert.throws(() => stackAt(new App({ context: { functionZips } }), 'retain' as 'retained'),
      { message: /^step must be one of before, retained, after(, leaving)?, but it is "retain"\.$/ });
  });

  test(`from ${from}: the subdomain takes the zone as it stands, under an id of its own`, () => {
    const [[id, subdomain] = []] = find('after', 'Custom::DelegatedSubdomain');
    assert.equal((readable(subdomain?.Properties) as { HostedZoneId: string }).HostedZoneId, zone);
    assert.notEqual(id, find('before', old)[0]?.[0]);
  });
}

test('back to the record of the CDK: the subdomain is retained, and nothing else, before it leaves', () => {
  const resourcesAt = (step: fromCdk.Step) => resourcesOf(Template.fromStack(
    new fromCdk.MigratingStack(new App({ context: { functionZips } }), 'Consumer', { step, delegation }))) as { readonly [id: string]: Retainable };
  const changed = Object.entries(resourcesAt('leaving')).map(([id, resource]) => (resource.Type === 'Custom::DelegatedSubdomain'
    ? [id, { ...resource, DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' }] : [id, resource]));
  assert.deepEqual(Object.fromEntries(changed), resourcesAt('after'));
  assert.ok(Object.values(resourcesAt('leaving')).some(({ Type, DeletionPolicy }) => Type === 'Custom::DelegatedSubdomain' && DeletionPolicy === 'Retain'));
});
