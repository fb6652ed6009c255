import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { Template } from 'aws-cdk-lib/assertions';
import { stringify } from 'yaml';
import { pipelineStack } from './pipeline';
import { synthesize } from './template';

const folder = path.join(__dirname, 'snapshots');

// What a reviewer should see of a change. `npm run snapshots` writes them anew.
const templates = { ...synthesize(), 'zone-delegation-pipeline-dev': Template.fromStack(pipelineStack()) };
for (const [stackName, template] of Object.entries(templates)) {
  test(`${stackName} is as in test/snapshots`, () => {
    const file = path.join(folder, `${stackName}.yaml`);
    const text = stringify(template.toJSON(), { aliasDuplicateObjects: false, lineWidth: 0 }).replaceAll(/[0-9a-f]{64}/g, 'HASH');
    if (process.env['WRITE_SNAPSHOTS']) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text);
    }
    assert.equal(text, readFileSync(file, 'utf8'));
  });
}
