import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { withAbsoluteLinks } from '../bin/absolute-links';
import { buildCommand } from '../bin/build-command';

const root = path.join(__dirname, '..', '..');

test('the packages, the functions and the changelog are of one version', () => {
  const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
  const { version } = JSON.parse(read('cdk/package.json')) as { version: string };
  assert.equal((JSON.parse(read('cdk/package-lock.json')) as { version: string }).version, version);
  assert.equal(/^version = "(.*)"$/m.exec(read('Cargo.toml'))?.[1], version);
  assert.equal(/^## (\d.*)$/m.exec(read('CHANGELOG.md'))?.[1], version);
  const named = [...read('README.md').matchAll(/(?:[ -]v|delegation-(?:cdk-)?)(\d+\.\d+\.\d+)/g)].map(([, release]) => release);
  assert.deepEqual([...new Set(named)], [version]);
});

test('the front page of the packages has absolute links only', () => {
  const page = '[a](API.md) [b](../docs/app.md#x) [c](https://example.com/d) [d](#test-your-app)';
  assert.equal(withAbsoluteLinks(page, 'https://git.example.com/owner/name/blob/v1.2.3/cdk'),
    '[a](https://git.example.com/owner/name/blob/v1.2.3/cdk/API.md) [b](https://git.example.com/owner/name/blob/v1.2.3/docs/app.md#x) [c](https://example.com/d) [d](#test-your-app)');
});

test('the functions in the packages are built as those of a release are', () => {
  const workflow = readFileSync(path.join(root, '.github', 'workflows', 'release.yml'), 'utf8');
  const released = /run: >\n +(cargo lambda build [^]*?)\n +- name/.exec(workflow)![1]!.replaceAll(/\s+/g, ' ');
  for (const flag of ['--arm64', '--x86-64']) {
    assert.match(workflow, new RegExp(`flag: ${flag}\n`));
    assert.equal(buildCommand(flag).join(' '), released.replace('${{ matrix.flag }}', flag));
  }
});

test('the pages have the names of the packages that `npm run package` makes', () => {
  const { name, version } = JSON.parse(readFileSync(path.join(root, 'cdk', 'package.json'), 'utf8')) as { name: string; version: string };
  assert.match(name, /^@/, 'a scope is one owner\'s');
  for (const page of [path.join(root, 'README.md'), path.join(root, 'cdk', 'README.md')]) {
    const named = [...readFileSync(page, 'utf8').matchAll(/[\w@.-]+\.(?:tgz|whl)\b/g)].map(([file]) => file);
    assert.deepEqual([...new Set(named)].sort(), [`zone-delegation-cdk-${version}.tgz`, `zone_delegation-${version}-py3-none-any.whl`]);
  }
});
