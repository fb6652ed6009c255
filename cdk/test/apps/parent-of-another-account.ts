// Refused: parentZone is Networking/Zone of account 111111111111, but Consumer/Subdomain is in account 222222222222: let a zone of another account delegate by PublishedZone and its allowDelegation.
import { App, Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const parentZone = new route53.PublicHostedZone(networking, 'Zone', { zoneName: 'build.example.com' });
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', parentZone });

app.synth();
