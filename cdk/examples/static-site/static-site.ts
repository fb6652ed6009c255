import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { S3BucketOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { DelegatedSubdomain, type Delegation } from '../../lib'; // elsewhere: '@zone-delegation/cdk'

/** Properties of a `StaticSite`. */
export interface StaticSiteProps extends StackProps {
  /** The zone that another account publishes. */
  readonly delegation: Delegation;
  /** The site's name in it. */
  readonly subdomain: string;
}

/** A static site under a delegated name: S3 behind CloudFront, in any Region, with a certificate in us-east-1, which CloudFront requires. */
export class StaticSite extends Stack {
  public constructor(scope: Construct, id: string, props: StaticSiteProps) {
    super(scope, id, props);
    const subdomain = new DelegatedSubdomain(this, 'Subdomain', { subdomain: props.subdomain, delegation: props.delegation });
    const www = `www.${subdomain.zoneName}`;

    const logs = new s3.Bucket(this, 'Logs', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      // CloudFront's standard logs are written with an ACL.
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_PREFERRED,
      lifecycleRules: [{ expiration: Duration.days(90) }],
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const content = new s3.Bucket(this, 'Content', {
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      // Earlier versions of the site can be restored.
      versioned: true,
      lifecycleRules: [{ noncurrentVersionExpiration: Duration.days(90) }],
      serverAccessLogsBucket: logs,
      serverAccessLogsPrefix: 'content/',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const distribution = new cloudfront.Distribution(this, 'Distribution', {
      defaultBehavior: {
        origin: S3BucketOrigin.withOriginAccessControl(content),
        viewerProtocolPolicy: cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        responseHeadersPolicy: cloudfront.ResponseHeadersPolicy.SECURITY_HEADERS,
      },
      defaultRootObject: 'index.html',
      domainNames: [subdomain.zoneName, www],
      certificate: subdomain.certificate('Certificate', { region: 'us-east-1', subjectAlternativeNames: [www] }),
      minimumProtocolVersion: cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
      enableLogging: true,
      logBucket: logs,
      logFilePrefix: 'distribution/',
    });
    // For projects that use cdk-nag.
    Validations.of(distribution).acknowledge({ id: 'AwsSolutions::AwsSolutions-CFR1', reason: 'The site is for everyone, everywhere' });
    Validations.of(distribution).acknowledge({ id: 'AwsSolutions::AwsSolutions-CFR2', reason: 'Static files have no input that a web application firewall could check' });

    const target = route53.RecordTarget.fromAlias(new CloudFrontTarget(distribution));
    for (const recordName of [undefined, 'www']) {
      new route53.ARecord(this, `Address${recordName ?? ''}`, { zone: subdomain, recordName, target });
      new route53.AaaaRecord(this, `Address6${recordName ?? ''}`, { zone: subdomain, recordName, target });
    }
    new CfnOutput(this, 'Url', { value: `https://${subdomain.zoneName}` });
    new CfnOutput(this, 'Bucket', { value: content.bucketName });
  }
}
