// Succeeds: an HTTP API with a name of its own.
import { App, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import * as route53 from 'aws-cdk-lib/aws-route53';
import * as targets from 'aws-cdk-lib/aws-route53-targets';
import { DelegatedSubdomain, PublishedZone } from '../../lib';

const app = new App();
const consumer = new Stack(app, 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', region: 'us-east-1', zoneName: 'build.example.com',
});

const zone = new DelegatedSubdomain(consumer, 'Subdomain', { subdomain: 'api', delegation });
const domainName = new apigateway.DomainName(consumer, 'DomainName', { domainName: zone.zoneName, certificate: zone.certificate('Certificate') });
new apigateway.HttpApi(consumer, 'Api', { defaultDomainMapping: { domainName } });
new route53.ARecord(consumer, 'Alias', {
  zone, target: route53.RecordTarget.fromAlias(new targets.ApiGatewayv2DomainProperties(domainName.regionalDomainName, domainName.regionalHostedZoneId)),
});

app.synth();
