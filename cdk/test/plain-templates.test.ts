import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { Template } from 'aws-cdk-lib/assertions';
import { parse } from 'yaml';
import { plainTemplates } from '../lib/plain-templates';
import { dependenciesOf, readable, resourcesOf, statementsOf, withoutHash } from './template';

const templates = Object.fromEntries(Object.entries(plainTemplates()).map(([file, json]) => [file, Template.fromJSON(JSON.parse(JSON.stringify(json)) as { [key: string]: unknown })]));

for (const [file, template] of Object.entries(templates)) {
  test(`${file} is the output of \`npm run templates\``, () => {
    assert.deepEqual(parse(readFileSync(path.join(__dirname, '..', 'templates', file), 'utf8')), template.toJSON());
  });

  test(`${file} needs no bootstrap and no construct paths`, () => {
    assert.doesNotMatch(JSON.stringify(template.toJSON()), /cdk-hnb659fds|aws:cdk:path|BootstrapVersion/);
  });

  test(`${file} has cfn-lint ignore no error`, () => {
    const ignored = Object.values(resourcesOf(template)).flatMap(({ Metadata }) =>
      (Metadata as { 'cfn-lint'?: { config: { ignore_checks: string[] } } } | undefined)?.['cfn-lint']?.config.ignore_checks ?? []);
    assert.deepEqual(ignored.filter((check) => check.startsWith('E')), []);
  });

  test(`${file} has no circular dependency, and its custom resources are deleted before what they need`, () => {
    const resources = resourcesOf(template);
    for (const [id, needed] of Object.entries(dependenciesOf(template))) {
      assert.ok(!needed.has(id), `${id} needs itself`);
      if (resources[id]?.Type.startsWith('Custom::')) {
        const deletedFirst = Object.entries(resources).filter(([other, { Type }]) => !needed.has(other) && /IAM|Lambda::|StateMachine|LogGroup|Route53/.test(Type));
        // Subdomains do not need the policy for certificates.
        assert.deepEqual(deletedFirst.map(([other]) => withoutHash(other)).filter((other) => !other.endsWith('CertificatesPolicy')), []);
      }
    }
  });
}

/** Returns a value if these conditions are true and all others false. */
function under(value: unknown, holding: readonly string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((one) => under(one, holding)).filter((one) => one !== undefined);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const [[name, argument] = []] = Object.entries(value) as [string, unknown][];
  if (name === 'Fn::If') {
    const [condition, then, otherwise] = argument as [string, unknown, unknown];
    return under(holding.includes(condition) ? then : otherwise, holding);
  }
  if (name === 'Ref' && argument === 'AWS::NoValue') {
    return undefined;
  }
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, under(one, holding)] as const).filter(([, one]) => one !== undefined));
}

for (const [file, template] of Object.entries(templates)) {
  const propertiesUnder = (type: string, ...holding: string[]) => Object.values(resourcesOf(template)).filter(({ Type }) => Type === type)
    .map(({ Properties }) => under(Properties, holding) as { [name: string]: unknown });

  test(`${file} without a company's rules has standard paths, and neither a boundary, a network nor a key`, () => {
    const functions = propertiesUnder('AWS::IAM::Role').filter((role) => String(role['Description']).includes('function'));
    assert.deepEqual(functions.map((role) => role['Path']), [file === 'networking.yaml' ? '/zone-delegation/publish-zone/' : '/zone-delegation/delegate-subdomain/']);
    const others = ['AWS::IAM::Role', 'AWS::Lambda::Function', 'AWS::Logs::LogGroup', 'AWS::StepFunctions::StateMachine'].flatMap((type) => propertiesUnder(type));
    assert.deepEqual(others.flatMap((properties) => Object.keys(properties)).filter((name) => /Boundary|Vpc|Kms|Encryption/.test(name)), []);
  });

  test(`${file} gives every role the permissions boundary and the path of its parameters`, () => {
    for (const role of propertiesUnder('AWS::IAM::Role', 'HasPermissionsBoundary', 'HasRolePath')) {
      assert.deepEqual([role['PermissionsBoundary'], role['Path']], [{ Ref: 'PermissionsBoundaryArn' }, { Ref: 'RolePath' }]);
    }
  });

  test(`${file} runs its function in the network, and encrypts by the key, of its parameters, with permission for both`, () => {
    const [made] = propertiesUnder('AWS::Lambda::Function', 'HasSubnets', 'HasKmsKey');
    assert.deepEqual([made!['VpcConfig'], made!['KmsKeyArn']], [{ SubnetIds: { Ref: 'SubnetIds' }, SecurityGroupIds: { Ref: 'SecurityGroupIds' } }, { Ref: 'KmsKeyArn' }]);
    propertiesUnder('AWS::Logs::LogGroup', 'HasKmsKey').forEach((logs) => assert.deepEqual(logs['KmsKeyId'], { Ref: 'KmsKeyArn' }));
    propertiesUnder('AWS::StepFunctions::StateMachine', 'HasKmsKey')
      .forEach((machine) => assert.deepEqual(machine['EncryptionConfiguration'], { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: { Ref: 'KmsKeyArn' } }));
    const actions = (...holding: string[]) => {
      const policies = Object.values(resourcesOf(template)).filter(({ Type, Properties }) => Type === 'AWS::IAM::Policy' && Properties['PolicyName'] === 'Company') as unknown as { Condition: string; Properties: unknown }[];
      const deployed = policies.filter(({ Condition }) => holding.includes(Condition)).map(({ Properties }) => under(Properties, holding) as { PolicyDocument: { Statement: { Action: string | string[] }[] } });
      return new Set(deployed.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flatMap(({ Action }) => Action)).map((action) => action.split(':')[0]));
    };
    assert.deepEqual([...actions()], []);
    assert.deepEqual([...actions('HasSubnets', 'HasSubnetsOrKmsKey')], ['ec2']);
    assert.deepEqual([...actions('HasKmsKey', 'HasSubnetsOrKmsKey')], ['kms']);
    for (const [id, needed] of Object.entries(dependenciesOf(template)).filter(([id]) => ['AWS::Lambda::Function', 'AWS::StepFunctions::StateMachine'].includes(resourcesOf(template)[id]!.Type))) {
      assert.ok([...needed].some((other) => resourcesOf(template)[other]!.Properties['PolicyName'] === 'Company'), `${id} needs the policy`);
    }
  });

  test(`${file} states the greatest length of its stack's name, if other names are derived from it`, () => {
    const names = Object.values(template.findResources('AWS::StepFunctions::StateMachine')).map(({ Properties }) => readable((Properties as { StateMachineName: unknown }).StateMachineName) as string);
    const { Description: description } = template.toJSON() as { Description: string };
    assert.equal(names.length, file === 'networking.yaml' ? 0 : 1);
    const [, stack, stackSet] = /Stack name: at most (\d+) characters, StackSet name: at most (\d+)\.$/.exec(description)?.map(Number) ?? [];
    for (const name of names) {
      assert.equal(name.replace('${AWS::StackName}', 'x'.repeat(stack!)).length, 80);
      assert.equal(`StackSet-${'x'.repeat(stackSet!)}-8d6e1a2c-6a4f-4f0c-9d53-0a7c2f1b9e44`.length, stack);
    }
  });
}

