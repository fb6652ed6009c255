import { ArnFormat, Aws, Fn, RemovalPolicy, Stack, Stage, Token } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge, acknowledgeInlinePolicies, acknowledgeWildcard } from './acknowledge';
import { neededForStateMachineKey } from './function-needs';
import type { FunctionSettings } from './function-settings';
import { unlessToBeLookedUp } from './unknown';

// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
const LONGEST_NAME = 80;
const SUFFIX = '-waiter';
/** How long a stack's name may be if the waiter's name follows from it. */
export const LONGEST_STACK_NAME = LONGEST_NAME - SUFFIX.length;

/**
 * The loop of waits that are longer than an invocation: call the function, and if its reply says that it is not done, wait the seconds of the
 * reply and call it again with the reply. The function itself ends the loop by answering CloudFormation within `ServiceTimeout`, one hour at
 * most. The time-out of the execution is longer than that.
 *
 * The `ResponseURL` is in the execution history, because each call needs it and Step Functions keeps the input of every state. It accepts one
 * answer to one request, for two hours, and gives no access to anything else. The logs have no execution data. With `encryptionKey`, the
 * history is encrypted.
 */
export const WAITER_DEFINITION = {
  Comment: 'Calls the function until it has answered CloudFormation',
  StartAt: 'Call the function',
  TimeoutSeconds: 3_900,
  States: {
    'Call the function': {
      Type: 'Task',
      Resource: `arn:${Aws.PARTITION}:states:::lambda:invoke`,
      // The function continues a request only for the execution that it started for that request.
      Parameters: { FunctionName: '${FunctionArn}', Payload: { 'Waiter.$': '$.Waiter', 'Execution.$': '$$.Execution.Id' } },
      OutputPath: '$.Payload',
      TimeoutSeconds: 960,
      Retry: [
        {
          ErrorEquals: [
            'Lambda.ClientExecutionTimeoutException', 'Lambda.ServiceException', 'Lambda.AWSLambdaException',
            'Lambda.SdkClientException', 'Lambda.TooManyRequestsException',
          ],
          IntervalSeconds: 2,
          BackoffRate: 2,
          MaxDelaySeconds: 60,
          MaxAttempts: 20,
          JitterStrategy: 'FULL',
        },
        // The function failed, because it could not send its answer. It refuses a wrong event at each attempt.
        { ErrorEquals: ['States.ALL'], IntervalSeconds: 10, BackoffRate: 2, MaxAttempts: 3, JitterStrategy: 'FULL' },
      ],
      Next: 'Answered?',
    },
    'Answered?': {
      Type: 'Choice',
      Choices: [{ Variable: '$.Done', BooleanEquals: true, Next: 'Answered' }],
      Default: 'Wait',
    },
    Wait: { Type: 'Wait', SecondsPath: '$.Seconds', Next: 'Call the function' },
    Answered: { Type: 'Succeed' },
  },
};

/** The state machine for waits that are longer than an invocation. */
export class Waiter extends Construct {
  /** Must be deleted after the custom resources that may wait. */
  public readonly stateMachine: sfn.StateMachine;
  /** The policy of its role. */
  public readonly policy: iam.Policy;

