import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { Aspects, Aws, Duration, Names, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, DependencyGroup, type IDependable } from 'constructs';
import { acknowledgeInlinePolicies, acknowledgeWildcard } from './acknowledge';
import { FunctionDefaults } from './function-defaults';
import { NEEDED_FOR_NETWORK, neededForKey } from './function-needs';
import type { FunctionSettings } from './function-settings';
import { checkFunctionSettings } from './function-settings-checks';
import { packagedFunctions } from './packaged-functions';
import { LIMITS, sizeOf } from './policy-size';
import { PropError } from './prop-checks';
import { unlessToBeLookedUp } from './unknown';

const TIMEOUT = Duration.minutes(15);
// In a new account 10 invocations may run at once. A request waits for those before it, and each of those is handed over after two minutes. A short
// age limits how long a Delete must wait for a Create that may still run.
const MAX_EVENT_AGE = Duration.minutes(10);
const RETRIES = 2;
/** Characters of a policy around its statements. */
const POLICY_FRAME = '{"Version":"2012-10-17","Statement":}'.length;
/**
 * Characters of inline policies for grants of which a stack may have many. Other inline policies have about 4,500. During an update, the role has
 * the earlier and the new ones.
 */
const INLINE_OF_MANY = 2_000;
// CloudWatch dates `Errors` at the start of an invocation, which may end at its time-out, and metrics of Step Functions may be late, too.
// An alarm sees a count only as long as its date is in the evaluated periods:
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
const ALARM_PERIOD = Duration.minutes(5);
const LATEST_COUNT = TIMEOUT.plus(ALARM_PERIOD);
// One more, because the last of the periods may have only just begun.
const ALARM_PERIODS = LATEST_COUNT.toSeconds() / ALARM_PERIOD.toSeconds() + 1;
/** The version of cargo-lambda that builds the functions, as `tests/emulator/requirements.in` pins it. */
const CARGO_LAMBDA = '1.9.2';
// This package is in the workspace, unless it is installed from a registry.
const WORKSPACE = path.join(__dirname, '..', '..', 'Cargo.toml');

const STACK_ID_TAG = 'zone-delegation:stack-id';
/** A condition that is true for resources that have this stack's id. */
export const OWN = { StringEquals: { [`aws:ResourceTag/${STACK_ID_TAG}`]: Aws.STACK_ID } };
/** A condition that is true for resources that have no stack's id and now get this stack's. */
export const NEW = { StringEquals: { [`aws:RequestTag/${STACK_ID_TAG}`]: Aws.STACK_ID }, Null: { [`aws:ResourceTag/${STACK_ID_TAG}`]: 'true' } };

/** What a function may do, and why on resources with a wildcard. */
export interface Grant extends iam.PolicyStatementProps {
  readonly reason?: string;
}

/** What a policy is for. */
export interface Purpose {
  /** The beginning of its logical id. */
  readonly purpose: string;
  /** A further part of the digest in its logical id. */
  readonly of?: string;
  /** Whether it is changed in place, because no delete needs it. */
  readonly inPlace?: boolean;
  /** Whether a stack may have more of its kind than fit into inline policies. */
  readonly isOneOfMany?: boolean;
}

/** The functions of this project, by the names of their binaries. */
export type FunctionName = 'publish-zone' | 'delegate-subdomain';

/**
 * Returns the IAM path of a function's role. Roles of other accounts name the path in their trust policies, because CloudFormation creates the
 * role's name for each stack and Region, and nobody knows it before.
 */
export function functionRolePath(name: FunctionName): string {
  return `/zone-delegation/${name}/`;
}

/** A Lambda function that answers custom resources, with its role, its policy, its logs and its alarms. */
export class CustomResourceFunction extends Construct {
  /** What custom resources send their requests to. */
  public readonly function: lambda.Function;
  /** The role, without a managed policy. */
  public readonly role: iam.Role;
  /** All that must be deleted after the custom resources of this function. */
  public readonly neededForDelete: IDependable;
  private readonly granted = new Map<string, IDependable>();
  private readonly shared: { readonly policy: iam.ManagedPolicy; size: number }[] = [];
  private inlineOfMany = 0;
  private managedPolicies = 0;
  private readonly settings: FunctionSettings;
  private readonly dependencies = new DependencyGroup();

