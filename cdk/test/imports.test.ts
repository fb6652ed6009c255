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

test('a file of lib has one construct', () => {
  const constructs = Object.keys(imports).map((name) => [name, [...readFileSync(path.join(folder, `${name}.ts`), 'utf8')
    .matchAll(/^(?:export )?(?:abstract )?class (\w+) extends (?!Error)/gm)].map(([, construct]) => construct!)] as const);
  assert.ok(constructs.filter(([, found]) => found.length === 1).length > 12, 'constructs are found');
  assert.deepEqual(constructs.filter(([, found]) => found.length > 1), []);
});
