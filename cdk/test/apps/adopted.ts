// Succeeds: a zone that is delegated already is adopted.
// A template has: "AdoptDelegation":true
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const zone = new route53.PublicHostedZone(consumer, 'Zone', { zoneName: 'dev.build.example.com' });
new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation, zone, adoptDelegation: true });

app.synth();
