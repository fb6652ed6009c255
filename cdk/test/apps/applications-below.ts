// Succeeds: applications have zones of their own below the team's.
// A template has: "DomainName":"shop.dev.build.example.com"
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const team = new DelegatedSubdomain(consumer, 'Team', { subdomain: 'dev', delegation });
for (const application of ['shop', 'blog']) {
  new DelegatedSubdomain(consumer, application, { subdomain: application, parentZone: team }).certificate('Certificate');
}

app.synth();