  public constructor(scope: Construct, id: string, private readonly name: FunctionName, settings: FunctionSettings = {}) {
    super(scope, id);
    acknowledgeInlinePolicies(this);
    this.settings = settings;
    this.role = new iam.Role(this, 'Role', {
      path: unlessToBeLookedUp(settings.rolePath) ?? functionRolePath(name),
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `Role of the function ${name} of zone-delegation`,
    });
    if (settings.tracing !== undefined && settings.tracing !== lambda.Tracing.DISABLED) {
      // aws-cdk-lib grants them.
      acknowledgeWildcard(this.role, '*', 'The actions of X-Ray have no resources');
    }
    const logGroup = new logs.LogGroup(this, 'Logs', {
      retention: settings.logRetention ?? logs.RetentionDays.THREE_MONTHS,
      removalPolicy: settings.logRemovalPolicy ?? RemovalPolicy.DESTROY,
      encryptionKey: settings.encryptionKey,
    });
    const needed = this.grantSettings();
    this.function = this.makeFunction(name, {
      description: `Custom resources of zone-delegation: ${name}`,
      role: this.role,
      logGroup,
      timeout: TIMEOUT,
      memorySize: 256,
      retryAttempts: RETRIES,
      maxEventAge: MAX_EVENT_AGE,
      vpc: settings.vpc,
      vpcSubnets: settings.vpcSubnets,
      securityGroups: settings.securityGroups,
      environmentEncryption: settings.encryptionKey,
      deadLetterQueue: settings.deadLetterQueue,
      onFailure: settings.onFailure,
      reservedConcurrentExecutions: settings.reservedConcurrentExecutions,
      tracing: settings.tracing,
      codeSigningConfig: settings.codeSigningConfig,
      environment: {
        ...settings.environment,
        // The function refuses requests of every other stack.
        STACK_ID: Aws.STACK_ID,
        // The last attempt may start when the event is as old as it may get, and then runs until the time-out.
        MAX_INVOCATION_AGE_SECONDS: MAX_EVENT_AGE.plus(TIMEOUT).toSeconds().toString(),
      },
    });
    this.node.addValidation({
      validate: () => (this.managedPolicies <= LIMITS.managedPolicies ? [] : [`The role of the function ${name} may need ${
        this.managedPolicies} managed policies during an update, and IAM takes ${LIMITS.managedPolicies}: put some of the stack's zones, subdomains and certificates into another stack`]),
    });
    // Lambda checks these permissions when it creates the function.
    this.function.node.addDependency(...needed);
    if (settings.encryptionKey) {
      letLogsUse(settings.encryptionKey, this);
    }
    this.dependencies.add(this.function);
    this.neededForDelete = this.dependencies;
    this.needs(this.grant({ purpose: 'Logs' }, { actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }));

    this.alarm('Errors', this.function.metricErrors(), 'ended in an error: a custom resource may be left without an answer');
    this.alarm('Throttles', this.function.metricThrottles(), 'was throttled: custom resources wait');
    this.alarm('Drops', this.function.metric('AsyncEventsDropped', { statistic: cloudwatch.Stats.SUM }),
      'lost a request of CloudFormation, which now waits until its ServiceTimeout');
  }

