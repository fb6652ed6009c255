import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { PropError } from '../lib/prop-checks';
import { buildCommand, FUNCTIONS } from './build-command';
import { orOneSentence } from './one-sentence';

// Writes the functions of both architectures to functions/: `npm run functions` builds them, `npm run functions -- FOLDER` copies them from
// FOLDER/arm64 and FOLDER/x86_64. `npm run package` begins with this.
const ARCHITECTURES = { arm64: '--arm64', x86_64: '--x86-64' };
const cdk = path.join(__dirname, '..');
const folder = path.join(cdk, 'functions');
const target = process.env['CARGO_TARGET_DIR'] || path.join(cdk, '..', 'target');

orOneSentence(() => {
  const [given] = process.argv.slice(2);
  rmSync(folder, { recursive: true, force: true });
  const sums: string[] = [];
  for (const [architecture, flag] of Object.entries(ARCHITECTURES)) {
    mkdirSync(path.join(folder, architecture), { recursive: true });
    if (given === undefined) {
      build(flag);
    }
    for (const name of FUNCTIONS) {
      const made = given === undefined ? path.join(target, 'lambda', name, 'bootstrap.zip') : path.resolve(given, architecture, `${name}.zip`);
      const packed = path.join(folder, architecture, `${name}.zip`);
      if (!existsSync(made)) {
        throw new PropError('The folder of the functions', made, 'must contain arm64 and x86_64, with publish-zone.zip and delegate-subdomain.zip each: one is missing');
      }
      copyFileSync(made, packed);
      sums.push(`${createHash('sha256').update(readFileSync(packed)).digest('hex')}  ${architecture}/${name}.zip\n`);
    }
  }
  // In the format of `sha256sum --check`.
  writeFileSync(path.join(folder, 'SHA256SUMS'), sums.join(''));
  process.stdout.write(sums.join(''));
});

/** Builds the functions of an architecture. */
function build(flag: string): void {
  const [program, ...words] = buildCommand(flag);
  if (spawnSync(program!, words, { cwd: path.join(cdk, '..'), stdio: 'inherit' }).status !== 0) {
    throw new PropError('npm run functions', undefined, 'cannot build the functions: install cargo-lambda, as docs/get-started.md says, or give the folder with a release\'s functions');
  }
}
