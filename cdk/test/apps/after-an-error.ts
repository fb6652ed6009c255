// Succeeds: an app that handles the error of a construct creates the others.
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

try {
  new DelegatedSubdomain(consumer, 'Wrong', { subdomain: 'dev.', delegation });
} catch (error) {
  console.log(`left out: ${(error as Error).message}`);
}
new DelegatedSubdomain(consumer, 'Right', { subdomain: 'dev', delegation });

app.synth();