  /**
   * Lets the function do something for the custom resources that depend on what this returns.
   *
   * The logical id of the policy contains a digest of what it grants. If a template changes or removes a grant, the policy is another resource,
   * and CloudFormation deletes the earlier one in the clean-up of the update, after the custom resources that depended on it. So a resource is
   * deleted with the permissions with which it was created. `of` is part of the digest if the template only refers to the granted resources, such
   * as the name of a zone that it creates. A policy that no delete needs is changed in place instead.
   */
  public grant({ purpose, of, inPlace = false, isOneOfMany = false }: Purpose, ...grants: Grant[]): IDependable {
    const statements = grants.map(({ reason, ...statement }) => ({ made: new iam.PolicyStatement(statement), reason }));
    const text = JSON.stringify(Stack.of(this).resolve([of, ...statements.map(({ made }) => made.toStatementJson())]));
    const id = `${purpose}Policy${inPlace ? '' : createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
    const standing = this.granted.get(id);
    if (standing !== undefined) {
      return standing;
    }
    const policy = this.policyFor(id, { inPlace, isOneOfMany }, sizeOf(Stack.of(this).resolve(statements.map(({ made }) => made.toStatementJson()))));
    for (const { made, reason } of statements) {
      policy.addStatements(made);
      if (reason !== undefined) {
        made.resources.forEach((resource) => acknowledgeWildcard(policy, resource, reason));
      }
    }
    // Last: `Role.customizeRoles` reports what a policy has when it is attached.
    policy.attachToRole(this.role);
    this.granted.set(id, policy);
    return policy;
  }

  /**
   * Returns the policy for a grant: an inline one of its own. If a stack has more grants of a kind than fit into inline policies, they share
   * managed ones, whose logical ids contain a digest, too.
   */
  private policyFor(id: string, { inPlace, isOneOfMany }: { inPlace: boolean; isOneOfMany: boolean }, size: number): iam.Policy | iam.ManagedPolicy {
    // The policy is not in the scope of the role, so that it can refer to resources that refer to the role's function.
    if (!isOneOfMany || (!inPlace && this.inlineOfMany + size <= INLINE_OF_MANY)) {
      this.inlineOfMany += isOneOfMany ? size : 0;
      return new iam.Policy(this, id);
    }
    // It may grow.
    if (inPlace) {
      this.managedPolicies += 1;
      return new iam.ManagedPolicy(this, id);
    }
    const last = this.shared.at(-1);
    if (last !== undefined && last.size + size <= LIMITS.managed - POLICY_FRAME) {
      last.size += size;
      return last.policy;
    }
    // During an update the role has the old and the new one.
    this.managedPolicies += 2;
    const shared = { policy: new iam.ManagedPolicy(this, `Shared${this.shared.length + 1}Policy`), size };
    this.shared.push(shared);
    const resource = shared.policy.node.defaultChild as iam.CfnManagedPolicy;
    Aspects.of(shared.policy).add({
      visit: (node) => {
        if (node === resource) {
          const text = JSON.stringify(Stack.of(this).resolve(shared.policy.document));
          resource.overrideLogicalId(`${Names.uniqueResourceName(shared.policy, { maxLength: 200 })}${createHash('sha256').update(text).digest('hex').slice(0, 8)}`);
        }
      },
    });
    return shared.policy;
  }

  /** Makes CloudFormation delete something after every custom resource of this function. */
  public needs(...dependables: IDependable[]): void {
    this.dependencies.add(...dependables);
  }

  /** Creates an alarm on a count that is zero if there is no failure. The alarm looks back as far as a count may be late. */
  public alarm(id: string, metric: cloudwatch.Metric, meaning: string): void {
    const alarm = new cloudwatch.Alarm(this, `${id}Alarm`, {
      metric: metric.with({ period: ALARM_PERIOD }),
      threshold: 1,
      evaluationPeriods: ALARM_PERIODS,
      datapointsToAlarm: 1,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      alarmDescription: `${this.name} of ${Aws.STACK_NAME} ${meaning}.`,
    });
    if (this.settings.alarmTopic) {
      alarm.addAlarmAction(new SnsAction(this.settings.alarmTopic));
    }
  }

  /** Lets the function do what its settings need. aws-cdk-lib grants what tracing and destinations need. */
  private grantSettings(): IDependable[] {
    const { vpc, encryptionKey } = this.settings;
    return [
      ...vpc ? [this.grant({ purpose: 'Network' }, { ...NEEDED_FOR_NETWORK, reason: 'Lambda creates the network interfaces, whose ids are not known before' })] : [],
      ...encryptionKey ? [this.grant({ purpose: 'Key' }, neededForKey(encryptionKey.keyArn))] : [],
    ];
  }

  private makeFunction(name: FunctionName, options: lambda.FunctionOptions): lambda.Function {
    const architecture = this.settings.architecture ?? lambda.Architecture.ARM_64;
    if (this.settings.functionBucket) {
      return new lambda.Function(this, 'Function', {
        ...options,
        architecture,
        code: lambda.Code.fromBucketV2(this.settings.functionBucket, `${this.settings.functionPrefix ?? ''}${name}.zip`),
        runtime: lambda.Runtime.PROVIDED_AL2023,
        handler: 'bootstrap',
      });
    }
    const fromContext: unknown = this.settings.manifestPath === undefined ? this.node.tryGetContext('functionZips') : undefined;
    const isToBeBuilt = this.settings.manifestPath !== undefined;
    const zips = this.settings.functionZips ?? fromContext ?? (isToBeBuilt ? undefined : packagedFunctions(architecture.name));
    if (zips !== undefined) {
      const zip = path.resolve(String(zips), `${name}.zip`);
      if (!existsSync(zip)) {
        throw new PropError('functionZips', path.resolve(String(zips)), `must be a folder that contains ${name}.zip`);
      }
      return new lambda.Function(this, 'Function', {
        ...options,
        architecture,
        code: lambda.Code.fromAsset(zip),
        runtime: lambda.Runtime.PROVIDED_AL2023,
        handler: 'bootstrap',
      });
    }
    const manifestPath = path.resolve(this.settings.manifestPath ?? WORKSPACE);
    if (!existsSync(manifestPath)) {
      throw this.settings.manifestPath === undefined
        ? new PropError('functionZips', undefined, 'is missing, and this package has no functions: give the folder with a release\'s functions, in functionSettings or as the context key functionZips')
        : new PropError('functionSettings.manifestPath', manifestPath, 'must be the Cargo.toml of the functions\' workspace');
    }
    // Otherwise RustFunction would build in a container with the latest cargo-lambda and Rust.
    if (Stack.of(this).bundlingRequired && spawnSync('cargo', ['lambda', '--version']).status !== 0) {
      throw new PropError('functionZips', undefined,
        `must be the folder with the prebuilt functions if cargo-lambda, which builds them, is missing: pip install cargo-lambda==${CARGO_LAMBDA}`);
    }
    return new (cargoLambda().RustFunction)(this, 'Function', {
      ...options,
      architecture,
      manifestPath,
      binaryName: name,
      // With the versions of Cargo.lock. Without a package, cargo would unify the features of all packages.
      bundling: { cargoLambdaFlags: ['--locked', '--package', name] },
    });
  }
}

/** Returns cargo-lambda-cdk, which is installed only in apps that build the functions. */
function cargoLambda(): typeof import('cargo-lambda-cdk') {
  try {
    return require('cargo-lambda-cdk') as typeof import('cargo-lambda-cdk');
  } catch {
    throw new PropError('functionZips', undefined, 'must be the folder with the prebuilt functions if the package cargo-lambda-cdk is missing, which builds them');
  }
}

/** Lets CloudWatch Logs encrypt a stack's log groups with a key, if this app can change the key's policy. */
export function letLogsUse(key: kms.IKey, scope: Construct): void {
  const { partition, region, account } = Stack.of(scope);
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
  key.addToResourcePolicy(new iam.PolicyStatement({
    principals: [new iam.ServicePrincipal('logs.amazonaws.com')],
    actions: ['kms:Decrypt*', 'kms:Describe*', 'kms:Encrypt*', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
    resources: ['*'],
    conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` } },
  }));
}

