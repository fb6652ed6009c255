import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone, SubdomainCertificate } from '../lib';
import { dependenciesOf, functionZips, readable, resourceOf, resourcesOf, stackWithFunctions } from './template';
import { delegation, publishedZone } from './zones';

const ENV = { account: '222222222222', region: 'ap-northeast-1' };

interface Document { readonly Statement: { readonly Condition?: { readonly 'ForAllValues:StringEquals'?: { readonly [key: string]: string[] } } }[] }
interface Policy { readonly Roles: { readonly Ref: string }[]; readonly PolicyDocument: Document }

/** Returns a document with values of the greatest length, without white space, as IAM counts it. */
function deployed(document: unknown): string {
  const longest: { readonly [reference: string]: string } = {
    'AWS::Partition': 'aws-us-gov', 'AWS::AccountId': '1'.repeat(12), 'AWS::Region': 'ap-southeast-1',
    'AWS::StackId': `arn:aws-us-gov:cloudformation:ap-southeast-1:111111111111:stack/${'s'.repeat(128)}/00000000-0000-0000-0000-000000000000`,
  };
  return JSON.stringify(readable(document)).replaceAll(/\$\{([\w:.]+)\}/g, (_, reference: string) => longest[reference] ?? 'Z'.repeat(32));
}

/** Returns the sizes of the policies of a template's roles in characters: the inline ones together, and each managed one. */
function sizes(template: Template): { [role: string]: { inline: number; managed: number[] } } {
  const resources = Object.entries(resourcesOf(template));
  const all: { [role: string]: { inline: number; managed: number[] } } = {};
  for (const [id, { Type, Properties }] of resources.filter(([, { Type }]) => Type === 'AWS::IAM::Role')) {
    assert.equal(Type, 'AWS::IAM::Role');
    const own = (Properties['Policies'] ?? []) as { PolicyDocument: Document }[];
    all[id] = { inline: own.reduce((sum, { PolicyDocument }) => sum + deployed(PolicyDocument).length, 0), managed: [] };
  }
  for (const [, { Type, Properties }] of resources) {
    const { Roles: roles, PolicyDocument: document } = Properties as unknown as Policy;
    if (Type === 'AWS::IAM::Policy') {
      roles.forEach(({ Ref }) => { all[Ref]!.inline += deployed(document).length; });
    } else if (Type === 'AWS::IAM::ManagedPolicy') {
      roles.forEach(({ Ref }) => all[Ref]!.managed.push(deployed(document).length));
    }
  }
  return all;
}

function assertFits(template: Template): { managed: number } {
  const all = Object.entries(sizes(template));
  for (const [role, { inline, managed }] of all) {
    assert.ok(inline <= 10_240, `${role} has ${inline} characters of inline policies`);
    assert.ok(managed.length <= 10, `${role} has ${managed.length} managed policies`);
    managed.forEach((size) => assert.ok(size <= 6_144, `${role} has a managed policy of ${size} characters`));
  }
  return { managed: Math.max(...all.map(([, { managed }]) => managed.length)) };
}

function zones(count: number): Template {
  const stack = stackWithFunctions(ENV);
  for (let number = 0; number < count; number += 1) {
    new PublishedZone(stack, `Zone${number}`, { zoneName: `zone-${number}.example.com`, parameterPrefix: `/zone-delegation/a-prefix-of-some-length/${number}` });
  }
  return Template.fromStack(stack);
}

function validationZones(count: number): Template {
  const stack = stackWithFunctions(ENV);
  for (let number = 0; number < count; number += 1) {
    const zone = new route53.PublicHostedZone(stack, `Zone${number}`, { zoneName: `zone-${number}.example.com` });
    new SubdomainCertificate(stack, `Certificate${number}`, { zone });
  }
  return Template.fromStack(stack);
}

function names(count: number): Template {
  const stack = stackWithFunctions(ENV);
  publishedZone(stack).allowDelegation({ account: '333333333333', names: Array.from({ length: count }, (_, index) => `a-name-of-a-usual-length-${index}`) });
  return Template.fromStack(stack);
}

