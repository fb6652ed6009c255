import { type App, Aws, CfnCondition, CfnOutput, CfnParameter, type CfnParameterProps, DefaultStackSynthesizer, Fn, type IResolvable, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as sns from 'aws-cdk-lib/aws-sns';
import { LOG_RETENTIONS } from './configuration-rules';
import { NEEDED_FOR_NETWORK, neededForKey, neededForStateMachineKey } from './function-needs';
import type { FunctionSettings } from './function-settings';

const COMPANY = 'Rules of a company';

/** A parameter that may be empty. */
interface Optional {
  readonly value: string;
  readonly isGiven: CfnCondition;
  /** Returns the value if it is given, else another one. */
  readonly or: (otherwise: string) => string;
}

/** Returns a value if a condition holds, else nothing. */
function conditional(condition: CfnCondition, value: unknown): IResolvable {
  return Fn.conditionIf(condition.logicalId, value, Aws.NO_VALUE);
}

function statement(props: iam.PolicyStatementProps): object {
  return new iam.PolicyStatement(props).toStatementJson() as object;
}

/** A stack whose template can be launched anywhere, with the functions in a bucket. */
export abstract class PlainTemplate extends Stack {
  /** The settings of the stack's function. */
  protected readonly functionSettings: FunctionSettings;
  /** The topic that alarms notify, under this condition. */
  protected readonly alarmTopic: sns.ITopic;
  protected readonly hasAlarmTopic: CfnCondition;
  private readonly groups: { Label: { default: string }; Parameters: string[] }[] = [];

  protected constructor(scope: App, id: string, description: string) {
    super(scope, id, { description, synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) });
    const bucket = this.parameter('The function', 'FunctionBucket', {
      description: 'Bucket in this Region with the functions of a release (publish-zone.zip, delegate-subdomain.zip)',
      allowedPattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
    });
    const prefix = this.parameter('The function', 'FunctionPrefix', { description: 'What the keys in that bucket start with', default: '' });
    const architecture = this.parameter('The function', 'FunctionArchitecture', {
      description: 'The processor architecture that the functions are built for', default: 'arm64', allowedValues: ['arm64', 'x86_64'],
    });
    const alarmTopicArn = this.parameter('Operation', 'AlarmTopicArn', {
      description: 'The SNS topic, in this Region, that alarms notify; empty for none', default: '', allowedPattern: '^(arn:aws[\\w-]*:sns:[\\w-]+:\\d{12}:[\\w-]+(\\.fifo)?)?$',
    });
    const logRetention = this.numberParameter('Operation', 'LogRetentionDays', {
      description: 'How long logs are kept', default: `${logs.RetentionDays.THREE_MONTHS}`, allowedValues: LOG_RETENTIONS.map(String),
    });
    this.hasAlarmTopic = new CfnCondition(this, 'HasAlarmTopic', { expression: Fn.conditionNot(Fn.conditionEquals(alarmTopicArn, '')) });
    this.alarmTopic = sns.Topic.fromTopicArn(this, 'AlarmTopic', alarmTopicArn);
    this.functionSettings = {
      logRetention,
      alarmTopic: sns.Topic.fromTopicArn(this, 'AlarmTopicIfAny', Fn.conditionIf(this.hasAlarmTopic.logicalId, alarmTopicArn, Aws.NO_VALUE).toString()),
      functionBucket: s3.Bucket.fromBucketName(this, 'FunctionsOfRelease', bucket),
      functionPrefix: prefix,
      architecture: lambda.Architecture.custom(architecture),
    };
  }

  /** Adds what only a company with rules of its own needs. Each parameter is empty by default, and then changes nothing. */
  public addCompanyRules(): void {
    const boundary = this.optionalParameter('PermissionsBoundaryArn', {
      description: 'The policy that is the permissions boundary of every role; empty for none', allowedPattern: '^(arn:aws[\\w-]*:iam::(\\d{12}|aws):policy/.+)?$',
    }, 'HasPermissionsBoundary');
    const rolePath = this.optionalParameter('RolePath', {
      description: 'The IAM path of every role, such as /company/; empty for the standard paths. The networking stack needs the path of the consumers\' roles as ConsumerRolePath',
      allowedPattern: '^(/([\\x21-\\x7e]+/)?)?$',
    }, 'HasRolePath');
    const key = this.optionalParameter('KmsKeyArn', {
      description: 'A key of KMS, in this Region, for the environment of the function, the logs and the state machine; empty for the keys of AWS. The policy of the key must let CloudWatch Logs use it',
      allowedPattern: '^(arn:aws[\\w-]*:kms:[\\w-]+:\\d{12}:key/.+)?$',
    }, 'HasKmsKey');
    const subnets = this.listParameter(COMPANY, 'SubnetIds', {
      description: 'Subnets that the function runs in, with a way to the APIs of AWS and to port 53 of the Internet; empty for none', default: '', allowedPattern: '^(subnet-[0-9a-f]+)?$',
    });
    const securityGroups = this.listParameter(COMPANY, 'SecurityGroupIds', {
      description: 'Security groups of the function, at least one if SubnetIds is given', default: '', allowedPattern: '^(sg-[0-9a-f]+)?$',
    });
    const hasSubnets = this.condition('HasSubnets', Fn.join('', subnets));
    for (const construct of this.node.findAll()) {
      if (construct instanceof iam.CfnRole) {
        construct.permissionsBoundary = boundary.or(Aws.NO_VALUE);
        construct.path = rolePath.or(construct.path ?? Aws.NO_VALUE);
      } else if (construct instanceof logs.CfnLogGroup) {
        construct.kmsKeyId = key.or(Aws.NO_VALUE);
      } else if (construct instanceof lambda.CfnFunction) {
        construct.vpcConfig = conditional(hasSubnets, { SubnetIds: subnets, SecurityGroupIds: securityGroups });
        construct.kmsKeyArn = key.or(Aws.NO_VALUE);
        const isNeeded = new CfnCondition(this, 'HasSubnetsOrKmsKey', { expression: Fn.conditionOr(hasSubnets, key.isGiven) });
        this.grant(construct, isNeeded, conditional(hasSubnets, statement(NEEDED_FOR_NETWORK)), conditional(key.isGiven, statement(neededForKey(key.value))));
      } else if (construct instanceof sfn.CfnStateMachine) {
        construct.encryptionConfiguration = conditional(key.isGiven, { Type: 'CUSTOMER_MANAGED_KMS_KEY', KmsKeyId: key.value });
        this.grant(construct, key.isGiven, statement(neededForStateMachineKey(key.value)));
      }
    }
  }

  /** Adds a policy under a condition to the role of a resource, which needs the policy when it is created and until it is deleted. */
  private grant(resource: lambda.CfnFunction | sfn.CfnStateMachine, condition: CfnCondition, ...statements: object[]): void {
    const role = resource.node.scope!.node.scope!.node.findChild('Role').node.defaultChild as iam.CfnRole;
    const policy = new iam.CfnPolicy(resource.node.scope!.node.scope!, 'CompanyPolicy', { policyName: 'Company', roles: [role.ref], policyDocument: { Version: '2012-10-17', Statement: statements } });
    policy.cfnOptions.condition = condition;
    // CloudFormation refuses a DependsOn on a resource whose condition is false. A reference makes the same dependency:
    // https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md#E3005
    resource.addMetadata('CompanyPolicy', conditional(condition, policy.ref));
  }

  /** A parameter of a company's rules, which is empty by default, and the condition that it is not. */
  private optionalParameter(id: string, props: CfnParameterProps, conditionId: string): Optional {
    const value = this.parameter(COMPANY, id, { ...props, default: '' });
    const isGiven = this.condition(conditionId, value);
    return { value, isGiven, or: (otherwise) => Fn.conditionIf(isGiven.logicalId, value, otherwise).toString() };
  }

  /** A condition that holds if a text is not empty. */
  private condition(id: string, text: string): CfnCondition {
    return new CfnCondition(this, id, { expression: Fn.conditionNot(Fn.conditionEquals(text, '')) });
  }

  /** Adds a parameter that is a text. */
  protected parameter(group: string, id: string, props: CfnParameterProps): string {
    return this.addParameter(group, id, props).valueAsString;
  }

  /** Adds a parameter that is a number. */
  protected numberParameter(group: string, id: string, props: CfnParameterProps): number {
    return this.addParameter(group, id, { ...props, type: 'Number' }).valueAsNumber;
  }

  /** Adds a parameter that is a list of texts. CloudFormation checks each text. */
  protected listParameter(group: string, id: string, props: CfnParameterProps): string[] {
    return this.addParameter(group, id, { ...props, type: 'CommaDelimitedList' }).valueAsList;
  }

  /** Adds an output. */
  protected output(id: string, value: string, description: string, condition?: CfnCondition): void {
    new CfnOutput(this, id, { value, description, condition });
  }

  private addParameter(group: string, id: string, props: CfnParameterProps): CfnParameter {
    const parameters = this.groups.find(({ Label }) => Label.default === group)?.Parameters;
    if (parameters) {
      parameters.push(id);
    } else {
      this.groups.push({ Label: { default: group }, Parameters: [id] });
      this.templateOptions.metadata = { 'AWS::CloudFormation::Interface': { ParameterGroups: this.groups } };
    }
    return new CfnParameter(this, id, props);
  }
}
