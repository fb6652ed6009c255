// Succeeds: a stack with 20 subdomains and a certificate for each.
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

for (let number = 0; number < 20; number += 1) {
  new DelegatedSubdomain(consumer, `Subdomain${number}`, { subdomain: `service-${number}`, delegation }).certificate('Certificate');
}

app.synth();
