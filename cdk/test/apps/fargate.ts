// Succeeds: a load-balanced Fargate service with the domain.
// A template has: "Name":"shop.dev.build.example.com."
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as patterns from 'aws-cdk-lib/aws-ecs-patterns';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const domainZone = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });
new patterns.ApplicationLoadBalancedFargateService(consumer, 'Service', {
  cluster: new ecs.Cluster(consumer, 'Cluster', { vpc: new ec2.Vpc(consumer, 'Vpc') }),
  taskImageOptions: { image: ecs.ContainerImage.fromRegistry('amazon/amazon-ecs-sample') },
  domainZone, domainName: 'shop.dev.build.example.com',
  certificate: domainZone.certificate('Certificate', { domainName: 'shop.dev.build.example.com' }),
});

app.synth();
