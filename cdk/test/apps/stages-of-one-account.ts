// Succeeds: two Stages publish zones in one account, each under a prefix of its own.
import { App, Stack, Stage } from 'aws-cdk-lib';
import { PublishedZone } from '../../lib';

const app = new App();
for (const name of ['dev', 'prod']) {
  const networking = new Stack(new Stage(app, name), 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
  new PublishedZone(networking, 'PublishedZone', { zoneName: `${name}.example.com`, parameterPrefix: `/zone-delegation/${name}` })
    .allowDelegation({ account: '222222222222', names: ['team'] });
}

app.synth();
