// Refused: names of account 333333333333 must not have "dev", which account 222222222222 already has: the owner of a name could capture all names below it.
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com', parentZone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z0BASE', zoneName: 'example.com' }), parameterPrefix: '/zone-delegation/dev',
});

published.allowDelegation({ account: '222222222222', names: ['dev'] });
published.allowDelegation({ account: '333333333333', names: ['dev'] });

app.synth();
