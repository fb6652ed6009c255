import { Duration, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** A bucket for the access logs of application load balancers. They can encrypt only with S3's own key. */
export class AccessLogBucket extends s3.Bucket {
  public constructor(scope: Construct, id: string) {
    super(scope, id, {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(90) }],
    });
    Validations.of(this).acknowledge({ id: 'AwsSolutions::AwsSolutions-S1', reason: 'It contains access logs itself' });
  }
}
