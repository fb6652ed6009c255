import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';

// Writes the public API as jsii sees it, for users and for reviews: `npm run api` writes API.md, `npm run api:check` fails if API.md differs.
const folder = path.join(__dirname, '..');
const report = path.join(folder, 'API.md');

interface Docs { readonly summary?: string; readonly remarks?: string; readonly default?: string; readonly deprecated?: string }
interface Reference { readonly fqn?: string; readonly primitive?: string; readonly collection?: { kind: string; elementtype: Reference }; readonly union?: { types: Reference[] } }
interface Parameter { readonly name: string; readonly type: Reference; readonly optional?: boolean; readonly variadic?: boolean }
interface Member {
  readonly name: string; readonly optional?: boolean; readonly static?: boolean; readonly docs?: Docs;
  readonly type?: Reference; readonly parameters?: Parameter[]; readonly returns?: { type: Reference; optional?: boolean };
}
interface Type {
  readonly kind: 'class' | 'interface' | 'enum'; readonly name: string; readonly docs?: Docs; readonly base?: string; readonly interfaces?: string[];
  readonly initializer?: { parameters?: Parameter[] }; readonly properties?: Member[]; readonly methods?: Member[]; readonly members?: Member[];
}

// `route53.IHostedZone` as programs write it, for `aws-cdk-lib.aws_route53.IHostedZone`; this package's names have no prefix.
function nameText(fqn: string): string {
  return fqn.split('.').slice(1).filter((part) => part !== 'interfaces').map((part) => part.replace(/^aws_/, '')).join('.');
}

function typeText(reference: Reference): string {
  if (reference.collection) {
    const element = typeText(reference.collection.elementtype);
    return reference.collection.kind === 'array' ? `${element}[]` : `{ [key: string]: ${element} }`;
  }
  return (reference.fqn && nameText(reference.fqn)) ?? reference.primitive ?? reference.union?.types.map(typeText).join(' | ') ?? 'any';
}

function parametersText(parameters: Parameter[] = []): string {
  return parameters.map(({ name, type, optional, variadic }) => `${variadic ? '...' : ''}${name}${optional ? '?' : ''}: ${typeText(type)}`).join(', ');
}

function docsText({ summary, remarks, deprecated }: Docs = {}): string {
  return [deprecated && `Deprecated, ${deprecated}.`, summary, remarks].filter(Boolean).join('\n\n');
}

function* table(heads: string[], rows: string[][]): Generator<string> {
  if (rows.length > 0) {
    const line = (cells: string[]) => `| ${cells.map((cell) => cell.replace(/\s+/g, ' ').replaceAll('|', '\\|')).join(' | ')} |`;
    yield* ['', line(heads), line(heads.map(() => '---')), ...rows.map(line)];
  }
}

function propertyRow({ name, optional, static: isStatic, type, docs }: Member, typeName: string): string[] {
  const byDefault = optional ? docs?.default?.replace(/^- /, '') ?? 'none' : 'required';
  return [`\`${isStatic ? `${typeName}.` : ''}${name}\``, `\`${typeText(type ?? {})}\``, byDefault, docsText(docs)];
}

function methodRow({ name, static: isStatic, parameters, returns, docs }: Member, typeName: string): string[] {
  const result = returns ? `${typeText(returns.type)}${returns.optional ? ' | undefined' : ''}` : 'void';
  return [`\`${isStatic ? `${typeName}.` : ''}${name}(${parametersText(parameters)}): ${result}\``, docsText(docs)];
}

function* lines(type: Type): Generator<string> {
  yield* ['', `## ${type.name}`, '', docsText(type.docs)];
  const parents = [type.base, ...type.interfaces ?? []].filter((parent) => parent !== undefined);
  if (parents.length > 0) {
    yield* ['', `${type.kind === 'class' ? 'Is' : 'Has all of'} ${parents.map((parent) => `\`${nameText(parent)}\``).join(', ')}.`];
  }
  if (type.initializer) {
    yield* ['', `\`new ${type.name}(${parametersText(type.initializer.parameters)})\``];
  }
  yield* table(['method', ''], (type.methods ?? []).map((method) => methodRow(method, type.name)));
  // The properties of a construct always have a value. Those of a struct may be optional.
  const properties = (type.properties ?? []).map((property) => propertyRow(property, type.name));
  yield* type.kind === 'interface'
    ? table(['property', 'type', 'default', ''], properties)
    : table(['property', 'type', ''], properties.map(([name = '', text = '', , docs = '']) => [name, text, docs]));
  yield* table(['value', ''], (type.members ?? []).map(({ name, docs }) => [`\`${name}\``, docsText(docs)]));
}

const { types } = JSON.parse(readFileSync(path.join(folder, '.jsii'), 'utf8')) as { types: { [fqn: string]: Type } };
// Constructs, then the props they take, then the enums of those.
const sorted = (['class', 'interface', 'enum'] as const).flatMap((kind) => Object.values(types)
  .filter((type) => type.kind === kind).sort((one, other) => (one.name < other.name ? -1 : 1)));
const text = `# API

Every public name of the constructs. \`npm run api\` creates this page from their comments. In Python, names of methods and properties are in
snake_case, and a struct's properties are keyword arguments.
${sorted.flatMap((type) => [...lines(type)]).join('\n')}
`;
if (!process.argv.includes('--check')) {
  writeFileSync(report, text);
} else if (!existsSync(report) || readFileSync(report, 'utf8') !== text) {
  console.error('The public API is not as in API.md: run `npm run api` and review what changed.');
  process.exit(1);
}
