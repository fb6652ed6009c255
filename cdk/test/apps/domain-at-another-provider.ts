// Succeeds: the base domain is not in Route 53, so a person delegates the zone to the name servers in an output.
import { App, CfnOutput, Fn, Stack } from 'aws-cdk-lib';
import { PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', { zoneName: 'build.example.com', parameterPrefix: '/zone-delegation/dev' });
published.allowDelegation({ account: '222222222222', names: ['dev'] });
new CfnOutput(networking, 'NameServers', { value: Fn.join(',', published.zone.hostedZoneNameServers!) });

app.synth();
