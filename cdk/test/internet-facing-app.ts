import type { App } from 'aws-cdk-lib';
import { ApplicationStack, type ApplicationStackProps } from '../examples/internet-facing-app/application-stack';
import { IngressStack, type IngressStackProps } from '../examples/internet-facing-app/ingress-stack';

const region = 'us-east-1';
export const availabilityZoneIds = ['use1-az1', 'use1-az2'];
const delegation = { parameterPrefix: '/zone-delegation/dev', roleArn: 'arn:aws:iam::111111111111:role/zone-delegation-dev-222222222222' };

/** Returns the ingress stack without options. */
export function ingressIn(app: App, props: Partial<IngressStackProps> = {}): IngressStack {
  return new IngressStack(app, 'Ingress', {
    env: { account: '222222222222', region }, availabilityZoneIds, delegation, subdomain: 'app', healthCheckPath: '/health',
    endpointServiceName: 'com.amazonaws.vpce.us-east-1.vpce-svc-1', ...props,
  });
}

/** Returns the application stack without options. */
export function applicationIn(app: App, props: Partial<ApplicationStackProps> = {}): ApplicationStack {
  return new ApplicationStack(app, 'Application', {
    env: { account: '333333333333', region }, availabilityZoneIds, ingressAccount: '222222222222', repositoryName: 'app', imageTag: '1',
    containerPort: 8080, healthCheckPath: '/health', ...props,
  });
}

/** Every option of both stacks. */
export const everything = {
  ingress: { allowedAddresses: ['192.0.2.0/24'], fixedAddresses: true, shieldAdvanced: true, tlsToApplication: true },
  application: { egressTo: ['.example.org'], origin: { delegation, subdomain: 'origin' } },
};
