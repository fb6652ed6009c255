import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { functionZips } from './template';

/** The folder of the examples. */
export const examples = path.join(__dirname, '..', 'examples');

/** Returns the templates that a program of an example creates with a context, by their stacks. The program must print nothing. */
export function synthesizeExample(example: string, given: object, program: string, ...words: string[]): { readonly [stack: string]: unknown } {
  const { context } = JSON.parse(readFileSync(path.join(examples, example, 'cdk.json'), 'utf8')) as { context?: object };
  const outdir = mkdtempSync(path.join(tmpdir(), 'cdk-out-'));
  const { status, stderr } = spawnSync(program, words, {
    cwd: path.join(examples, example),
    encoding: 'utf8',
    env: {
      ...process.env, CDK_OUTDIR: outdir, CDK_CONTEXT_JSON: JSON.stringify({ ...context, ...given, functionZips }), JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: '20',
    },
  });
  assert.deepEqual([status, stderr], [0, '']);
  const suffix = '.template.json';
  const templates = Object.fromEntries(readdirSync(outdir).filter((file) => file.endsWith(suffix)).map((file) => (
    [file.slice(0, -suffix.length), JSON.parse(readFileSync(path.join(outdir, file), 'utf8')) as unknown])));
  rmSync(outdir, { recursive: true });
  return templates;
}
