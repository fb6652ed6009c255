// Succeeds: a redirect from the apex of the subdomain.
// A template has: "Name":"dev.build.example.com."
import { App, Stack } from 'aws-cdk-lib';
import * as redirects from 'aws-cdk-lib/aws-route53-patterns';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const zone = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });
new redirects.HttpsRedirect(consumer, 'Redirect', {
  zone, recordNames: ['dev.build.example.com'], targetDomain: 'www.example.com', certificate: zone.certificate('Certificate', { region: 'us-east-1' }),
});

app.synth();
