// Succeeds: the zone of the base domain is looked up, so its id is not known at the first synthesis.
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com', parentZone: route53.HostedZone.fromLookup(networking, 'Base', { domainName: 'example.com' }), parameterPrefix: '/zone-delegation/dev',
}).allowDelegation({ account: '222222222222', names: ['dev'] });

app.synth();