  public constructor(scope: Construct, id: string, name: string, handler: lambda.IFunction, settings: FunctionSettings) {
    super(scope, id);
    acknowledgeInlinePolicies(this);
    const { encryptionKey, tracing } = settings;
    const isTraced = tracing !== undefined && tracing !== lambda.Tracing.DISABLED;
    const role = new iam.Role(this, 'Role', {
      path: unlessToBeLookedUp(settings.rolePath),
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          // Step Functions documents no narrower ARN than this one: https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
          ArnLike: { 'aws:SourceArn': waiterArn(this, '*') },
        },
      }),
      description: 'Role of the state machine in which zone-delegation waits',
    });
    this.policy = new iam.Policy(this, 'Policy', {
      statements: [
        new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [handler.functionArn] }),
        // Log delivery has no resources: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
        new iam.PolicyStatement({
          actions: [
            'logs:CreateLogDelivery', 'logs:DeleteLogDelivery', 'logs:DescribeLogGroups', 'logs:DescribeResourcePolicies',
            'logs:GetLogDelivery', 'logs:ListLogDeliveries', 'logs:PutResourcePolicy', 'logs:UpdateLogDelivery',
          ],
          resources: ['*'],
        }),
        ...encryptionKey ? [new iam.PolicyStatement(neededForStateMachineKey(encryptionKey.keyArn))] : [],
        // https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
        ...isTraced ? [new iam.PolicyStatement({
          actions: ['xray:GetSamplingRules', 'xray:GetSamplingTargets', 'xray:PutTelemetryRecords', 'xray:PutTraceSegments'], resources: ['*'],
        })] : [],
      ],
    });
    // Last: `Role.customizeRoles` reports what a policy has when it is attached.
    this.policy.attachToRole(role);
    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineName: name,
      stateMachineType: sfn.StateMachineType.STANDARD,
      role: role.withoutPolicyUpdates(),
      definitionBody: sfn.DefinitionBody.fromString(Stack.of(this).toJsonString(WAITER_DEFINITION)),
      encryptionConfiguration: encryptionKey && new sfn.CustomerManagedEncryptionConfiguration(encryptionKey),
      tracingEnabled: isTraced || undefined,
      definitionSubstitutions: { FunctionArn: handler.functionArn },
      logs: {
        destination: new logs.LogGroup(this, 'Logs', {
          // With this prefix, the deliveries do not exceed the size of the account's resource policy, see the page above.
          logGroupName: `/aws/vendedlogs/states/${name}`,
          retention: settings.logRetention ?? logs.RetentionDays.THREE_MONTHS,
          removalPolicy: settings.logRemovalPolicy ?? RemovalPolicy.DESTROY,
          encryptionKey,
        }),
        level: sfn.LogLevel.ALL,
        includeExecutionData: false,
      },
    });
    this.stateMachine.node.addDependency(this.policy);
    acknowledgeWildcard(this.policy, '*', 'Log delivery has no resources');
    acknowledge(this.stateMachine, 'SF2', 'It calls one function in a loop, and its log names every state');
  }

  /** Returns the failures of executions, as alarm id, metric and meaning. */
  public failures(): [string, cloudwatch.Metric, string][] {
    return [
      ['ExecutionsFailed', this.stateMachine.metricFailed(), 'failed while waiting: a custom resource may be left without an answer'],
      ['ExecutionsTimedOut', this.stateMachine.metricTimedOut(), 'waited past the end: a custom resource is left without an answer'],
      ['ExecutionsAborted', this.stateMachine.metricAborted(), 'was stopped while waiting: a custom resource is left without an answer'],
    ];
  }
}

/**
 * Returns the waiter's name, which follows from its stack's name. It is fixed, so that the function's environment can contain the ARN without a
 * reference: the state machine refers to the function already.
 */
export function waiterName(stack: Stack): string {
  const isShort = Token.isUnresolved(stack.stackName) || stack.stackName.length <= LONGEST_STACK_NAME;
  // A stack within a stack has another and longer name when it is deployed: a nested one, or one of a StackSet, `StackSet-NAME-UUID`. A stack's
  // id ends in a UUID.
  const scopes = stack.node.scopes.slice(0, -1).reverse();
  const around = scopes.slice(0, scopes.findIndex((scope) => Stage.isStage(scope)));
  const isWithin = around.some((scope) => Stack.isStack(scope));
  return !isWithin && isShort ? `${Aws.STACK_NAME}${SUFFIX}` : `${Fn.select(2, Fn.split('/', Aws.STACK_ID))}${SUFFIX}`;
}

/** Returns the waiter's ARN, built from its name. */
export function waiterArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({ service: 'states', resource: 'stateMachine', resourceName: name, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}

/** Returns the ARN of all executions of the waiter. */
export function executionsArn(scope: Construct, name: string): string {
  return Stack.of(scope).formatArn({ service: 'states', resource: 'execution', resourceName: `${name}:*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}
