// Succeeds: a team that does not have the networking account's app.
// A template has: "NetworkRoleArn":{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::111111111111:role/zone-delegation-dev-222222222222"]]}
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });

app.synth();
