import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegationsOnDelete, PublishedZone } from '../../lib'; // elsewhere: '@zone-delegation/cdk'
import { MigratingStack, type Step } from './migrating-stack';

const app = new App();
const step = app.node.getContext('step') as Step;

// The existing zone is published as it is.
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Zone', { hostedZoneId: 'Z00000000000000EXAMPLE', zoneName: 'build.example.com' }),
  parameterPrefix: '/zone-delegation/dev',
  // The zone has delegations already. They must not prevent a rollback of the first deployment.
  delegationsOnDelete: step === 'before' ? DelegationsOnDelete.IGNORE : undefined,
});

new MigratingStack(app, 'Consumer', {
  env: { account: '222222222222', region: 'us-east-1' },
  step,
  hostedZoneId: app.node.getContext('hostedZoneId') as string,
  delegation: published.allowDelegation({ account: '222222222222', names: ['dev'] }),
});

app.synth();
