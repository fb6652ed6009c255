// Succeeds: record sets by full and by relative names are the same.
// A template has: "Name":"www.dev.build.example.com."
// A template has: "Name":"api.dev.build.example.com."
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const zone = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });
new route53.ARecord(consumer, 'Www', { zone, recordName: 'www.dev.build.example.com', target: route53.RecordTarget.fromIpAddresses('192.0.2.1') });
new route53.CnameRecord(consumer, 'Api', { zone, recordName: 'api', domainName: 'www.dev.build.example.com' });

app.synth();
