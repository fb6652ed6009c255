// Succeeds: a security team creates the roles, and the app reports what they need.
import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
iam.Role.customizeRoles(app, { preventSynthesis: false });
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');

app.synth();
