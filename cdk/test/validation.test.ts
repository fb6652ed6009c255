import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { configuration, functionZips } from './template';

test('the app\'s templates pass the CDK\'s own validation of CloudFormation templates', () => {
  const outdir = mkdtempSync(path.join(tmpdir(), 'cdk-out-'));
  const result = spawnSync(process.execPath, ['--import', 'tsx', 'bin/zone-delegation.ts'], {
    cwd: path.join(__dirname, '..'),
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_VALIDATION: 'true',
      CDK_OUTDIR: outdir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...configuration, functionZips, '@aws-cdk/core:validateAgainstDefaultRules': true }),
    },
  });
  rmSync(outdir, { recursive: true });
  assert.deepEqual([result.status, result.stderr], [0, '']);
});
