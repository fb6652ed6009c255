// Succeeds: networking and one consumer in one app.
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com', parentZone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z0BASE', zoneName: 'example.com' }), parameterPrefix: '/zone-delegation/dev',
});
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });

new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation: published.allowDelegation({ account: '222222222222', names: ['dev'] }) });

app.synth();
