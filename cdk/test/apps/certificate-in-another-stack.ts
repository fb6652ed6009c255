// Succeeds: a listener of another stack uses the certificate.
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as elbv2 from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const certificate = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');
const service = new Stack(app, 'Service', { env: { account: '222222222222', region: 'eu-west-1' } });
new elbv2.ApplicationLoadBalancer(service, 'Balancer', { vpc: new ec2.Vpc(service, 'Vpc') })
  .addListener('Https', { port: 443, certificates: [certificate], defaultAction: elbv2.ListenerAction.fixedResponse(200) });

app.synth();
