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

test('the code in both READMEs is that of the examples', () => {
  const [root, constructs] = ['../README.md', 'README.md'].map((page) => readFileSync(path.join(examples, '..', page), 'utf8'));
  for (const [readme, language, file] of [
    [root!, 'ts', 'typescript/app.ts'], [root!, 'python', 'python/app.py'],
    [constructs!, 'ts', 'typescript/app.ts'], [constructs!, 'ts', 'typescript/app.test.ts'], [constructs!, 'python', 'python/test_app.py'],
  ] as const) {
    const page = readFileSync(path.join(examples, file), 'utf8').replace("'../../lib'; // elsewhere: '@zone-delegation/cdk'", "'@zone-delegation/cdk';");
    assert.ok(readme.includes(`\`\`\`${language}\n${page}\`\`\`\n`), `${file} is not in the README as it is`);
  }
});
