import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App, Fn } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { ApplicationStackProps } from '../examples/internet-facing-app/application-stack';
import type { IngressStackProps } from '../examples/internet-facing-app/ingress-stack';
import { applicationIn, availabilityZoneIds, everything, ingressIn } from './internet-facing-app';
import { appWith, findings } from './nag';
import { functionZips, readable, resourceOf, resourcesOf } from './template';

for (const [name, { ingress, application }] of Object.entries({ plain: { ingress: {}, application: {} }, everything })) {
  test(`no finding of cdk-nag without a reason: ${name}`, () => {
    assert.deepEqual(findings(appWith((app) => {
      ingressIn(app, ingress);
      applicationIn(app, application);
    })), []);
  });
}

interface Listener { readonly Port: number; readonly Protocol: string; readonly DefaultActions: { readonly Type: string }[] }
interface TargetGroup { readonly Port: number; readonly Protocol: string; readonly TargetType: string; readonly Targets?: { readonly Id: string }[] }

const newApp = () => new App({ context: { functionZips } });
const ingress = (props: Partial<IngressStackProps> = {}) => Template.fromStack(ingressIn(newApp(), props));
const application = (props: Partial<ApplicationStackProps> = {}) => Template.fromStack(applicationIn(newApp(), props));

/** Returns the properties of all resources of a type, by their ids without the hash. */
function all<T>(template: Template, type: string): { readonly [id: string]: T } {
  return Object.fromEntries(Object.entries(resourcesOf(template)).filter(([, { Type }]) => Type === type)
    .map(([id, { Properties }]) => [id.replace(/[0-9A-F]{8}$/, ''), readable(Properties) as T]));
}

function listeners(template: Template): string[] {
  return Object.entries(all<Listener>(template, 'AWS::ElasticLoadBalancingV2::Listener'))
    .map(([id, { Port, Protocol, DefaultActions }]) => `${id}: ${Protocol} ${Port} ${DefaultActions[0]?.Type}`).sort();
}

/** Returns the permitted traffic: the security group, the group or range that may reach it, and the port. */
function ways(template: Template): string[] {
  const inline = Object.entries(all<{ SecurityGroupIngress?: { CidrIp: string; FromPort: number }[] }>(template, 'AWS::EC2::SecurityGroup'))
    .flatMap(([id, { SecurityGroupIngress = [] }]) => SecurityGroupIngress.map(({ CidrIp, FromPort }) => `${CidrIp} to ${id}: ${FromPort}`));
  const apart = Object.values(all<{ GroupId: string; SourceSecurityGroupId: string; FromPort: number }>(template, 'AWS::EC2::SecurityGroupIngress'))
    .map(({ GroupId, SourceSecurityGroupId, FromPort }) => `${SourceSecurityGroupId} to ${GroupId}: ${FromPort}`.replaceAll(/\$\{(\w+)\.GroupId\}/g, '$1'));
  return [...inline, ...apart].sort();
}

const rulesOf = (template: Template) => readable(resourceOf(template, 'AWS::WAFv2::WebACL').Properties['Rules']) as {
  readonly Name: string; readonly Priority: number; readonly Action?: unknown; readonly OverrideAction?: unknown; readonly Statement: unknown;
}[];

test('traffic from the Internet reaches the endpoint only over TLS and through AWS WAF', () => {
  const template = ingress();
  assert.deepEqual(listeners(template), ['BalancerHttps: HTTPS 443 forward', 'BalancerRedirect80To443: HTTP 80 redirect']);
  assert.deepEqual(ways(template), ['0.0.0.0/0 to BalancerGroup: 443', '0.0.0.0/0 to BalancerGroup: 80', 'BalancerGroup to EndpointGroup: 80']);
  assert.deepEqual(readable(resourceOf(template, 'AWS::WAFv2::WebACLAssociation').Properties), { ResourceArn: '${Balancer}', WebACLArn: '${WebAcl.Arn}' });
  assert.deepEqual(rulesOf(template).map(({ Name, Priority, OverrideAction }) => [Name, Priority, OverrideAction]), [
    ['AWSManagedRulesAmazonIpReputationList', 0, { None: {} }],
    ['AWSManagedRulesKnownBadInputsRuleSet', 1, { None: {} }],
    ['AWSManagedRulesCommonRuleSet', 2, { None: {} }],
  ]);
  const https = all<{ Certificates?: unknown[]; SslPolicy?: string }>(template, 'AWS::ElasticLoadBalancingV2::Listener')['BalancerHttps'];
  assert.deepEqual([https?.Certificates, https?.SslPolicy],
    [[{ CertificateArn: '${SubdomainCertificate.CertificateArn}' }], 'ELBSecurityPolicy-TLS13-1-2-2021-06']);
  const record = readable(resourceOf(template, 'AWS::Route53::RecordSet').Properties) as { Name: string; AliasTarget: { DNSName: string } };
  assert.deepEqual([record.Name, record.AliasTarget.DNSName], ['${Subdomain.DomainName}.', 'dualstack.${Balancer.DNSName}']);
  template.resourceCountIs('AWS::EC2::NatGateway', 0);
  template.resourceCountIs('AWS::Shield::Protection', 0);
});

