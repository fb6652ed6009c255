import { App, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../lib';

// The stacks that tests/emulator/stacks/comparison.py deploys: one name of one parent zone, once by aws-cdk-lib's construct and once by this
// project's. The suite replaces `cdk-name` and `our-name` by the names of its cases.
const app = new App();
const names = app.node.getContext('names') as string[];
const env = (account: string) => ({ env: { account, region: 'us-east-1' } });

const networking = new Stack(app, 'Networking', env('111111111111'));
const published = new PublishedZone(networking, 'PublishedZone', {
  zone: route53.HostedZone.fromHostedZoneAttributes(networking, 'Zone', { hostedZoneId: 'Z00000000000000EXAMPLE', zoneName: 'build.example.com' }),
  parameterPrefix: '/zone-delegation/dev',
});
const delegation = published.allowDelegation({ account: '222222222222', names: ['our-name', ...names] });

const cdk = new Stack(app, 'Cdk', env('222222222222'));
new route53.CrossAccountZoneDelegationRecord(cdk, 'Delegation', {
  delegatedZone: new route53.PublicHostedZone(cdk, 'Zone', { zoneName: 'cdk-name.build.example.com' }),
  parentHostedZoneName: 'build.example.com',
  delegationRole: iam.Role.fromRoleArn(cdk, 'DelegationRole', 'arn:aws:iam::111111111111:role/build-delegation'),
});

const ours = new Stack(app, 'Ours', env('222222222222'));
// Nobody resolves these names between the steps of a case.
new DelegatedSubdomain(ours, 'Subdomain', { subdomain: 'our-name', delegation, drain: Duration.seconds(0) });

app.synth();
