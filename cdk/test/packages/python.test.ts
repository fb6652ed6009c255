import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { examples, synthesizeExample } from '../synthesize-example';

// `npm run example:python` runs this after it has made and installed the wheel.
const python = path.join(examples, 'python', '.venv', 'bin', 'python');
const both: readonly [what: string, python: string, typescript: string, context: object][] = [
  ['the page', 'python', 'typescript', {}],
  ...['before', 'retained', 'taken-over', 'after'].map((step): [string, string, string, object] => [`the migration's step ${step}`, 'migrate-from-python', 'migrate-from-python', { step }]),
];
for (const [what, inPython, inTypeScript, context] of both) {
  test(`${what} in Python, with the wheel, makes the same templates as in TypeScript`, () => {
    const made = synthesizeExample(inPython, context, python, 'app.py');
    assert.deepEqual(Object.keys(made), ['Consumer', 'Networking']);
    assert.deepEqual(made, synthesizeExample(inTypeScript, context, process.execPath, '--import', 'tsx', 'app.ts'));
  });
}
