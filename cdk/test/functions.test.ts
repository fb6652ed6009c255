import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { buildCommand } from '../bin/build-command';

// A copy of what `npm run functions` runs, because it writes to its own folder.
const checkout = mkdtempSync(path.join(tmpdir(), 'checkout-'));
after(() => rmSync(checkout, { recursive: true }));
const cdk = path.join(checkout, 'cdk');
['bin', 'lib', 'package.json'].forEach((name) => cpSync(path.join(__dirname, '..', name), path.join(cdk, name), { recursive: true }));
symlinkSync(path.join(__dirname, '..', 'node_modules'), path.join(cdk, 'node_modules'));
const tools = path.join(checkout, 'tools');
mkdirSync(tools);

/** Runs `npm run functions`, with a cargo that runs a script. */
function functions(cargo: string, environment: { readonly [name: string]: string } = {}) {
  writeFileSync(path.join(tools, 'cargo'), `#!/bin/sh\n${cargo}\n`, { mode: 0o755 });
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bin/functions.ts'], {
    cwd: cdk, encoding: 'utf8', env: { ...process.env, CARGO_TARGET_DIR: '', ...environment, PATH: [tools, process.env['PATH']].join(path.delimiter) },
  });
  return { status, stdout, stderr };
}

// Like cargo-lambda, it writes a zip for each package to the target folder.
const BUILD = `echo "$*" >> '${checkout}/calls'
for name in publish-zone delegate-subdomain; do mkdir -p "$TARGET/lambda/$name"; echo "$name $*" > "$TARGET/lambda/$name/bootstrap.zip"; done`;

for (const [what, target, environment] of [['the target folder', path.join(checkout, 'target'), {}], ['CARGO_TARGET_DIR', path.join(checkout, 'elsewhere'), { CARGO_TARGET_DIR: path.join(checkout, 'elsewhere') }]] as const) {
  test(`the functions of both architectures are built and packed with their checksums, from ${what}`, () => {
    rmSync(path.join(checkout, 'calls'), { force: true });
    assert.deepEqual(functions(BUILD, { ...environment, TARGET: target }).stderr, '');
    assert.deepEqual(readFileSync(path.join(checkout, 'calls'), 'utf8').trim().split('\n'), ['--arm64', '--x86-64'].map((flag) => buildCommand(flag).slice(1).join(' ')));
    assert.deepEqual(readdirSync(path.join(cdk, 'functions')).sort(), ['SHA256SUMS', 'arm64', 'x86_64']);
    for (const [architecture, flag] of [['arm64', '--arm64'], ['x86_64', '--x86-64']] as const) {
      assert.match(readFileSync(path.join(cdk, 'functions', architecture, 'publish-zone.zip'), 'utf8'), new RegExp(`^publish-zone .*${flag}`));
    }
    assert.equal(spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: path.join(cdk, 'functions') }).status, 0);
  });
}

test('a build that fails, or writes no zip, is reported in one sentence', () => {
  assert.match(functions('exit 1').stderr, /^npm run functions cannot build the functions: install cargo-lambda, .*\.\n$/);
  assert.match(functions('exit 0', { CARGO_TARGET_DIR: path.join(checkout, 'empty') }).stderr, /^The folder of the functions must contain arm64 and x86_64, with publish-zone\.zip/);
});
