import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { DelegatedSubdomain, PublishedZone } from '../../lib'; // elsewhere: '@zone-delegation/cdk'

const delegation = PublishedZone.delegation({
  networkingAccount: '111111111111', account: '222222222222', parameterPrefix: '/zone-delegation/dev', zoneName: 'build.example.com',
});

test('the subdomain has its name, and its certificate is in us-east-1', () => {
  const stack = new Stack(new App(), 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
  const subdomain = new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev', delegation });
  subdomain.certificate('Certificate', { region: 'us-east-1' });
  assert.equal(subdomain.zoneName, 'dev.build.example.com');
  Template.fromStack(stack).hasResourceProperties('Custom::SubdomainCertificate', { DomainName: 'dev.build.example.com', Region: 'us-east-1' });
});

test('a name that is not relative to the zone is refused', () => {
  const stack = new Stack(new App(), 'Consumer', { env: { account: '222222222222', region: 'eu-west-1' } });
  assert.throws(() => new DelegatedSubdomain(stack, 'Subdomain', { subdomain: 'dev.build.example.com', delegation }), /subdomain must be relative to "build\.example\.com"/);
});
