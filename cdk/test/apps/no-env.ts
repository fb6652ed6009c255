// Succeeds: no stack has an env, so accounts and Regions are those of the credentials.
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const published = new PublishedZone(new Stack(app, 'Networking'), 'PublishedZone', { zoneName: 'build.example.com', parameterPrefix: '/zone-delegation/dev' });
published.allowDelegation({ account: '222222222222', names: ['dev'] });
const delegation = PublishedZone.delegation({ networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev' });
new DelegatedSubdomain(new Stack(app, 'Consumer'), 'Subdomain', { subdomain: 'dev', delegation });

app.synth();