/** Returns the stack's one function of a kind, which the first call creates. Later calls may repeat its settings or leave them out. */
export function functionOfStack<F extends Construct & { readonly settings: FunctionSettings }>(
  scope: Construct, id: string, given: FunctionSettings | undefined, make: (stack: Stack, id: string, settings: FunctionSettings) => F,
): F {
  if (given !== undefined) {
    checkFunctionSettings(given);
  }
  const stack = Stack.of(scope);
  const settings = FunctionDefaults._merged(stack, given);
  const standing = stack.node.tryFindChild(id) as F | undefined;
  if (standing === undefined) {
    try {
      return make(stack, id, settings);
    } catch (error) {
      // Otherwise the next call would find an incomplete construct.
      stack.node.tryRemoveChild(id);
      throw error;
    }
  }
  if (given !== undefined && textOf(settings) !== textOf(standing.settings)) {
    throw new PropError('functionSettings', undefined,
      `of ${scope.node.path} must be those that the stack's function was created with, because a stack has one function`);
  }
  return standing;
}

/** Returns settings as a text that is the same for equal settings: two imports of one queue or key may be two constructs. */
function textOf(settings: FunctionSettings): string {
  const nameOf = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      return value.map(nameOf);
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const one = value as { topicArn?: string; bucketName?: string; keyArn?: string; queueArn?: string; name?: string; node?: { path: string } };
    return one.topicArn ?? one.bucketName ?? one.keyArn ?? one.queueArn ?? (Construct.isConstruct(value) ? one.node?.path : undefined)
      ?? ('name' in value && 'dockerPlatform' in value ? one.name : Object.entries(value).sort().map(([key, inner]) => [key, nameOf(inner)]));
  };
  return JSON.stringify(Object.entries(settings).filter(([, value]) => value !== undefined).sort(([one], [other]) => one.localeCompare(other)).map(([key, value]) => [key, nameOf(value)]));
}
