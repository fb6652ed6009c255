import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';

// `npm run packages:test` runs this after it has made the packages.
const cdk = path.join(__dirname, '..', '..');
const dist = path.join(cdk, 'dist');
const { version, repository } = JSON.parse(readFileSync(path.join(cdk, 'package.json'), 'utf8')) as { version: string; repository: { url: string } };
const tarball = path.join(dist, 'js', `zone-delegation-cdk-${version}.tgz`);
const wheel = path.join(dist, 'python', `zone_delegation-${version}-py3-none-any.whl`);
const folder = mkdtempSync(path.join(tmpdir(), 'packages-'));
after(() => rmSync(folder, { recursive: true }));

function unpackedTarball(file: string, name: string): string {
  const root = path.join(folder, name);
  execFileSync('sh', ['-c', 'mkdir "$1" && tar -xzf "$0" -C "$1"', file, root]);
  return path.join(root, 'package');
}

function unpackedWheel(): string {
  const root = path.join(folder, 'wheel');
  execFileSync('python3', ['-m', 'zipfile', '-e', wheel, root]);
  return root;
}

const npm = unpackedTarball(tarball, 'npm');
const python = unpackedWheel();
// The wheel contains a tarball, which jsii runs in Node.js.
const jsii = path.join(python, 'zone_delegation', '_jsii');
const within = unpackedTarball(path.join(jsii, readdirSync(jsii).find((file) => file.endsWith('.tgz'))!), 'within');

test('both packages have the functions of both architectures, with the checksums of the release', () => {
  for (const root of [npm, within]) {
    const sums = execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: path.join(root, 'functions'), encoding: 'utf8' });
    assert.deepEqual(sums.trim().split('\n').sort(), ['arm64', 'x86_64'].flatMap((architecture) => [`${architecture}/delegate-subdomain.zip: OK`, `${architecture}/publish-zone.zip: OK`]));
  }
});

test('the checksums of the packages are written beside them', () => {
  assert.match(execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: dist, encoding: 'utf8' }), /^js\/\S+: OK\npython\/\S+: OK\n$/);
});

test('the front page of both packages has absolute links only, into the repository at this version', () => {
  const metadata = readFileSync(path.join(python, `zone_delegation-${version}.dist-info`, 'METADATA'), 'utf8');
  for (const page of [readFileSync(path.join(npm, 'README.md'), 'utf8'), metadata]) {
    const links = [...page.replaceAll(/^( *)```.*?^\1```$/gms, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    assert.ok(links.length > 5);
    assert.deepEqual(links.filter((link) => !link.startsWith(`${repository.url.replace(/\.git$/, '')}/blob/v${version}/`) && !link.startsWith('https://docs.aws.amazon.com/')), []);
    assert.deepEqual(links.filter((link) => link.includes('/../')), []);
  }
});

test('the packages have the license and no tests', () => {
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n');
  assert.ok(files.includes('package/LICENSE') && files.includes('package/API.md'));
  assert.deepEqual(files.filter((file) => /test|examples|\.ts$/.test(file) && !file.endsWith('.d.ts')), []);
});
