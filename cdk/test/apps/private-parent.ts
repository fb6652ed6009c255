// Refused: parentZone must be a public hosted zone, but it is "Consumer/Private".
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const vpc = new ec2.Vpc(consumer, 'Vpc');
new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', parentZone: new route53.PrivateHostedZone(consumer, 'Private', { zoneName: 'corp.example.com', vpc }) });

app.synth();
