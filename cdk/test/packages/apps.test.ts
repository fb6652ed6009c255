import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { headerOf } from '../apps-header';
import { examples } from '../synthesize-example';

// The small apps in Python, with the wheel that `npm run example:python` installs and the functions in it.
const folder = path.join(__dirname, '..', 'apps');
const outdir = mkdtempSync(path.join(tmpdir(), 'apps-'));
after(() => rmSync(outdir, { recursive: true }));

for (const file of readdirSync(folder).filter((name) => name.endsWith('.py'))) {
  const { succeeds, refused, texts } = headerOf(readFileSync(path.join(folder, file), 'utf8'));
  test(`the app ${file} ${succeeds ? 'succeeds' : 'is refused'}`, () => {
    const made = path.join(outdir, file);
    const { status, stderr } = spawnSync(path.join(examples, 'python', '.venv', 'bin', 'python'), [path.join(folder, file)], {
      encoding: 'utf8', env: { ...process.env, CDK_OUTDIR: made, JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20' },
    });
    assert.equal(status === 0, succeeds, stderr);
    if (!succeeds) {
      assert.ok(stderr.includes(refused), stderr);
      return;
    }
    const templates = readdirSync(made).filter((name) => name.endsWith('.template.json')).map((name) => JSON.stringify(JSON.parse(readFileSync(path.join(made, name), 'utf8'))));
    texts.forEach((text) => assert.ok(templates.some((template) => template.includes(text)), `no template has ${text}`));
  });
}
