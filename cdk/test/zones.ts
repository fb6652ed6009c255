import type { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { PublishedZone, type PublishedZoneProps } from '../lib';

/** The location of a consumer's parent zone. */
export const delegation = {
  parameterPrefix: '/zone-delegation/dev',
  roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222',
};

/** Returns a public zone that something else created. */
export function importedZone(scope: Stack, zoneName = 'example.com', id = 'Imported'): route53.IHostedZone {
  return route53.HostedZone.fromHostedZoneAttributes(scope, id, { hostedZoneId: 'Z0IMPORTED', zoneName });
}

/** Returns a zone that no construct can use. */
export function privateZone(scope: Stack): route53.PrivateHostedZone {
  return new route53.PrivateHostedZone(scope, 'Private', { zoneName: 'example.com', vpc: new ec2.Vpc(scope, 'Vpc', { maxAzs: 1 }) });
}

/** Returns a published zone, with these props. */
export function publishedZone(stack: Stack, props: Partial<PublishedZoneProps> = {}): PublishedZone {
  return new PublishedZone(stack, 'PublishedZone', { zoneName: 'build.example.com', parameterPrefix: '/zone-delegation/dev', ...props });
}
