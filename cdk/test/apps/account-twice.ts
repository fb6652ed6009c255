// Refused: account must get all its names in one call, because it has one role, but it is "222222222222".
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com', parentZone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z0BASE', zoneName: 'example.com' }), parameterPrefix: '/zone-delegation/dev',
});

published.allowDelegation({ account: '222222222222', names: ['dev'] });
published.allowDelegation({ account: '222222222222', names: ['prod'] });

app.synth();
