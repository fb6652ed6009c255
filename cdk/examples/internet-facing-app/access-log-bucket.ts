import { Duration, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Where application load balancers write what was asked of them. They can use no key but S3's own. */
export class AccessLogBucket extends s3.Bucket {
  public constructor(scope: Construct, id: string) {
    super(scope, id, {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      encryption: s3.BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      lifecycleRules: [{ expiration: Duration.days(90) }],
    });
    Validations.of(this).acknowledge({ id: 'AwsSolutions::AwsSolutions-S1', reason: 'It holds access logs itself' });
  }
}
