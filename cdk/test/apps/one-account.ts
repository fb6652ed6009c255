// Succeeds: the account that has the domain has a name of its own, in the same stack.
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com', parentZone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z0BASE', zoneName: 'example.com' }), parameterPrefix: '/zone-delegation/dev',
});

const delegation = published.allowDelegation({ account: '111111111111', names: ['tools'] });
new DelegatedSubdomain(networking, 'Tools', { subdomain: 'tools', delegation }).certificate('Certificate');

app.synth();