function subdomains(count: number): Template {
  const stack = stackWithFunctions(ENV);
  for (let number = 0; number < count; number += 1) {
    new DelegatedSubdomain(stack, `Name${number}`, { subdomain: `a-name-of-a-usual-length-${number}`, delegation: { ...delegation, zoneName: 'build.example.com' } });
  }
  return Template.fromStack(stack);
}

test('few subdomains need no managed policy', () => {
  for (const template of [zones(1), validationZones(2), names(100), subdomains(15)]) {
    assert.deepEqual(assertFits(template), { managed: 0 });
  }
});

test('the policies of many subdomains are within the limits of IAM', () => {
  for (const template of [zones(20), validationZones(30), names(900)]) {
    assert.ok(assertFits(template).managed > 0);
  }
  assertFits(subdomains(300));
});

test('a shared policy is replaced when its grants change, so that a resource is deleted with the permissions with which it was created', () => {
  const shared = (count: number) => Object.keys(resourcesOf(zones(count))).filter((id) => id.includes('Shared'));
  const [before, after] = [shared(20), shared(21)];
  assert.equal(before.length, after.length);
  assert.equal(after.filter((id) => !before.includes(id)).length, 1);
  const template = zones(20);
  for (const [id, needed] of Object.entries(dependenciesOf(template)).filter(([id]) => resourcesOf(template)[id]!.Type === 'Custom::PublishedZone')) {
    assert.ok([...needed].some((other) => /(Shared\d|Publish)Policy/.test(other)), id);
  }
});

test('a role has all names that its account is granted, whichever policy lists them', () => {
  const granted = Object.values(resourcesOf(names(300))).flatMap(({ Type, Properties }) => {
    const { PolicyDocument: document } = Properties as unknown as Policy;
    const documents = Type === 'AWS::IAM::ManagedPolicy' ? [document] : (Properties['Policies'] as { PolicyDocument: Document }[] | undefined)?.map(({ PolicyDocument }) => PolicyDocument) ?? [];
    return documents.flatMap(({ Statement }) => Statement.flatMap(({ Condition }) =>
      Condition?.['ForAllValues:StringEquals']?.['route53:ChangeResourceRecordSetsNormalizedRecordNames'] ?? []));
  });
  assert.equal(new Set(granted).size, 300);
});

test('a published zone is deleted before all policies of its consumers\' roles', () => {
  const template = names(300);
  const needed = Object.entries(dependenciesOf(template)).find(([id]) => resourcesOf(template)[id]!.Type === 'Custom::PublishedZone')![1];
  const policies = Object.entries(resourcesOf(template)).filter(([, { Type }]) => Type === 'AWS::IAM::ManagedPolicy').map(([id]) => id);
  assert.ok(policies.length > 0);
  assert.deepEqual(policies.filter((id) => !needed.has(id)), []);
});

test('an exceeded limit is an error at synthesis that names the limit', () => {
  assert.throws(() => names(3_000), /^PropError: names of account 333333333333 are 3000, which need \d+ managed policies beside the inline policy of its role, and IAM takes 10: /);
  assert.throws(() => zones(60), /The role of the function publish-zone may need \d+ managed policies during an update, and IAM takes 10: put/);
});

test('a state machine\'s name is short enough in a nested stack and in one of a StackSet, StackSet-NAME-UUID', () => {
  const nameIn = (stack: Stack) => {
    new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
    return resourceOf(Template.fromStack(stack), 'AWS::StepFunctions::StateMachine').Properties['StateMachineName'];
  };
  const parent = () => new Stack(new App({ context: { functionZips } }), 'Parent');
  // In a stage, as in a pipeline.
  assert.deepEqual(nameIn(new Stack(new Stage(parent(), 'Stage'), 'InStage')), { 'Fn::Join': ['', [{ Ref: 'AWS::StackName' }, '-waiter']] });
  assert.deepEqual(nameIn(new Stack(parent(), 'Within')), { 'Fn::Join': ['', [{ 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] }, '-waiter']] });
});