test('a consumer of the networking template has a role under a condition, for complete names', () => {
  const template = templates['networking.yaml']!;
  const roles = Object.values(template.findResources('AWS::IAM::Role', { Condition: 'HasConsumer1' })) as { Properties: unknown }[];
  assert.equal(roles.length, 1);
  const role = JSON.stringify(readable(roles[0]!.Properties));
  assert.match(role, /"route53:ChangeResourceRecordSetsNormalizedRecordNames":"\$\{Consumer1DomainNames\}"/);
  assert.match(role, /"arn:\$\{AWS::Partition\}:iam::\$\{Consumer1Account\}:role\$\{ConsumerRolePath\}\*"/);
  assert.match(role, /"StringEquals":\{"Fn::If":\["NarrowsConsumer1",\{"sts:ExternalId":/);
});

test('the names of all given consumers are one list', () => {
  const [id, { Properties }] = Object.entries(resourcesOf(templates['networking.yaml']!)).find(([, { Type }]) => Type === 'Custom::PublishedZone')!;
  assert.ok(id);
  const { Conditions: conditions } = templates['networking.yaml']!.toJSON() as { Conditions: { [name: string]: unknown } };
  const namesOf = (consumers: { readonly [number: number]: string[] }) => {
    const holds = (condition: unknown): boolean => {
      const [[operator, argument]] = Object.entries(condition as object) as [[string, unknown]];
      switch (operator) {
        case 'Condition': return holds(conditions[argument as string]);
        case 'Fn::Or': return (argument as unknown[]).some(holds);
        case 'Fn::Not': return !holds((argument as unknown[])[0]);
        default: return !(/^Consumer(\d)Account$/.exec((argument as [{ Ref: string }])[0].Ref)![1]! in consumers);
      }
    };
    const text = (value: unknown): unknown => {
      if (typeof value === 'string') {
        return value;
      }
      const [[operator, argument]] = Object.entries(value as object) as [[string, unknown]];
      switch (operator) {
        case 'Ref': return consumers[Number(/^Consumer(\d)DomainNames$/.exec(argument as string)![1])] ?? [''];
        case 'Fn::If': return text((argument as unknown[])[holds(conditions[(argument as string[])[0]!]) ? 1 : 2]);
        case 'Fn::Join': return [(argument as [string, unknown])[1]].flatMap((list) => (Array.isArray(list) ? list.map(text) : text(list))).join((argument as [string])[0]);
        default: return (text((argument as unknown[])[1]) as string).split((argument as [string])[0]);
      }
    };
    return text(Properties['DelegatedNames']);
  };
  assert.deepEqual(namesOf({}), ['']);
  assert.deepEqual(namesOf({ 3: ['c'] }), ['c']);
  assert.deepEqual(namesOf({ 1: ['a', 'b'], 2: ['c'], 5: ['d', 'e'] }), ['a', 'b', 'c', 'd', 'e']);
  assert.deepEqual(namesOf({ 2: ['b'], 4: ['d'] }), ['b', 'd']);
});

test('the consumer template assumes only the role of its parameter', () => {
  assert.deepEqual(statementsOf(templates['consumer.yaml']!)['DelegateSubdomainFunctionDelegateSubdomainDelegationRolePolicy'], [
    { Action: 'sts:AssumeRole', Effect: 'Allow', Resource: '${NetworkRoleArn}' },
  ]);
  assert.ok(!JSON.stringify(statementsOf(templates['application.yaml']!)).includes('role/zone-delegation'));
});

test('the defaults of the templates are those of the constructs', () => {
  for (const [file, template] of Object.entries(templates)) {
    const parameters = template.toJSON()['Parameters'] as { [name: string]: { Default?: unknown } };
    const defaults = Object.fromEntries(['AlarmTopicArn', 'LogRetentionDays', 'Ttl', 'DrainSeconds'].filter((name) => name in parameters).map((name) => [name, parameters[name]!.Default]));
    assert.deepEqual(defaults, { AlarmTopicArn: '', LogRetentionDays: '90', ...file !== 'networking.yaml' && { Ttl: 300, DrainSeconds: '' } });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: { Ref: 'LogRetentionDays' } });
  }
});
