import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';

const root = path.join(__dirname, '..', '..');
const NOT_OURS = new Set(['node_modules', 'target', 'dist', 'cdk.out']);

function* pages(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const found = path.join(folder, entry.name);
    if (entry.isDirectory() && !NOT_OURS.has(entry.name) && !entry.name.startsWith('.')) {
      yield* pages(found);
    } else if (entry.name.endsWith('.md')) {
      yield found;
    }
  }
}

function prose(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^( *)```.*?^\1```$/gms, '');
}

function linksOf(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
}

// As GitHub makes them of headings.
function anchors(page: string): string[] {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)]
    .map(([, heading = '']) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

function isDead(page: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : path.resolve(path.dirname(page), file);
  return !existsSync(target) || (anchor !== undefined && !anchors(target).includes(anchor));
}

test('every link between the pages leads somewhere', () => {
  const dead = [...pages(root)].flatMap((page) => linksOf(page)
    .filter((link) => !/^\w+:/.test(link) && isDead(page, link))
    .map((link) => `${path.relative(root, page)}: ${link}`));
  assert.deepEqual(dead, []);
});

test('the packages, the functions and the changelog are of one version', () => {
  const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
  const { version } = JSON.parse(read('cdk/package.json')) as { version: string };
  assert.equal((JSON.parse(read('cdk/package-lock.json')) as { version: string }).version, version);
  assert.equal(/^version = "(.*)"$/m.exec(read('Cargo.toml'))?.[1], version);
  assert.equal(/^## (\d.*)$/m.exec(read('CHANGELOG.md'))?.[1], version);
  const named = [...read('README.md').matchAll(/(?:[ -]v|delegation-(?:npm-)?)(\d+\.\d+\.\d+)/g)].map(([, release]) => release);
  assert.deepEqual([...new Set(named)], [version]);
});

test('the packages\' front page has no link that leads out of them once it is released', () => {
  const workflow = readFileSync(path.join(root, '.github', 'workflows', 'release.yml'), 'utf8');
  const command = /^ +(sed .* README\.md)$/m.exec(workflow)?.[1];
  assert.ok(command);
  const folder = mkdtempSync(path.join(tmpdir(), 'front-page-'));
  copyFileSync(path.join(root, 'cdk', 'README.md'), path.join(folder, 'README.md'));
  execFileSync('sh', ['-c', command], {
    cwd: folder, env: { ...process.env, GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'owner/name', GITHUB_REF_NAME: 'v1.2.3' },
  });
  const links = linksOf(path.join(folder, 'README.md'));
  rmSync(folder, { recursive: true });
  assert.deepEqual(links.filter((link) => !link.startsWith('https://github.com/owner/name/blob/v1.2.3/cdk/')), []);
  assert.equal(links.length, linksOf(path.join(root, 'cdk', 'README.md')).length);
});
