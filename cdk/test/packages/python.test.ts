import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { examples, synthesizeExample } from '../synthesize-example';

// `npm run example:python` runs this, once the wheel is made and installed.
test('the page in Python, with the wheel, makes the same templates as the page in TypeScript', () => {
  const python = synthesizeExample('python', path.join(examples, 'python', '.venv', 'bin', 'python'), 'app.py');
  assert.deepEqual(Object.keys(python), ['Consumer', 'Networking']);
  assert.deepEqual(python, synthesizeExample('typescript', process.execPath, '--import', 'tsx', 'app.ts'));
});
