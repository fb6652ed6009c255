import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { CloudFormationStackArtifact } from 'aws-cdk-lib/cx-api';
import { addStacks } from '../lib/app';
import { plainTemplates } from '../lib/plain-templates';
import { configuration, dependenciesOf, functionZips, readable, resourceOf, resourcesOf, synthesize, withoutHash } from './template';
import { publishedZone } from './zones';

const stackNames = ['zone-delegation-networking-dev', 'zone-delegation-consumer-dev'];

test('the stacks are named for the instance and the consumer', () => {
  const consumers = [{ account: '222222222222' }, { account: '333333333333', names: ['qa.eu'] }];
  assert.deepEqual(Object.keys(synthesize({ consumers })), [...stackNames, 'zone-delegation-consumer-dev-qa-eu']);
});

test('networking is deployed before its consumers, and deleted after them', () => {
  const app = new App({ context: { ...configuration, functionZips, consumers: [{ account: '222222222222' }, { account: '333333333333', names: ['qa'] }] } });
  addStacks(app);
  assert.deepEqual(app.synth().stacks.map(({ stackName, dependencies }) => [
    stackName, dependencies.flatMap((artifact) => (artifact instanceof CloudFormationStackArtifact ? artifact.stackName : [])),
  ]), [
    [stackNames[0], []], [stackNames[1], [stackNames[0]]], ['zone-delegation-consumer-dev-qa', [stackNames[0]]],
  ]);
});

test('the delegated zone is delegated from the base domain and published', () => {
  const template = synthesize()['zone-delegation-networking-dev']!;
  template.hasResourceProperties('AWS::Route53::HostedZone', { Name: 'build.example.com.' });
  const recordSet = readable(resourceOf(template, 'AWS::Route53::RecordSet').Properties) as { [name: string]: unknown };
  assert.deepEqual(
    [recordSet['HostedZoneId'], recordSet['Name'], recordSet['Type'], recordSet['TTL'], recordSet['ResourceRecords']],
    ['Z0BASE', 'build.example.com.', 'NS', '900', '${PublishedZone.NameServers}'],
  );
  assert.deepEqual(readable(resourceOf(template, 'Custom::PublishedZone').Properties), {
    ServiceToken: '${PublishZoneFunctionPublishZoneFunction.Arn}',
    HostedZoneId: '${PublishedZone}',
    ParameterPrefix: '/zone-delegation/dev',
    DelegatedNames: ['dev.build.example.com'],
  });
});

test('a consumer gets its names, its applications below them, and their certificates', () => {
  const template = synthesize({
    networkingRegion: 'eu-west-1',
    consumers: [{ account: '222222222222', applications: ['app1'], certificateRegion: 'eu-central-1', externalId: 'team-a' }],
  })['zone-delegation-consumer-dev']!;
  const ServiceToken = '${DelegateSubdomainFunctionDelegateSubdomainFunction.Arn}';
  assert.deepEqual(readable(resourceOf(template, 'Custom::DelegatedSubdomain', 'devF').Properties), {
    ServiceToken,
    Subdomain: 'dev',
    ParameterPrefix: '/zone-delegation/dev',
    NetworkRoleArn: 'arn:${AWS::Partition}:iam::111111111111:role/zone-delegation-dev-222222222222',
    NetworkRegion: 'eu-west-1',
    ExternalId: 'team-a',
  });
  assert.deepEqual(readable(resourceOf(template, 'Custom::DelegatedSubdomain', 'app1').Properties), {
    ServiceToken,
    Subdomain: 'app1',
    ParentHostedZoneId: '${dev.HostedZoneId}',
  });
  assert.deepEqual(readable(resourceOf(template, 'Custom::SubdomainCertificate').Properties), {
    ServiceToken,
    HostedZoneId: '${app1dev.HostedZoneId}',
    DomainName: 'app1.dev.build.example.com',
    SubjectAlternativeNames: ['*.app1.dev.build.example.com'],
    Region: 'eu-central-1',
  });
});

test('each stack has one function, which knows the greatest age of an invocation', () => {
  for (const template of Object.values(synthesize({ architecture: 'x86_64', functionEnvironment: { RUST_LOG: 'debug' } }))) {
    const { Properties } = resourceOf(template, 'AWS::Lambda::Function');
    const { Timeout, Environment, Architectures, Runtime, Handler } = Properties as {
      Timeout: number; Environment: { Variables: { [name: string]: string } }; Architectures: string[]; Runtime: string; Handler: string;
    };
    assert.deepEqual([Architectures, Runtime, Handler, Timeout], [['x86_64'], 'provided.al2023', 'bootstrap', 900]);
    assert.equal(Environment.Variables['RUST_LOG'], 'debug');
    const events = resourceOf(template, 'AWS::Lambda::EventInvokeConfig').Properties;
    assert.equal(events['MaximumRetryAttempts'], 2);
    // A new account may run 10 invocations at once, each for two minutes: 30 requests are served within ten.
    assert.ok(Number(events['MaximumEventAgeInSeconds']) >= 600);
    assert.equal(Environment.Variables['MAX_INVOCATION_AGE_SECONDS'], String(Number(events['MaximumEventAgeInSeconds']) + Timeout));
  }
});

