import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

interface ConditionalTemplate {
  readonly Conditions?: { readonly [name: string]: unknown };
  readonly Resources: { readonly [id: string]: { readonly Condition?: string; readonly DependsOn?: string | string[] } };
  readonly Outputs?: { readonly [id: string]: { readonly Condition?: string } };
}

const folders = [path.join(__dirname, '..', 'templates'), path.join(__dirname, 'snapshots')];
const files = folders.flatMap((folder) => readdirSync(folder).filter((file) => file.endsWith('.yaml')).map((file) => path.join(folder, file)));

/** Returns the conditions that are true if one is: itself, and those of which it is a conjunction. */
function impliedBy(condition: string, template: ConditionalTemplate): string[] {
  const { 'Fn::And': parts = [] } = (template.Conditions?.[condition] ?? {}) as { 'Fn::And'?: { Condition?: string }[] };
  return [condition, ...parts.flatMap(({ Condition }) => (Condition === undefined ? [] : impliedBy(Condition, template)))];
}

/** Returns what a value refers to, as `ID under CONDITIONS`, with the conditions of the surrounding branches of Fn::If. */
function references(value: unknown, holding: readonly string[]): { readonly id: string; readonly holding: readonly string[] }[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([name, argument]: [string, unknown]) => {
    if (name === 'Fn::If') {
      const [condition, then, otherwise] = argument as [string, unknown, unknown];
      return [...references(then, [...holding, condition]), ...references(otherwise, holding)];
    }
    const id = { Ref: argument, 'Fn::GetAtt': (argument as string[] | null)?.[0] }[name];
    return [...(typeof id === 'string' ? [{ id, holding }] : []), ...references(argument, holding)];
  });
}

/** Returns references to resources that conditions may leave out, which CloudFormation refuses. */
function faults(template: ConditionalTemplate): string[] {
  return Object.entries({ ...template.Resources, ...template.Outputs }).flatMap(([id, part]) => {
    const own = part.Condition === undefined ? [] : [part.Condition];
    const dependencies = 'DependsOn' in part ? [part.DependsOn ?? []].flat().map((on) => ({ id: on, holding: own })) : [];
    return [...dependencies, ...references(part, own)].flatMap((to) => {
      const needed = template.Resources[to.id]?.Condition;
      const holding = to.holding.flatMap((condition) => impliedBy(condition, template));
      return needed === undefined || holding.includes(needed) ? [] : [`${id} needs ${to.id}, which is there only if ${needed}`];
    });
  });
}

for (const file of files) {
  test(`${path.basename(file)} refers to no resource that a condition may leave out`, () => {
    assert.deepEqual(faults(parse(readFileSync(file, 'utf8')) as ConditionalTemplate), []);
  });
}

test('a reference to a resource that a condition may leave out is found, whatever its form', () => {
  const template = (part: object) => ({
    Conditions: { Is: {}, Both: { 'Fn::And': [{ Condition: 'Is' }, {}] }, Either: { 'Fn::Or': [{ Condition: 'Is' }, {}] } },
    Resources: { There: { Condition: 'Is' }, Part: part },
  });
  const ref = { Ref: 'There' };
  for (const part of [
    { DependsOn: 'There' }, { DependsOn: ['There'] }, { Properties: ref }, { Properties: { 'Fn::GetAtt': ['There', 'Arn'] } }, { Metadata: [ref] },
    { Condition: 'Either', Properties: ref }, { Properties: { 'Fn::If': ['Is', '', ref] } },
  ]) {
    assert.deepEqual(faults(template(part)), ['Part needs There, which is there only if Is'], JSON.stringify(part));
  }
  for (const part of [{ Condition: 'Is', DependsOn: 'There' }, { Condition: 'Both', Properties: ref }, { Properties: { 'Fn::If': ['Is', ref, ''] } }]) {
    assert.deepEqual(faults(template(part)), [], JSON.stringify(part));
  }
});
