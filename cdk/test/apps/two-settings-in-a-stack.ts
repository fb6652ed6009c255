// Refused: functionSettings of Consumer/Two must be those that the stack's function was created with, because a stack has one function.
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

new DelegatedSubdomain(consumer, 'One', { subdomain: 'one', delegation, functionSettings: { environment: { RUST_LOG: 'debug' } } });
new DelegatedSubdomain(consumer, 'Two', { subdomain: 'two', delegation, functionSettings: { environment: { RUST_LOG: 'info' } } });

app.synth();
