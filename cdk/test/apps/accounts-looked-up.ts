// Succeeds: the account of the consumer comes from a parameter that is looked up, so it is a dummy value at the first synthesis.
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com', parentZone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z0BASE', zoneName: 'example.com' }), parameterPrefix: '/zone-delegation/dev',
});

published.allowDelegation({ account: ssm.StringParameter.valueFromLookup(networking, '/accounts/team-a'), names: ['dev'] });

app.synth();
