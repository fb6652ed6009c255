// Refused: subdomain must be labels of 1 to 63 letters, digits, "-" and "_" (no "-" at either end), joined by dots; "bücher" is none: write it as "xn--bcher-kva", but it is "bücher".
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'bücher', delegation });

app.synth();
