import type { RemovalPolicy } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sns from 'aws-cdk-lib/aws-sns';
import type * as sqs from 'aws-cdk-lib/aws-sqs';

/** Settings of a stack's custom-resource function. A stack has one function of a kind, so all constructs of a stack must agree. */
export interface FunctionSettings {
  /**
   * A folder with the prebuilt `publish-zone.zip` and `delegate-subdomain.zip` (a release's assets) of the function's architecture.
   *
   * @default - the context key `functionZips`; without it the functions in this package; in a checkout they are built with cargo-lambda from the workspace
   */
  readonly functionZips?: string;

  /**
   * A bucket, in the stack's Region, with `publish-zone.zip` and `delegate-subdomain.zip`, for a template that is deployed without the CDK.
   *
   * @default - `functionZips`
   */
  readonly functionBucket?: s3.IBucket;

  /**
   * What the keys in `functionBucket` start with, e.g. `zone-delegation/1.0.0/`.
   *
   * @default - nothing
   */
  readonly functionPrefix?: string;

  /**
   * The `Cargo.toml` of the workspace that cargo-lambda builds the functions from.
   *
   * @default - the workspace around this package
   */
  readonly manifestPath?: string;

  /**
   * The processor that the functions run on.
   *
   * @default Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * How long the functions' logs are kept.
   *
   * @default RetentionDays.THREE_MONTHS
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Further environment variables of the functions, e.g. `RUST_LOG` or `DNS_NAME_SERVERS`.
   *
   * @default - none
   */
  readonly environment?: { readonly [name: string]: string };

  /**
   * The topic that the alarms of the functions and of the state machine notify.
   *
   * @default - the alarms exist, and notify nobody
   */
  readonly alarmTopic?: sns.ITopic;

  /**
   * What happens to the functions' logs if the stack is deleted.
   *
   * @default RemovalPolicy.DESTROY
   */
  readonly logRemovalPolicy?: RemovalPolicy;

  /**
   * A network that the functions run in. They call the APIs of AWS, and name servers on the Internet by UDP and TCP on port 53.
   *
   * @default - Lambda's own network
   */
  readonly vpc?: ec2.IVpc;

  /**
   * Which subnets of `vpc`.
   *
   * @default - the private subnets with egress
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * Security groups of the functions in `vpc`.
   *
   * @default - a new one that allows all outbound traffic
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * A key, in the stack's Region, for the functions' environment, the logs and the state machine. With it, only principals that may decrypt with
   * the key can read the logs and the requests in the execution history.
   *
   * @default - the keys of AWS
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * A queue for requests that Lambda drops. They contain a `ResponseURL`, which accepts one answer to one request.
   *
   * @default - none: an alarm reports a dropped request
   */
  readonly deadLetterQueue?: sqs.IQueue;

  /**
   * A destination for requests that Lambda drops, instead of `deadLetterQueue`.
   *
   * @default - none
   */
  readonly onFailure?: lambda.IDestination;

  /**
   * How many invocations are reserved for each function, which is also how many run at once at most. Long waits occupy none.
   *
   * @default - none are reserved
   */
  readonly reservedConcurrentExecutions?: number;

  /**
   * Tracing by AWS X-Ray.
   *
   * @default Tracing.DISABLED
   */
  readonly tracing?: lambda.Tracing;

  /**
   * Code signing of the functions.
   *
   * @default - none
   */
  readonly codeSigningConfig?: lambda.ICodeSigningConfig;

  /**
   * IAM path of the roles of the functions and of the state machine. With another one, `allowDelegation` needs `principalArns`.
   *
   * @default - `/zone-delegation/publish-zone/` and `/zone-delegation/delegate-subdomain/`; the role of the state machine has none
   */
  readonly rolePath?: string;
}
