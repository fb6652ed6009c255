import { App, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { PublishedZone } from '../../lib'; // elsewhere: '@zone-delegation/cdk'
import { StaticSite } from './static-site';

const app = new App();

const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'eu-central-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com',
  parentZone: HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z00000000000000EXAMPLE', zoneName: 'example.com' }),
  parameterPrefix: '/zone-delegation/dev',
});

new StaticSite(app, 'Consumer', {
  env: { account: '222222222222', region: 'eu-central-1' },
  delegation: published.allowDelegation({ account: '222222222222', names: ['site'] }),
  subdomain: 'site',
});

app.synth();
