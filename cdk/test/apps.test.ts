import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after, test } from 'node:test';
import { headerOf } from './apps-header';
import { functionZips } from './template';

// Small apps as users write them. The first lines of each have the expected result.
const folder = path.join(__dirname, 'apps');
const outdir = mkdtempSync(path.join(tmpdir(), 'apps-'));
after(() => rmSync(outdir, { recursive: true }));

const apps = readdirSync(folder).filter((file) => file.endsWith('.ts'));

test('there are about forty apps', () => {
  assert.ok(apps.length >= 40);
});

for (const file of apps) {
  const { succeeds, refused, texts } = headerOf(readFileSync(path.join(folder, file), 'utf8'));
  test(`the app ${file} ${succeeds ? 'succeeds' : 'is refused'}`, () => {
    // The app reads these as it reads them from the CDK's command line.
    const made = path.join(outdir, file);
    Object.assign(process.env, { CDK_OUTDIR: made, CDK_CONTEXT_JSON: JSON.stringify({ functionZips }) });
    const run = () => {
      const before = process.listeners('beforeExit');
      try {
        require(path.join(folder, file));
      } finally {
        // An app that the CDK's command line starts synthesizes once more at the end of the process.
        process.listeners('beforeExit').filter((listener) => !before.includes(listener)).forEach((listener) => process.removeListener('beforeExit', listener));
      }
    };
    if (!succeeds) {
      assert.throws(run, (error: Error) => {
        assert.ok(error.message.includes(refused), `the error is: ${error.message}`);
        return true;
      });
      return;
    }
    run();
    const templates = readdirSync(made).filter((name) => name.endsWith('.template.json')).map((name) => JSON.stringify(JSON.parse(readFileSync(path.join(made, name), 'utf8'))));
    assert.ok(templates.length > 0 || readdirSync(made).some((name) => name.startsWith('assembly-')));
    texts.forEach((text) => assert.ok(templates.some((template) => template.includes(text)), `no template has ${text}`));
  });
}
