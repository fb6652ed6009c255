import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, type DelegatedSubdomainProps, RecordsOnDelete, SubdomainCertificate } from '../lib';
import { functionZips, resourcesOf, synthesize, type TemplateResource } from './template';
import { delegation } from './zones';

const folder = path.join(__dirname, 'snapshots', 'roles');
const CONSUMER = '222222222222';
const SECOND = '333333333333';

/** Returns the app for two consumers. */
function app(certificates: { applications?: string[]; certificateRegion?: string }): { readonly [stackName: string]: Template } {
  const shared = { externalId: 'a-secret', ...certificates };
  return synthesize({
    region: 'eu-west-1',
    // The proof (tests/world/tests/proof/roles.rs) needs names that nest, which the app refuses. It replaces these by `a.dev`, `b.a.dev` and
    // `a.ops`.
    consumers: [
      { account: CONSUMER, names: ['dev', 'test', 'below', 'far-below'], ...shared },
      { account: SECOND, names: ['ops', 'below-ops'], ...shared },
    ],
  });
}

/** Returns a stack with only a certificate in an existing zone. */
function certificateInExistingZone(): Template {
  const root = new App({ context: { functionZips, '@aws-cdk/aws-iam:minimizePolicies': true } });
  const stack = new Stack(root, 'Certificate', { env: { account: CONSUMER, region: 'eu-west-1' } });
  const hostedZoneId = new CfnParameter(stack, 'HostedZoneId').valueAsString;
  const zone = route53.HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId, zoneName: 'dev.build.example.com' });
  new SubdomainCertificate(stack, 'SubdomainCertificate', { zone });
  return Template.fromStack(stack);
}

/** Returns a stack with only one subdomain. */
function subdomainAlone(props: (stack: Stack) => Partial<DelegatedSubdomainProps>): Template {
  const root = new App({ context: { functionZips, '@aws-cdk/aws-iam:minimizePolicies': true } });
  const stack = new Stack(root, 'Subdomain', { env: { account: CONSUMER, region: 'eu-west-1' } });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'name', ...props(stack) });
  return Template.fromStack(stack);
}

const here = app({ applications: ['app'] });
const elsewhere = app({ applications: ['app'], certificateRegion: 'us-east-1' });
const nowhere = app({});
// The proof (tests/world/tests/proof) runs the functions with these roles. `npm run snapshots` writes them anew.
const stacks: { readonly [file: string]: Template } = {
  'networking.json': here['zone-delegation-networking-dev']!,
  'consumer.json': here['zone-delegation-consumer-dev']!,
  'consumer-elsewhere.json': elsewhere['zone-delegation-consumer-dev']!,
  'consumer-without-certificates.json': nowhere['zone-delegation-consumer-dev']!,
  'second-consumer.json': here['zone-delegation-consumer-dev-ops']!,
  'second-consumer-elsewhere.json': elsewhere['zone-delegation-consumer-dev-ops']!,
  'second-consumer-without-certificates.json': nowhere['zone-delegation-consumer-dev-ops']!,
  'certificate.json': certificateInExistingZone(),
  // Cases that the app's stacks do not have: a subdomain of a zone of the same account, in a stack without certificates, and one that deletes its
  // records.
  'subdomain-within-account.json': subdomainAlone((stack) => ({ parentZone: route53.HostedZone.fromHostedZoneId(stack, 'Parent', 'Z0PARENT') })),
  'subdomain-with-records.json': subdomainAlone(() => ({ delegation, recordsOnDelete: RecordsOnDelete.DELETE })),
};

/** Returns the roles of the functions and of the consumers, with their policies. */
function rolesOf(template: Template): { [logicalId: string]: TemplateResource } {
  const resources = Object.entries(resourcesOf(template));
  const roles = resources.filter(([, { Type, Properties }]) =>
    Type === 'AWS::IAM::Role' && (String(Properties['Path']).startsWith('/zone-delegation/') || 'RoleName' in Properties));
  const ids = roles.map(([id]) => id);
  const policies = resources.filter(([, { Type, Properties }]) =>
    /^AWS::IAM::.*Policy$/.test(Type) && (Properties['Roles'] as { Ref: string }[]).some(({ Ref }) => ids.includes(Ref)));
  return Object.fromEntries([...roles, ...policies]);
}

for (const [file, template] of Object.entries(stacks)) {
  test(`the roles are those of test/snapshots/roles/${file}`, () => {
    const text = `${JSON.stringify({ Resources: rolesOf(template) }, undefined, 2)}\n`;
    if (process.env['WRITE_SNAPSHOTS']) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(path.join(folder, file), text);
    }
    assert.equal(text, readFileSync(path.join(folder, file), 'utf8'));
  });
}

test('test/snapshots/roles has no roles of other stacks', () => {
  assert.deepEqual(readdirSync(folder).sort(), Object.keys(stacks).sort());
});