test('every function knows its stack', () => {
  const plain = Object.values(plainTemplates()).map((template) => Template.fromJSON(JSON.parse(JSON.stringify(template)) as { [key: string]: unknown }));
  const nested = new NestedStack(new Stack(new App({ context: { functionZips } }), 'Parent'), 'Nested');
  publishedZone(nested);
  for (const template of [...Object.values(synthesize()), ...plain, Template.fromStack(nested)]) {
    const { Variables } = resourceOf(template, 'AWS::Lambda::Function').Properties['Environment'] as { Variables: { [name: string]: unknown } };
    assert.deepEqual(Variables['STACK_ID'], { Ref: 'AWS::StackId' });
  }
});

test('the waiter has the name in the function\'s environment, and calls the function until it is done', () => {
  const template = synthesize()['zone-delegation-consumer-dev']!;
  const { Properties } = resourceOf(template, 'AWS::StepFunctions::StateMachine');
  assert.equal(readable(Properties['StateMachineName']), '${AWS::StackName}-waiter');
  assert.equal(Properties['StateMachineType'], 'STANDARD');
  assert.equal((Properties['LoggingConfiguration'] as { IncludeExecutionData: boolean }).IncludeExecutionData, false);
  const environment = readable(resourceOf(template, 'AWS::Lambda::Function').Properties['Environment']);
  assert.equal((environment as { Variables: { [name: string]: string } }).Variables['STATE_MACHINE_ARN'],
    'arn:${AWS::Partition}:states:us-east-1:222222222222:stateMachine:${AWS::StackName}-waiter');

  const definition = JSON.parse(readable(Properties['DefinitionString']) as string) as { States: { [name: string]: { Next?: string } } };
  assert.deepEqual(Object.entries(definition.States).map(([name, { Next }]) => [name, Next]), [
    ['Call the function', 'Answered?'], ['Answered?', undefined], ['Wait', 'Call the function'], ['Answered', undefined],
  ]);
});

test('no dependency is circular', () => {
  for (const template of Object.values(synthesize())) {
    for (const [id, needed] of Object.entries(dependenciesOf(template))) {
      assert.ok(!needed.has(id), `${id} needs itself`);
    }
  }
});

test('custom resources are deleted first', () => {
  // CloudFormation deletes a resource before all resources on which it depends.
  const deletedLater = [
    'AWS::Lambda::Function', 'AWS::Lambda::EventInvokeConfig', 'AWS::IAM::Role', 'AWS::IAM::Policy', 'AWS::StepFunctions::StateMachine',
    'AWS::Logs::LogGroup', 'AWS::Route53::HostedZone', 'AWS::Route53::RecordSet',
  ];
  for (const template of Object.values(synthesize())) {
    const resources = resourcesOf(template);
    for (const [id, needed] of Object.entries(dependenciesOf(template)).filter(([id]) => resources[id]?.Type.startsWith('Custom::'))) {
      const deletedFirst = Object.keys(resources).filter((other) => deletedLater.includes(resources[other]?.Type ?? '') && !needed.has(other));
      // The permissions of another kind of custom resource may be deleted before.
      assert.deepEqual(deletedFirst.map(withoutHash).filter((other) => !/(Certificates|DelegationRole|Delegations)Policy$/.test(other)), [],
        `${id} must go before these`);
    }
  }
});

test('a subdomain is deleted after its applications and their certificates', () => {
  const dependencies = dependenciesOf(synthesize()['zone-delegation-consumer-dev']!);
  const id = (start: string) => Object.keys(dependencies).find((other) => other.startsWith(start)) ?? '';
  assert.ok(dependencies[id('app1devCertificate')]?.has(id('app1dev9')));
  assert.ok(dependencies[id('app1dev9')]?.has(id('devF')));
});

test('two syntheses are equal', () => {
  const json = () => Object.entries(synthesize()).map(([name, template]) => [name, template.toJSON()] as const);
  assert.deepEqual(json(), json());
});

