import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sns from 'aws-cdk-lib/aws-sns';

/** How a stack's custom-resource function is made. There is one per stack and kind, so all constructs of a stack must agree. */
export interface FunctionSettings {
  /**
   * A folder with the prebuilt `publish-zone.zip` and `delegate-subdomain.zip` (a release's assets) of the function's architecture.
   *
   * @default - the context key `functionZips`; without it the functions are built with cargo-lambda from the workspace
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
   * Where the functions' and the waiter's alarms go.
   *
   * @default - the alarms stand, and tell nobody
   */
  readonly alarmTopic?: sns.ITopic;
}
