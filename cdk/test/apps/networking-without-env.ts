// Refused: delegation comes from Networking/PublishedZone, whose stack has no known account, but Consumer/Subdomain is in account 222222222222: give the stack Networking its env, { account, region }.
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const published = new PublishedZone(new Stack(app, 'Networking'), 'PublishedZone', { zoneName: 'build.example.com', parameterPrefix: '/zone-delegation/dev' });
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });

new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation: published.allowDelegation({ account: '222222222222', names: ['dev'] }) });

app.synth();
