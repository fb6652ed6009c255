import { App } from 'aws-cdk-lib';
import { PublishedZone } from '../../lib'; // elsewhere: '@zone-delegation/cdk'
import { ApplicationStack } from './application-stack';
import { IngressStack } from './ingress-stack';

const app = new App();
const [networkingAccount, ingressAccount, applicationAccount] = ['111111111111', '222222222222', '333333333333'];
const region = 'us-east-1';
const availabilityZoneIds = ['use1-az1', 'use1-az2'];

new ApplicationStack(app, 'Application', {
  env: { account: applicationAccount, region },
  availabilityZoneIds,
  ingressAccount,
  repositoryName: 'app',
  imageTag: '1.0.0',
  containerPort: 8080,
  healthCheckPath: '/',
});

new IngressStack(app, 'Ingress', {
  env: { account: ingressAccount, region },
  availabilityZoneIds,
  // The networking account publishes the zone and has granted `app` to the ingress account: see PublishedZone.allowDelegation.
  delegation: PublishedZone.delegation({ networkingAccount, account: ingressAccount, parameterPrefix: '/zone-delegation/dev' }),
  subdomain: 'app',
  // An output of the stack Application.
  endpointServiceName: app.node.getContext('endpointServiceName') as string,
  healthCheckPath: '/',
});

app.synth();
