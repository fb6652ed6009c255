// Succeeds: the zone and its delegation are kept if the stack is deleted.
// A template has: "DeletionPolicy":"Retain"
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation }).applyRemovalPolicy(RemovalPolicy.RETAIN);

app.synth();
