import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { functionZips } from './template';

const examples = path.join(__dirname, '..', 'examples');

for (const example of readdirSync(examples).filter((name) => readdirSync(path.join(examples, name)).includes('app.ts'))) {
  test(`the example ${example} synthesizes`, () => {
    const { context } = JSON.parse(readFileSync(path.join(examples, example, 'cdk.json'), 'utf8')) as { context?: object };
    const outdir = mkdtempSync(path.join(tmpdir(), 'cdk-out-'));
    const result = spawnSync(process.execPath, ['--import', 'tsx', 'app.ts'], {
      cwd: path.join(examples, example),
      encoding: 'utf8',
      env: { ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify({ ...context, functionZips }) },
    });
    assert.deepEqual([result.status, result.stderr], [0, '']);
    const templates = readdirSync(outdir).filter((file) => file.endsWith('.template.json')).map((file) => readFileSync(path.join(outdir, file), 'utf8'));
    assert.equal(templates.length, 2);
    assert.ok(templates.some((template) => template.includes('"Custom::DelegatedSubdomain"')));
    rmSync(outdir, { recursive: true });
  });
}
