// Succeeds: both accounts are in the partition aws-cn.
import { App, Stack } from 'aws-cdk-lib';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'cn-north-1' } });
const published = new PublishedZone(networking, 'PublishedZone', { zoneName: 'build.example.cn', parameterPrefix: '/zone-delegation/dev' });
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'cn-northwest-1' } });
new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation: published.allowDelegation({ account: '222222222222', names: ['dev'] }) }).certificate('Certificate');

app.synth();