test('the targets of the load balancer are the addresses of the endpoint', () => {
  const template = ingress();
  const endpoint = readable(resourceOf(template, 'AWS::EC2::VPCEndpoint').Properties) as { [name: string]: unknown };
  assert.deepEqual([endpoint['ServiceName'], endpoint['SubnetIds'], endpoint['PrivateDnsEnabled']],
    ['com.amazonaws.vpce.us-east-1.vpce-svc-1', ['${VpcPrivateSubnet1Subnet}', '${VpcPrivateSubnet2Subnet}'], false]);
  const { TargetType, Protocol, Targets } = resourceOf(template, 'AWS::ElasticLoadBalancingV2::TargetGroup').Properties as unknown as TargetGroup;
  assert.deepEqual([TargetType, Protocol, readable(Targets)], ['ip', 'HTTP', [0, 1].map((index) => (
    { Id: `\${EndpointAddressesLookUp.NetworkInterfaces.${index}.PrivateIpAddress}`, Port: 80 }))]);
  const lookUp = readable(resourceOf(template, 'Custom::AWS').Properties) as { Create: string; Update: string; Delete?: string };
  assert.equal(lookUp.Create, lookUp.Update);
  assert.equal(lookUp.Delete, undefined);
  assert.match(lookUp.Create, /"action":"DescribeNetworkInterfaces"/);
});

test('with an origin, every hop but the last uses TLS', () => {
  const [before, behind] = [ingress({ tlsToApplication: true }), application(everything.application)];
  const { Port, Protocol } = resourceOf(before, 'AWS::ElasticLoadBalancingV2::TargetGroup').Properties as unknown as TargetGroup;
  assert.deepEqual([Protocol, Port], ['HTTPS', 443]);
  assert.ok(ways(before).includes('BalancerGroup to EndpointGroup: 443'));
  assert.deepEqual(listeners(behind), ['BalancerListener: HTTPS 443 forward', 'DoorListener: TCP 443 forward']);
  assert.deepEqual(readable(resourceOf(behind, 'AWS::ElasticLoadBalancingV2::Listener', 'BalancerListener').Properties['Certificates']),
    [{ CertificateArn: '${OriginCertificate.CertificateArn}' }]);
});

test('allowed addresses are checked first, and all others blocked', () => {
  const template = ingress({ allowedAddresses: ['192.0.2.0/24', '198.51.100.7/32'] });
  assert.deepEqual(resourceOf(template, 'AWS::WAFv2::IPSet').Properties,
    { Scope: 'REGIONAL', IPAddressVersion: 'IPV4', Addresses: ['192.0.2.0/24', '198.51.100.7/32'] });
  const [first, ...others] = rulesOf(template);
  assert.deepEqual([first?.Priority, first?.Action, first?.Statement],
    [0, { Block: {} }, { NotStatement: { Statement: { IPSetReferenceStatement: { Arn: '${WebAclAllowedAddresses.Arn}' } } } }]);
  assert.deepEqual(others.map(({ Priority }) => Priority), [1, 2, 3]);
});

