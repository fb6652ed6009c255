import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { examples } from '../synthesize-example';
import { functionZips } from '../template';

// The oldest releases that the package is said to work with, which `npm run packages:test` installs beside it.
const cdk = path.join(__dirname, '..', '..');
const { peerDependencies } = JSON.parse(readFileSync(path.join(cdk, 'package.json'), 'utf8')) as { peerDependencies: { [name: string]: string } };
const project = mkdtempSync(path.join(tmpdir(), 'oldest-'));
after(() => rmSync(project, { recursive: true }));

test('the README\'s page synthesizes with the oldest aws-cdk-lib that the package takes', () => {
  assert.deepEqual(Object.keys(peerDependencies).sort(), ['aws-cdk-lib', 'constructs']);
  const peers = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range.replace('^', '')}`);
  const tarball = path.join(cdk, 'dist', 'js', readdirSync(path.join(cdk, 'dist', 'js')).find((file) => file.endsWith('.tgz'))!);
  writeFileSync(path.join(project, 'package.json'), '{}');
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...peers, tarball], { cwd: project, stdio: 'ignore' });
  const page = readFileSync(path.join(examples, 'typescript', 'app.ts'), 'utf8').replace("'../../lib'; // elsewhere: 'zone-delegation'", "'zone-delegation';");
  writeFileSync(path.join(project, 'app.ts'), page);
  execFileSync(path.join(cdk, 'node_modules', '.bin', 'tsx'), ['app.ts'], {
    cwd: project, env: { ...process.env, CDK_OUTDIR: path.join(project, 'out'), CDK_CONTEXT_JSON: JSON.stringify({ functionZips }) },
  });
  const made = readdirSync(path.join(project, 'out')).filter((file) => file.endsWith('.template.json')).map((file) => file.split('.')[0]);
  assert.deepEqual(made.sort(), ['Consumer', 'Networking']);
});
