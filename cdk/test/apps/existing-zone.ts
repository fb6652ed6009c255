// Succeeds: an existing zone is published as it is.
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegationsOnDelete, PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const zone = route53.HostedZone.fromHostedZoneAttributes(networking, 'Zone', { hostedZoneId: 'Z0BUILD', zoneName: 'build.example.com' });
new PublishedZone(networking, 'PublishedZone', { zone, parameterPrefix: '/dns/build', delegationsOnDelete: DelegationsOnDelete.IGNORE })
  .allowDelegation({ account: '222222222222', names: ['dev'] });

app.synth();