test('fixed addresses belong to a network load balancer in front of AWS WAF', () => {
  const template = ingress({ fixedAddresses: true, shieldAdvanced: true });
  const balancers = all<{ Type: string; Scheme: string; SubnetMappings?: unknown }>(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer');
  assert.deepEqual(Object.entries(balancers).map(([id, { Type, Scheme }]) => [id, Type, Scheme]).sort(),
    [['Balancer', 'application', 'internal'], ['Front', 'network', 'internet-facing']]);
  assert.deepEqual(balancers['Front']?.SubnetMappings, [1, 2].map((index) => (
    { AllocationId: `\${Address${index}.AllocationId}`, SubnetId: `\${VpcPublicSubnet${index}Subnet}` })));
  assert.deepEqual(ways(template), [
    '0.0.0.0/0 to FrontGroup: 443', '0.0.0.0/0 to FrontGroup: 80', 'BalancerGroup to EndpointGroup: 80', 'FrontGroup to BalancerGroup: 443', 'FrontGroup to BalancerGroup: 80',
  ]);
  assert.deepEqual(listeners(template), [
    'BalancerHttps: HTTPS 443 forward', 'BalancerRedirect80To443: HTTP 80 redirect', 'FrontPort443: TCP 443 forward', 'FrontPort80: TCP 80 forward',
  ]);
  assert.deepEqual(Object.values(all<TargetGroup>(template, 'AWS::ElasticLoadBalancingV2::TargetGroup')).filter(({ TargetType }) => TargetType === 'alb')
    .map(({ Port, Targets }) => [Port, Targets?.[0]?.Id]), [[443, '${Balancer}'], [80, '${Balancer}']]);
  const record = readable(resourceOf(template, 'AWS::Route53::RecordSet').Properties) as { AliasTarget: { DNSName: string } };
  assert.equal(record.AliasTarget.DNSName, 'dualstack.${Front.DNSName}');
  assert.deepEqual(Object.values(all<{ ResourceArn: string }>(template, 'AWS::Shield::Protection')).map(({ ResourceArn }) => ResourceArn),
    [1, 2].map((index) => `arn:\${AWS::Partition}:ec2:us-east-1:222222222222:eip-allocation/\${Address${index}.AllocationId}`));
});

test('Shield Advanced protects the load balancer that faces the Internet', () => {
  assert.deepEqual(readable(resourceOf(ingress({ shieldAdvanced: true }), 'AWS::Shield::Protection').Properties), { Name: 'Ingress', ResourceArn: '${Balancer}' });
});

test('only the ingress account reaches the application, and only through its load balancers', () => {
  const template = application();
  assert.deepEqual(readable(resourceOf(template, 'AWS::EC2::VPCEndpointServicePermissions').Properties['AllowedPrincipals']),
    ['arn:${AWS::Partition}:iam::222222222222:root']);
  const service = readable(resourceOf(template, 'AWS::EC2::VPCEndpointService').Properties) as { [name: string]: unknown };
  assert.deepEqual([service['AcceptanceRequired'], service['NetworkLoadBalancerArns']], [false, ['${Door}']]);
  assert.deepEqual(ways(template), ['BalancerGroup to ServiceGroup: 8080', 'DoorGroup to BalancerGroup: 80', 'ServiceGroup to AwsGroup: 443']);
  const groups = all<TargetGroup>(template, 'AWS::ElasticLoadBalancingV2::TargetGroup');
  assert.deepEqual(Object.values(groups).map(({ TargetType, Targets }) => [TargetType, Targets]), [['ip', undefined], ['alb', [{ Id: '${Balancer}', Port: 80 }]]]);
  assert.equal(all<{ EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: string }>(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer')['Door']
    ?.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic, 'off');
});

test('without egress no route leads to the Internet', () => {
  const template = application();
  for (const type of ['AWS::EC2::Route', 'AWS::EC2::InternetGateway', 'AWS::EC2::NatGateway', 'AWS::NetworkFirewall::Firewall']) {
    template.resourceCountIs(type, 0);
  }
  const { NetworkConfiguration } = readable(resourceOf(template, 'AWS::ECS::Service').Properties) as { NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: string; Subnets: string[] } } };
  assert.deepEqual([NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp, NetworkConfiguration.AwsvpcConfiguration.Subnets],
    ['DISABLED', ['${VpcApplicationSubnet1Subnet}', '${VpcApplicationSubnet2Subnet}']]);
});

test('egress passes the firewall of its own zone in both directions', () => {
  const routes = Object.values(all<{ RouteTableId: string; DestinationCidrBlock: string; VpcEndpointId?: unknown; NatGatewayId?: string; GatewayId?: string }>(
    application({ egressTo: ['.example.org'] }), 'AWS::EC2::Route'))
    .map((route) => `${route.RouteTableId} ${route.DestinationCidrBlock} ${route.NatGatewayId ?? route.GatewayId ?? /\w+Firewall\d/.exec(JSON.stringify(route.VpcEndpointId))?.[0]}`);
  assert.deepEqual(routes.sort(), [1, 2].flatMap((index) => [
    `\${VpcApplicationSubnet${index}RouteTable} 0.0.0.0/0 EgressFirewall${index}`,
    `\${VpcFirewallSubnet${index}RouteTable} 0.0.0.0/0 \${VpcNatSubnet${index}NATGateway}`,
    `\${VpcNatSubnet${index}RouteTable} 0.0.0.0/0 \${VpcIGW}`,
    `\${VpcNatSubnet${index}RouteTable} 10.2.${(index - 1) * 16}.0/20 EgressFirewall${index}`,
  ]).sort());
});

