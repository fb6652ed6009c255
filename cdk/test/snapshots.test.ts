import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { synthesize } from './template';

const folder = path.join(__dirname, 'snapshots');

// What a reviewer should see of a change. `npm run snapshots` writes them anew.
for (const [stackName, template] of Object.entries(synthesize())) {
  test(`${stackName} is as in test/snapshots`, () => {
    const file = path.join(folder, `${stackName}.yaml`);
    const text = stringify(template.toJSON(), { aliasDuplicateObjects: false, lineWidth: 0 }).replaceAll(/[0-9a-f]{64}/g, 'HASH');
    if (process.env['WRITE_SNAPSHOTS']) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
    }
    assert.deepEqual(parse(text), parse(readFileSync(file, 'utf8')));
  });
}
