// Refused: drain must be given: it is ttl otherwise, 86,400 seconds, and must be 3,480 seconds at most (serviceTimeout less the 120 seconds that a delete needs besides).
import { App, Duration, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation, ttl: Duration.days(1) });

app.synth();
