import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { DelegatedSubdomain, PublishedZone } from '../../lib'; // elsewhere: '@zone-delegation/cdk'

const app = new App();

// Account 111111111111 has example.com. It creates and publishes build.example.com, and allows account 222222222222 to delegate dev.build.example.com.
const networking = new Stack(app, 'Networking', { env: { account: '111111111111', region: 'us-east-1' } });
const published = new PublishedZone(networking, 'PublishedZone', {
  zoneName: 'build.example.com',
  parentZone: HostedZone.fromHostedZoneAttributes(networking, 'Base', { hostedZoneId: 'Z00000000000000EXAMPLE', zoneName: 'example.com' }),
  parameterPrefix: '/zone-delegation/dev',
});
const delegation = published.allowDelegation({ account: '222222222222', names: ['dev'] });

// Account 222222222222 creates dev.build.example.com, with a certificate for the name and all names in it.
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'us-east-1' } });
consumer.node.addDependency(networking); // no reference between accounts ensures the order
const subdomain = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'dev', delegation });
const certificate = subdomain.certificate('Certificate', { subjectAlternativeNames: [`*.${subdomain.zoneName}`] });
new CfnOutput(consumer, 'CertificateArn', { value: certificate.certificateArn });

app.synth();
