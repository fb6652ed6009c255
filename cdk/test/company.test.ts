import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { NIST80053R5Checks } from 'cdk-nag';
import { DelegatedSubdomain, FunctionDefaults, type FunctionSettings, PublishedZone } from '../lib';
import { findings } from './nag';
import { dependenciesOf, functionZips, resourcesOf } from './template';
import { delegation } from './zones';

const ENV = { account: '222222222222', region: 'eu-west-1' };
const BOUNDARY = 'arn:aws:iam::222222222222:policy/boundary';

/** A consumer's stack in a company with rules of its own. */
function companyIn(app: App): Stack {
  const stack = new Stack(app, 'Company', { env: ENV });
  const encryptionKey = new kms.Key(stack, 'Key', { enableKeyRotation: true });
  FunctionDefaults.set(app, { functionZips, logRetention: logs.RetentionDays.ONE_YEAR, logRemovalPolicy: RemovalPolicy.RETAIN, tracing: lambda.Tracing.ACTIVE });
  FunctionDefaults.set(stack, {
    encryptionKey,
    vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-1', availabilityZones: ['eu-west-1a'], privateSubnetIds: ['subnet-1'] }),
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
    securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1')],
    deadLetterQueue: sqs.Queue.fromQueueArn(stack, 'Queue', 'arn:aws:sqs:eu-west-1:222222222222:failed'),
    reservedConcurrentExecutions: 5,
    alarmTopic: sns.Topic.fromTopicArn(stack, 'Topic', 'arn:aws:sns:eu-west-1:222222222222:alarms'),
    codeSigningConfig: lambda.CodeSigningConfig.fromCodeSigningConfigArn(stack, 'Signing', 'arn:aws:lambda:eu-west-1:222222222222:code-signing-config:csc-1'),
    rolePath: '/company/',
  });
  new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');
  iam.PermissionsBoundary.of(app).apply(iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Boundary', BOUNDARY));
  return stack;
}

const company = () => Template.fromStack(companyIn(new App()));

test('a company\'s settings reach the function, its logs, its role and the state machine, from the defaults of the app and the stack', () => {
  const template = company();
  template.hasResourceProperties('AWS::Lambda::Function', {
    VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
    KmsKeyArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] },
    DeadLetterConfig: { TargetArn: 'arn:aws:sqs:eu-west-1:222222222222:failed' },
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

test('what the function\'s network and key need is granted before Lambda asks for it', () => {
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

test('the innermost default holds, and what is given holds before each', () => {
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

test('cdk-nag\'s NIST 800-53 pack finds nothing in a stack with a company\'s settings', () => {
  assert.deepEqual(findings((app) => { companyIn(app); }, NIST80053R5Checks), []);
});
