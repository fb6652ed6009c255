import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { examples, synthesizeExample } from './synthesize-example';

for (const example of readdirSync(examples).filter((name) => readdirSync(path.join(examples, name)).includes('app.ts'))) {
  test(`the example ${example} synthesizes`, () => {
    const templates = synthesizeExample(example, { step: 'after' }, process.execPath, '--import', 'tsx', 'app.ts');
    assert.equal(Object.keys(templates).length, 2);
    assert.match(JSON.stringify(templates), /"Custom::DelegatedSubdomain"/);
  });
}

test('the pages in the README are the examples', () => {
  const readme = readFileSync(path.join(examples, '..', '..', 'README.md'), 'utf8');
  for (const [language, file] of [['ts', 'typescript/app.ts'], ['python', 'python/app.py']] as const) {
    const page = readFileSync(path.join(examples, file), 'utf8').replace("'../../lib'; // elsewhere: 'zone-delegation'", "'zone-delegation';");
    assert.ok(readme.includes(`\`\`\`${language}\n${page}\`\`\`\n`), `${file} is not in README.md as it is`);
  }
});
