import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';

// The public API as jsii sees it, one line a member, to be read in a review: `npm run api` writes it, `npm run api:check` fails where
// it is not what is written.
const folder = path.join(__dirname, '..');
const report = path.join(folder, 'api.txt');

interface Reference { readonly fqn?: string; readonly primitive?: string; readonly collection?: { kind: string; elementtype: Reference }; readonly union?: { types: Reference[] } }
interface Parameter { readonly name: string; readonly type: Reference; readonly optional?: boolean; readonly variadic?: boolean }
interface Member {
  readonly name: string; readonly optional?: boolean; readonly immutable?: boolean; readonly static?: boolean;
  readonly type?: Reference; readonly parameters?: Parameter[]; readonly returns?: { type: Reference; optional?: boolean };
}
interface Type {
  readonly kind: string; readonly base?: string; readonly interfaces?: string[]; readonly abstract?: boolean;
  readonly initializer?: { parameters?: Parameter[] }; readonly properties?: Member[]; readonly methods?: Member[]; readonly members?: { name: string }[];
}

function typeText(reference: Reference): string {
  if (reference.collection) {
    return `${reference.collection.kind}<${typeText(reference.collection.elementtype)}>`;
  }
  return reference.fqn ?? reference.primitive ?? reference.union?.types.map(typeText).join(' | ') ?? 'any';
}

function parametersText(parameters: Parameter[] = []): string {
  return parameters.map(({ name, type, optional, variadic }) => `${variadic ? '...' : ''}${name}${optional ? '?' : ''}: ${typeText(type)}`).join(', ');
}

function* lines(types: { readonly [name: string]: Type }): Generator<string> {
  for (const [name, type] of Object.entries(types).sort(([one], [other]) => (one < other ? -1 : 1))) {
    yield '';
    const base = [type.base, ...type.interfaces ?? []].filter((parent) => parent !== undefined).join(', ');
    yield `${type.abstract ? 'abstract ' : ''}${type.kind} ${name}${base ? ` : ${base}` : ''}`;
    if (type.initializer) {
      yield `  new (${parametersText(type.initializer.parameters)})`;
    }
    for (const member of type.methods ?? []) {
      const returns = member.returns ? `${typeText(member.returns.type)}${member.returns.optional ? '?' : ''}` : 'void';
      yield `  ${member.static ? 'static ' : ''}${member.name}(${parametersText(member.parameters)}): ${returns}`;
    }
    for (const member of type.properties ?? []) {
      yield `  ${member.static ? 'static ' : ''}${member.immutable ? 'readonly ' : ''}${member.name}${member.optional ? '?' : ''}: ${typeText(member.type ?? {})}`;
    }
    for (const member of type.members ?? []) {
      yield `  ${member.name}`;
    }
  }
}

const { name, types } = JSON.parse(readFileSync(path.join(folder, '.jsii'), 'utf8')) as { name: string; types: { [fqn: string]: Type } };
const text = `The public API of ${name}${[...lines(types)].map((line) => `\n${line}`).join('')}\n`;
if (!process.argv.includes('--check')) {
  writeFileSync(report, text);
} else if (!existsSync(report) || readFileSync(report, 'utf8') !== text) {
  console.error('The public API is not as in api.txt: run `npm run api` and review what changed.');
  process.exit(1);
}