test('the firewall allows named domains and drops all other traffic', () => {
  const template = application({ egressTo: ['.example.org', 'example.net'] });
  assert.deepEqual((resourceOf(template, 'AWS::NetworkFirewall::RuleGroup').Properties['RuleGroup'] as { RulesSource: unknown }).RulesSource, {
    RulesSourceList: { GeneratedRulesType: 'ALLOWLIST', TargetTypes: ['TLS_SNI', 'HTTP_HOST'], Targets: ['.example.org', 'example.net'] },
  });
  assert.deepEqual(readable(resourceOf(template, 'AWS::NetworkFirewall::FirewallPolicy').Properties['FirewallPolicy']), {
    StatelessDefaultActions: ['aws:forward_to_sfe'],
    StatelessFragmentDefaultActions: ['aws:forward_to_sfe'],
    StatefulEngineOptions: { RuleOrder: 'STRICT_ORDER' },
    StatefulDefaultActions: ['aws:drop_established', 'aws:alert_established'],
    StatefulRuleGroupReferences: [{ Priority: 1, ResourceArn: '${EgressAllowedDomains.RuleGroupArn}' }],
  });
  template.resourceCountIs('AWS::NetworkFirewall::LoggingConfiguration', 2);
});

test('egress that is added later replaces nothing', () => {
  const [before, after] = [application(), application({ egressTo: ['.example.org'] })].map(resourcesOf);
  for (const [id, resource] of Object.entries(before!)) {
    assert.deepEqual(after![id]?.Properties, resource.Properties, id);
  }
});

test('both accounts use the same zones', () => {
  for (const template of [ingress(), application({ egressTo: ['.example.org'] })]) {
    const subnets = Object.values(all<{ AvailabilityZone?: string; AvailabilityZoneId: string }>(template, 'AWS::EC2::Subnet'));
    assert.deepEqual([...new Set(subnets.map(({ AvailabilityZone, AvailabilityZoneId }) => `${AvailabilityZone} ${AvailabilityZoneId}`))],
      availabilityZoneIds.map((zone) => `undefined ${zone}`));
  }
});

const wrong: [RegExp, Partial<IngressStackProps>, Partial<ApplicationStackProps>][] = [
  [/^availabilityZoneIds must be at least two ids .*, but it is \["use1-az1"\]\.$/, { availabilityZoneIds: ['use1-az1'] }, {}],
  [/^availabilityZoneIds must be .*, such as "use1-az1", but it is \["us-east-1a","us-east-1b"\]\.$/, {}, { availabilityZoneIds: ['us-east-1a', 'us-east-1b'] }],
  [/^endpointServiceName must be the output EndpointServiceName of the stack Application, .*, but it is "vpce-svc-1"\.$/, { endpointServiceName: 'vpce-svc-1' }, {}],
  [/^allowedAddresses must be at least one IPv4 range, such as "192\.0\.2\.0\/24", but it is \["192\.0\.2\.1"\]\.$/, { allowedAddresses: ['192.0.2.1'] }, {}],
  [/^allowedAddresses .*, but it is \["0\.0\.0\.0\/0"\]\.$/, { allowedAddresses: ['0.0.0.0/0'] }, {}],
  [/^allowedAddresses .*, but it is \[\]\.$/, { allowedAddresses: [] }, {}],
  [/^egressTo must be at least one domain, .*, but it is \["https:\/\/example\.org"\]\.$/, {}, { egressTo: ['https://example.org'] }],
  [/^egressTo .*, but it is \[\]\.$/, {}, { egressTo: [] }],
];
wrong.forEach(([message, ingressProps, applicationProps]) => test(`a wrong prop is named: ${message.source}`, () => {
  assert.throws(() => {
    ingressIn(newApp(), ingressProps);
    applicationIn(newApp(), applicationProps);
  }, { message });
}));

test('a value that is not known yet is accepted', () => {
  const parameter = (id: string) => Fn.importValue(id);
  ingress({ endpointServiceName: parameter('Service'), allowedAddresses: [parameter('Range')] });
});
