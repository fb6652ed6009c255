import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { NIST80053R5Checks } from 'cdk-nag';
import * as nag2 from 'cdk-nag-2';
import { CompanyApp } from '../examples/company/company-app';
import { CompanyStack } from '../examples/company/company-stack';
import { DelegatedSubdomain, FunctionDefaults, type FunctionSettings, PublishedZone } from '../lib';
import { findings, findingsOfNag2, nagContext } from './nag';
import { dependenciesOf, functionZips, resourcesOf } from './template';
import { delegation } from './zones';

const BOUNDARY = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::222222222222:policy/company-boundary']] };
const ENV = { account: '222222222222', region: 'eu-west-1' };

/** Returns a consumer's stack in an app with the rules of a company. */
function companyIn(app: App): Stack {
  FunctionDefaults.set(app, { functionZips, logRemovalPolicy: RemovalPolicy.RETAIN });
  const stack = new CompanyStack(app, 'Company', { env: ENV });
  FunctionDefaults.set(stack, {
    codeSigningConfig: lambda.CodeSigningConfig.fromCodeSigningConfigArn(stack, 'Signing', 'arn:aws:lambda:eu-west-1:222222222222:code-signing-config:csc-1'),
  });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');
  return stack;
}

const company = () => Template.fromStack(companyIn(new CompanyApp()));

test('a company\'s settings reach the function, its logs, its role and the state machine, from the defaults of the app and the stack', () => {
  const template = company();
  template.hasResourceProperties('AWS::Lambda::Function', {
    VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
    KmsKeyArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] },
    DeadLetterConfig: { TargetArn: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':sqs:eu-west-1:222222222222:failed']] } },
    ReservedConcurrentExecutions: 5,
    TracingConfig: { Mode: 'Active' },
    CodeSigningConfigArn: 'arn:aws:lambda:eu-west-1:222222222222:code-signing-config:csc-1',
  });
  template.allResources('AWS::Logs::LogGroup', {
    Properties: Match.objectLike({ RetentionInDays: 365, KmsKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] } }), DeletionPolicy: 'Retain',
  });
  template.allResourcesProperties('AWS::IAM::Role', { Path: '/company/', PermissionsBoundary: BOUNDARY });
  template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
    EncryptionConfiguration: { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] } },
    TracingConfiguration: { Enabled: true },
  });
});

test('the permissions for the function\'s network and key exist before Lambda checks them', () => {
  const template = company();
  const [, needed] = Object.entries(dependenciesOf(template)).find(([id]) => resourcesOf(template)[id]!.Type === 'AWS::Lambda::Function')!;
  const policies = [...needed].filter((id) => resourcesOf(template)[id]!.Type === 'AWS::IAM::Policy').map((id) => JSON.stringify(resourcesOf(template)[id]));
  for (const action of ['ec2:CreateNetworkInterface', 'kms:Decrypt', 'sqs:SendMessage', 'xray:PutTraceSegments']) {
    assert.ok(policies.some((policy) => policy.includes(`"${action}"`)), action);
  }
});

test('CloudWatch Logs and the state machine may use the key', () => {
  const template = company();
  const policy = JSON.stringify(template.findResources('AWS::KMS::Key'));
  assert.match(policy, /logs\.amazonaws\.com/);
  const waiter = Object.entries(template.findResources('AWS::IAM::Policy')).find(([id]) => id.includes('WaiterPolicy'))![1];
  assert.match(JSON.stringify(waiter), /kms:GenerateDataKey/);
});

test('the innermost default applies, and a setting of the construct before all defaults', () => {
  const retention = (settings?: FunctionSettings, inner?: FunctionSettings) => {
    const app = new App();
    FunctionDefaults.set(app, { functionZips, logRetention: logs.RetentionDays.ONE_YEAR, environment: { RUST_LOG: 'debug' } });
    const stack = new Stack(app, 'Stack');
    if (inner) {
      FunctionDefaults.set(stack, inner);
    }
    new PublishedZone(stack, 'Zone', { zoneName: 'example.com', parameterPrefix: '/x', functionSettings: settings });
    return Object.values(Template.fromStack(stack).findResources('AWS::Logs::LogGroup')).map(({ Properties }) => (Properties as { RetentionInDays: number }).RetentionInDays);
  };
  assert.deepEqual(retention(), [365]);
  assert.deepEqual(retention(undefined, { logRetention: logs.RetentionDays.ONE_MONTH }), [30]);
  assert.deepEqual(retention({ logRetention: logs.RetentionDays.ONE_WEEK }, { logRetention: logs.RetentionDays.ONE_MONTH }), [7]);
  const app = new App();
  assert.throws(() => FunctionDefaults.set(app, { reservedConcurrentExecutions: 0 }), /^PropError: functionSettings\.reservedConcurrentExecutions must be a whole number from 1 on, but it is 0\.$/);
  assert.throws(() => FunctionDefaults.set(app, { rolePath: 'company' }), /^PropError: functionSettings\.rolePath must be a path of IAM/);
  assert.throws(() => FunctionDefaults.set(app, { securityGroups: [] }), /^PropError: functionSettings\.securityGroups must be left out without vpc\.$/);
});

test('an aspect of the company sees every alarm, and a property injector every log group', () => {
  const template = company();
  template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [Match.anyValue()] });
  template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
  template.hasResourceProperties('Custom::DelegatedSubdomain', { Tags: [{ Key: 'cost-center', Value: '42' }] });
});

for (const [version, find] of [
  ['2', (app: App) => findingsOfNag2(app, nag2.NIST80053R5Checks)], ['2, AwsSolutions,', (app: App) => findingsOfNag2(app)],
  ['3', (app: App) => findings(app, NIST80053R5Checks)], ['3, AwsSolutions,', (app: App) => findings(app)],
] as const) {
  test(`cdk-nag ${version} finds nothing without an explanation in a company's stack`, () => {
    const app = new CompanyApp({ context: nagContext });
    companyIn(app);
    assert.deepEqual(find(app), []);
  });
}