test('an addition changes no existing resource', () => {
  const before = synthesize();
  const after = synthesize({
    consumers: [{ account: '222222222222', names: ['dev', 'more'], applications: ['app1', 'app2'] }, { account: '333333333333', names: ['qa'] }],
  });
  for (const stackName of stackNames) {
    const [standing, now] = [resourcesOf(before[stackName]!), resourcesOf(after[stackName]!)];
    const changed = Object.keys(standing).filter((id) => JSON.stringify(now[id]) !== JSON.stringify(standing[id]));
    // The consumer's role gets its new name, and the published zone all names; the zone is deleted before the new role. In the consumer's stack,
    // the one policy that lists names changes in place.
    assert.deepEqual(changed.map((id) => [standing[id]?.Type, /Apex/.test(id)]).sort(),
      stackName === stackNames[0] ? [['AWS::IAM::Role', false], ['Custom::PublishedZone', false]] : [['AWS::IAM::Policy', true]]);
    const { DelegatedNames, ...properties } = Object.values(now).find(({ Type }) => Type === 'Custom::PublishedZone')?.Properties ?? {};
    if (stackName === stackNames[0]) {
      assert.deepEqual(DelegatedNames, ['dev.build.example.com', 'more.build.example.com', 'qa.build.example.com']);
      assert.deepEqual({ ...properties, DelegatedNames: ['dev.build.example.com'] }, Object.values(standing).find(({ Type }) => Type === 'Custom::PublishedZone')?.Properties);
    }
  }
});

test('a retired name is deleted with the permission with which it was created', () => {
  const consumer = { account: '222222222222', names: ['dev', 'qa'], applications: ['app1'] };
  const before = synthesize({ consumers: [consumer] });
  const after = synthesize({ consumers: [{ ...consumer, retiredNames: ['qa'] }] });
  assert.deepEqual(after[stackNames[0]!]!.toJSON(), before[stackNames[0]!]!.toJSON());
  const [standing, now] = [resourcesOf(before[stackNames[1]!]!), resourcesOf(after[stackNames[1]!]!)];
  assert.deepEqual(Object.keys(standing).filter((id) => !(id in now)).map((id) => id.replace(/\w{8}$/, '')).sort(), ['app1qa', 'app1qaCertificate', 'qa']);
  const changed = Object.entries(now).filter(([id, resource]) => JSON.stringify(standing[id]) !== JSON.stringify(resource)).map(([id]) => withoutHash(id));
  assert.deepEqual(changed, ['DelegateSubdomainFunctionDelegateSubdomainApexPolicy']);
});

test('a consumer all of whose names are retired keeps its role and its function, and no name', () => {
  const consumer = { account: '222222222222', names: ['dev', 'qa'], applications: ['app1'], retiredNames: ['qa', 'dev'] };
  const { [stackNames[0]!]: networking, [stackNames[1]!]: template } = synthesize({ consumers: [consumer] });
  networking!.hasResourceProperties('AWS::IAM::Role', { RoleName: 'zone-delegation-dev-222222222222' });
  assert.deepEqual(Object.values(resourcesOf(template!)).filter(({ Type }) => Type.startsWith('Custom::')), []);
  template!.resourceCountIs('AWS::Lambda::Function', 1);
  assert.equal(template!.toJSON()['Description'], 'Subdomains of build.example.com: none');
});

test('two instances share no names, except those of consumers below another zone', () => {
  const consumers = [{ account: '222222222222', names: ['dev'], applications: ['app1'] }];
  const names = (context: { [key: string]: unknown }) => Object.entries(synthesize({ ...context, consumers })).flatMap(([stackName, template]) => [
    stackName,
    ...Object.values(resourcesOf(template)).flatMap(({ Type, Properties }) => {
      const { RoleName, Name, ParameterPrefix } = Properties as { [name: string]: string | undefined };
      return Type === 'Custom::DelegatedSubdomain' ? [] : [RoleName, Name, ParameterPrefix].filter((name) => name !== undefined);
    }),
  ]);
  const [old, other] = [names({}), names({ instance: 'dev2', subDomain: 'build2' })];
  assert.ok(old.includes('build.example.com.') && old.includes('/zone-delegation/dev') && old.includes('zone-delegation-dev-222222222222'));
  assert.equal(other.length, old.length);
  assert.deepEqual(other.filter((name) => old.includes(name)), []);
});

