import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
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
  const dead = [...pages(root)].flatMap((page) => [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^\w+:/.test(link) && isDead(page, link))
    .map((link) => `${path.relative(root, page)}: ${link}`));
  assert.deepEqual(dead, []);
});
