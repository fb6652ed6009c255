// Refused: tags.owner must be letters, digits, spaces and "_.:/=+-@", in key and value, but it is "a*b".
import { App, Stack, Tags } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

Tags.of(app).add('owner', 'a*b');
new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');

app.synth();
