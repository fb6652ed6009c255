import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type * as ZoneDelegation from '../../lib';
import { functionZips } from '../template';
import { delegation } from '../zones';

// `npm run packages:test` runs this, once the tarball is made: it is unpacked as npm would, beside what it is a peer of.
const cdk = path.join(__dirname, '..', '..');
const project = mkdtempSync(path.join(tmpdir(), 'project-'));
after(() => rmSync(project, { recursive: true }));
const modules = path.join(project, 'node_modules');
mkdirSync(modules);
const tarballs = readdirSync(path.join(cdk, 'dist', 'js')).filter((file) => file.endsWith('.tgz'));
execFileSync('tar', ['-xzf', path.join(cdk, 'dist', 'js', tarballs[0]!), '-C', modules]);
renameSync(path.join(modules, 'package'), path.join(modules, 'zone-delegation'));
for (const peer of ['aws-cdk-lib', 'constructs']) {
  symlinkSync(path.join(cdk, 'node_modules', peer), path.join(modules, peer));
}
const { DelegatedSubdomain } = createRequire(path.join(project, 'app.js'))('zone-delegation') as typeof ZoneDelegation;

test('the npm package makes a subdomain with the functions in it, and without any asks for them', () => {
  assert.equal(tarballs.length, 1);
  const stack = new Stack(new App(), 'Stack');
  const make = () => new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
  if (existsSync(path.join(modules, 'zone-delegation', 'functions', 'arm64', 'delegate-subdomain.zip'))) {
    make();
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', { Handler: 'bootstrap', Architectures: ['arm64'] });
  } else {
    assert.throws(make, {
      name: 'PropError',
      message: 'functionZips is missing, and this package is without functions: give the folder with a release\'s functions, in functionSettings or as the context key functionZips.',
    });
  }
});

test('the npm package makes a subdomain with them', () => {
  const stack = new Stack(new App({ context: { functionZips } }), 'Stack');
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');
  Template.fromStack(stack).resourceCountIs('Custom::SubdomainCertificate', 1);
});
