import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { PropError } from '../lib/prop-checks';
import { orOneSentence } from './one-sentence';
import { withAbsoluteLinks } from './absolute-links';

// Makes the packages for npm and PyPI, with the functions in them: `npm run package` builds the functions, `npm run package -- FOLDER` copies them
// from FOLDER/arm64 and FOLDER/x86_64. The packages are made from a copy, because their front page differs from the one in the checkout.
const cdk = path.join(__dirname, '..');
const dist = path.join(cdk, 'dist');
const copy = path.join(dist, 'package');
const CONTENT = ['package.json', 'API.md', 'lib', 'templates', 'functions', path.join('bin', 'jsii-in-any-folder.cjs')];

orOneSentence(() => {
  const [given] = process.argv.slice(2);
  run(cdk, 'npm', 'run', 'functions', ...given === undefined ? [] : ['--', path.resolve(given)]);
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  CONTENT.forEach((name) => cpSync(path.join(cdk, name), path.join(copy, name), { recursive: true, filter: isSource }));
  cpSync(path.join(cdk, '..', 'LICENSE'), path.join(copy, 'LICENSE'));
  symlinkSync(path.join(cdk, 'node_modules'), path.join(copy, 'node_modules'));
  const { name, version, repository } = JSON.parse(readFileSync(path.join(cdk, 'package.json'), 'utf8')) as {
    name: string; version: string; repository: { url: string; directory: string };
  };
  const base = `${repository.url.replace(/\.git$/, '')}/blob/v${version}/${repository.directory}`;
  writeFileSync(path.join(copy, 'README.md'), withAbsoluteLinks(readFileSync(path.join(cdk, 'README.md'), 'utf8'), base));

  run(copy, 'npm', 'run', 'jsii');
  // In a folder whose path has ASCII only: pacmak cannot build a wheel elsewhere.
  const made = mkdtempSync(path.join(tmpdir(), 'packages-'));
  run(copy, path.join(cdk, 'node_modules', '.bin', 'jsii-pacmak'), '--targets', 'js', 'python', '--outdir', made);
  cpSync(made, dist, { recursive: true });
  [made, copy].forEach((folder) => rmSync(folder, { recursive: true }));

  // jsii names the tarball differently; this is the name that `npm pack` uses.
  const [tarball] = readdirSync(path.join(dist, 'js'));
  renameSync(path.join(dist, 'js', tarball!), path.join(dist, 'js', `${name.replace('@', '').replace('/', '-')}-${version}.tgz`));
  const packages = ['js', 'python'].flatMap((folder) => readdirSync(path.join(dist, folder)).filter((file) => /\.(tgz|whl)$/.test(file)).map((file) => `${folder}/${file}`));
  // In the format of `sha256sum --check`.
  const sums = packages.map((file) => `${createHash('sha256').update(readFileSync(path.join(dist, file))).digest('hex')}  ${file}\n`).join('');
  writeFileSync(path.join(dist, 'SHA256SUMS'), sums);
  process.stdout.write(sums);
});

function isSource(file: string): boolean {
  return !/\.(js|d\.ts)$/.test(file);
}

function run(folder: string, command: string, ...words: string[]): void {
  const { status } = spawnSync(command, words, {
    cwd: folder, stdio: 'inherit', env: { ...process.env, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' },
  });
  if (status !== 0) {
    throw new PropError('npm run package', undefined, `cannot make the packages: ${[path.basename(command), ...words].join(' ')} failed in ${path.relative(cdk, folder) || 'cdk/'}`);
  }
}