test('a certificate in the stack\'s Region has an alarm if there is a topic', () => {
  const consumer = { account: '222222222222', applications: ['app1', 'app2'], alarmTopicArn: 'arn:aws:sns:us-east-1:222222222222:Alarms' };
  const expiryAlarms = (changes: object) => {
    const { [stackNames[1]!]: template } = synthesize({ consumers: [{ ...consumer, ...changes }] });
    return Object.values(resourcesOf(template!)).filter(({ Properties }) => Properties['MetricName'] === 'DaysToExpiry').map(({ Properties }) => readable(Properties));
  };
  const alarms = expiryAlarms({}) as { [name: string]: unknown }[];
  assert.equal(alarms.length, 2);
  const { AlarmDescription, ...alarm } = alarms[0]!;
  assert.equal(AlarmDescription, '${app1devCertificate.CertificateArn} of ${AWS::StackName} expires in less than 30 days: ACM has not renewed it.');
  assert.deepEqual(alarm, {
    Namespace: 'AWS/CertificateManager',
    MetricName: 'DaysToExpiry',
    Dimensions: [{ Name: 'CertificateArn', Value: '${app1devCertificate.CertificateArn}' }],
    Statistic: 'Minimum',
    Period: 86_400,
    EvaluationPeriods: 1,
    Threshold: 30,
    ComparisonOperator: 'LessThanThreshold',
    TreatMissingData: 'ignore',
    AlarmActions: ['arn:aws:sns:us-east-1:222222222222:Alarms'],
  });
  assert.deepEqual(expiryAlarms({ certificateRegion: 'us-east-1' }), alarms);
  assert.deepEqual([...expiryAlarms({ certificateRegion: 'eu-west-1' }), ...expiryAlarms({ alarmTopicArn: undefined })], []);
});

test('times and retention are those of the configuration, or else the defaults of the functions and constructs', () => {
  const [standing, changed] = [{}, { ttlSeconds: 60, drainSeconds: 3480 }].map((times) => synthesize({
    ...Object.keys(times).length > 0 && { logRetentionDays: 365 }, consumers: [{ account: '222222222222', names: ['dev'], applications: ['app1'], ...times }],
  }));
  const subdomains = (templates: typeof standing) => Object.values(resourcesOf(templates![stackNames[1]!]!)).filter(({ Type }) => Type === 'Custom::DelegatedSubdomain');
  assert.deepEqual(subdomains(changed).map(({ Properties }) => [Properties['Ttl'], Properties['DrainSeconds']]), [[60, 3480], [60, 3480]]);
  assert.deepEqual(subdomains(standing).filter(({ Properties }) => 'Ttl' in Properties || 'DrainSeconds' in Properties), []);
  const retentions = (templates: typeof standing) => Object.values(templates!).flatMap((template) => Object.values(template.findResources('AWS::Logs::LogGroup'))
    .map(({ Properties }) => (Properties as { RetentionInDays: number }).RetentionInDays));
  assert.deepEqual([retentions(standing), retentions(changed)], [[90, 90, 90], [365, 365, 365]]);
});

test('every alarm exists', () => {
  const metrics = (template: Template) => Object.values(template.findResources('AWS::CloudWatch::Alarm'))
    .map(({ Properties }) => (Properties as { MetricName: string }).MetricName).sort();
  const templates = synthesize();
  assert.deepEqual(metrics(templates['zone-delegation-networking-dev']!), ['AsyncEventsDropped', 'Errors', 'Throttles']);
  assert.deepEqual(metrics(templates['zone-delegation-consumer-dev']!),
    ['AsyncEventsDropped', 'Errors', 'ExecutionsAborted', 'ExecutionsFailed', 'ExecutionsTimedOut', 'Throttles']);
});

test('terminationProtection protects the stacks of all accounts', () => {
  for (const [given, expected] of [[undefined, undefined], ['true', true], [true, true]] as const) {
    const app = new App({ context: { ...configuration, functionZips, ...given !== undefined && { terminationProtection: given } } });
    addStacks(app);
    const stacks = app.synth().stacks;
    assert.equal(stacks.length, 2);
    stacks.forEach(({ terminationProtection }) => assert.equal(terminationProtection || undefined, expected));
  }
});

test('retainZones keeps the zones of all accounts with their NS record sets, except for an entry that sets it to false', () => {
  const consumers = [{ account: '222222222222', names: ['dev'], applications: ['app1'] }, { account: '333333333333', names: ['qa'], retainZones: false }];
  const kept = (context: { [key: string]: unknown }) => Object.values(synthesize({ ...context, consumers })).flatMap((template) =>
    Object.values(resourcesOf(template) as { [id: string]: { Type: string; DeletionPolicy?: string } }).filter(({ DeletionPolicy }) => DeletionPolicy?.startsWith('Retain')).map(({ Type }) => Type));
  assert.deepEqual(kept({}), []);
  assert.deepEqual(kept({ retainZones: true }).sort(), [
    'AWS::IAM::Role', 'AWS::IAM::Role', 'AWS::Route53::HostedZone', 'AWS::Route53::RecordSet', 'Custom::DelegatedSubdomain', 'Custom::DelegatedSubdomain', 'Custom::PublishedZone',
  ]);
});
