import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';

const folder = path.join(__dirname, '..', 'lib');
const imports = Object.fromEntries(readdirSync(folder).filter((file) => file.endsWith('.ts')).map((file) => [
  file.slice(0, -3), [...readFileSync(path.join(folder, file), 'utf8').matchAll(/ from '\.\/([\w-]+)';/g)].map(([, name]) => name!),
]));

test('no module of lib imports itself, directly or through others', () => {
  const circles = (name: string, way: string[]): string[][] => (way.includes(name)
    ? [[...way.slice(way.indexOf(name)), name]] : imports[name]!.flatMap((next) => circles(next, [...way, name])));
  assert.ok(Object.values(imports).flat().length > 50, 'imports are found');
  assert.deepEqual(Object.keys(imports).flatMap((name) => circles(name, [])).map((circle) => circle.join(' -> ')), []);
});
