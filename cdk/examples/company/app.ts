import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../../lib'; // elsewhere: '@zone-delegation/cdk'
import { CompanyApp } from './company-app';
import { CompanyStack } from './company-stack';

const app = new CompanyApp();
const networking = new CompanyStack(app, 'Networking', { env: { account: '111111111111', region: 'eu-west-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com',
  parentZone: HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z00000000000000EXAMPLE', zoneName: 'example.com' }),
  parameterPrefix: '/zone-delegation/dev',
});
const delegation = published.allowDelegation({
  account: '222222222222', names: ['dev'],
  // The consumer's functions have the company's path, so the role has to name it.
  principalArns: ['arn:aws:iam::222222222222:role/company/*'],
});

const consumer = new CompanyStack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
consumer.node.addDependency(networking);
new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation }).certificate('Certificate');

app.synth();
