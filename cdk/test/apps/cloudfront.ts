// Succeeds: a distribution with a certificate in us-east-1.
import { App, Stack } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as origins from 'aws-cdk-lib/aws-cloudfront-origins';
import * as route53 from 'aws-cdk-lib/aws-route53';
import * as targets from 'aws-cdk-lib/aws-route53-targets';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const zone = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });
const distribution = new cloudfront.Distribution(consumer, 'Distribution', {
  defaultBehavior: { origin: new origins.HttpOrigin('origin.example.com') },
  domainNames: [zone.zoneName], certificate: zone.certificate('Certificate', { region: 'us-east-1' }),
});
new route53.ARecord(consumer, 'Alias', { zone, target: route53.RecordTarget.fromAlias(new targets.CloudFrontTarget(distribution)) });

app.synth();
