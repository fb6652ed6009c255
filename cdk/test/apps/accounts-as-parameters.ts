// Succeeds: accounts are parameters of the template.
import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com', parentZone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z0BASE', zoneName: 'example.com' }), parameterPrefix: '/zone-delegation/dev',
});

for (const team of ['TeamA', 'TeamB']) {
  published.allowDelegation({ account: new CfnParameter(networking, `${team}Account`).valueAsString, names: [team.toLowerCase()], roleName: `delegation-${team}` });
}

app.synth();
