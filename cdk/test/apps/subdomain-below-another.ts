// Refused: subdomain of Consumer/Shop must not be "shop.dev", which is below "dev" of Consumer/Team in the same parent zone: create the lower one with the upper one as its parentZone.
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

new DelegatedSubdomain(consumer, 'Team', { subdomain: 'dev', delegation });
new DelegatedSubdomain(consumer, 'Shop', { subdomain: 'shop.dev', delegation });

app.synth();
