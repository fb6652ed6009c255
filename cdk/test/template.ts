import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { after } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addStacks } from '../lib/app';

// The CDK's built-in validation of CloudFormation templates takes seconds per process, so only validation.test.ts runs it.
process.env['CDK_VALIDATION'] = 'false';

/** A resource of a template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties: { readonly [name: string]: unknown };
  readonly DependsOn?: string | string[];
  readonly Metadata?: unknown;
}

/** A statement of a policy, as a person would write it. */
export interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource?: string | string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** A folder with placeholders for the prebuilt functions. It is deleted when the test file ends. */
export const functionZips = mkdtempSync(path.join(tmpdir(), 'function-zips-'));
for (const name of ['publish-zone', 'delegate-subdomain']) {
  writeFileSync(path.join(functionZips, `${name}.zip`), name);
}
after(() => rmSync(functionZips, { recursive: true }));

/** The context of `cdk.json`, less the flags. */
export const configuration = {
  instance: 'dev',
  baseDomain: 'example.com',
  baseHostedZoneId: 'Z0BASE',
  subDomain: 'build',
  networkingAccount: '111111111111',
  region: 'us-east-1',
  consumers: [{ account: '222222222222', names: ['dev'], applications: ['app1'] }] as unknown,
};

/** Returns the templates of the app's stacks, by the stacks' names. */
export function synthesize(context: { readonly [key: string]: unknown } = {}): { readonly [stackName: string]: Template } {
  const app = new App({ context: { functionZips, '@aws-cdk/aws-iam:minimizePolicies': true, ...configuration, ...context } });
  addStacks(app);
  return Object.fromEntries(app.node.children.filter(Stack.isStack).map((stack) => [stack.stackName, Template.fromStack(stack)]));
}

/** Returns a stack for the constructs under test, with the placeholders of the functions. */
export function stackWithFunctions(props: { account?: string; region?: string } = {}): Stack {
  return new Stack(new App({ context: { functionZips } }), 'Stack', { env: props });
}

/** Returns the resources of a template. */
export function resourcesOf(template: Template): { readonly [logicalId: string]: TemplateResource } {
  return template.toJSON()['Resources'] as { [logicalId: string]: TemplateResource };
}

/** Returns the one resource of a type, or the one whose logical id contains a text. */
export function resourceOf(template: Template, type: string, idPart = ''): TemplateResource {
  const found = Object.entries(resourcesOf(template)).filter(([id, { Type }]) => Type === type && id.includes(idPart));
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} resources are of type ${type} with "${idPart}" in their id`);
  }
  return found[0][1];
}

/** Returns the trust statements of every role and the statements of every policy, by the logical id without its hash. */
export function statementsOf(template: Template): { [id: string]: Statement[] } {
  const found: { [id: string]: Statement[] } = {};
  for (const [logicalId, { Type, Properties }] of Object.entries(resourcesOf(template))) {
    const properties = readable(Properties) as {
      AssumeRolePolicyDocument: { Statement: Statement[] };
      Policies?: { PolicyName: string; PolicyDocument: { Statement: Statement[] } }[];
      ManagedPolicyArns?: string[];
      PolicyDocument: { Statement: Statement[] };
    };
    if (Type === 'AWS::IAM::Role') {
      found[`${short(logicalId)} trust`] = properties.AssumeRolePolicyDocument.Statement;
      for (const { PolicyName, PolicyDocument } of properties.Policies ?? []) {
        found[`${short(logicalId)} ${PolicyName}`] = PolicyDocument.Statement;
      }
      if (properties.ManagedPolicyArns) {
        found[`${short(logicalId)} managed`] = properties.ManagedPolicyArns.map((arn) => ({ Action: arn }));
      }
    } else if (Type === 'AWS::IAM::Policy') {
      const id = withoutHash(logicalId);
      found[id] = [...found[id] ?? [], ...properties.PolicyDocument.Statement];
    }
  }
  return found;
}

/** Returns a value with references as `${Name}` and joins resolved. */
export function readable(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(readable);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const [[name, argument] = [], ...more] = Object.entries(value);
  if (more.length === 0 && name === 'Ref') {
    return `\${${short(argument as string)}}`;
  }
  if (more.length === 0 && name === 'Fn::GetAtt') {
    const [id, attribute] = argument as [string, string];
    return `\${${short(id)}.${attribute}}`;
  }
  if (more.length === 0 && name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]];
    return parts.map(readable).join(separator);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]));
}

/**
 * Returns the dependencies of each resource: DependsOn, and Ref, GetAtt and `${}` in Fn::Sub, in properties and metadata. CloudFormation deletes in
 * the opposite order.
 */
export function dependenciesOf(template: Template): { readonly [logicalId: string]: ReadonlySet<string> } {
  const resources = resourcesOf(template);
  const direct = Object.fromEntries(Object.entries(resources).map(([id, resource]) => {
    const found = new Set([resource.DependsOn ?? []].flat());
    collectReferences([resource.Properties, resource.Metadata], found);
    return [id, new Set([...found].filter((other) => other in resources))];
  }));
  const all: { [logicalId: string]: Set<string> } = {};
  for (const id of Object.keys(direct)) {
    const reached = new Set<string>();
    const open = [...direct[id] ?? []];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (!reached.has(next)) {
        reached.add(next);
        open.push(...direct[next] ?? []);
      }
    }
    all[id] = reached;
  }
  return all;
}

function collectReferences(value: unknown, found: Set<string>): void {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  for (const [name, argument] of Object.entries(value)) {
    if (name === 'Ref') {
      found.add(argument as string);
    } else if (name === 'Fn::GetAtt') {
      found.add((argument as string[])[0] ?? '');
    } else if (name === 'Fn::Sub') {
      const text = Array.isArray(argument) ? argument[0] as string : argument as string;
      for (const [, id] of text.matchAll(/\$\{(\w+)[.}]/g)) {
        found.add(id ?? '');
      }
    }
    collectReferences(argument, found);
  }
}

/** Returns the logical id of a policy without the hash of what it grants. */
export function withoutHash(logicalId: string): string {
  return short(logicalId).replace(/(?<=Policy)[0-9a-f]{8}$/, '');
}

function short(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}
