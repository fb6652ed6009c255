// Succeeds: one certificate for names of two zones.
// A template has: "AdditionalHostedZoneIds":["Z0OTHER"]
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const zone = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });
const other = route53.HostedZone.fromHostedZoneAttributes(consumer, 'Other', { hostedZoneId: 'Z0OTHER', zoneName: 'example.org' });
zone.certificate('Certificate', { additionalZones: [other], subjectAlternativeNames: ['*.dev.build.example.com', 'www.example.org'] });

app.synth();
