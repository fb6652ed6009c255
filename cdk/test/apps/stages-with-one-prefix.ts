// Refused: parameterPrefix "/zone-delegation" is that of dev/Networking/PublishedZone and of prod/Networking/PublishedZone, which are in one account and Region: give one of them another.
import { App, Stack, Stage } from 'aws-cdk-lib';
import { PublishedZone } from '../../lib';

const app = new App();
for (const name of ['dev', 'prod']) {
  const networking = new Stack(new Stage(app, name), 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
  new PublishedZone(networking, 'PublishedZone', { zoneName: `${name}.example.com`, parameterPrefix: '/zone-delegation' });
}

app.synth();
