import { Fn, RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as networkfirewall from 'aws-cdk-lib/aws-networkfirewall';
import { Construct } from 'constructs';

/** The names of the subnets with the firewalls and the NAT gateways. */
export const EGRESS_SUBNETS: ec2.SubnetConfiguration[] = [
  { name: 'Firewall', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 28 },
  { name: 'Nat', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
];

/** Properties of an `Egress`. */
export interface EgressProps {
  /** A network with `EGRESS_SUBNETS` and a NAT gateway in each zone. */
  readonly vpc: ec2.IVpc;
  /** The subnets that may reach the domains, one in each zone. */
  readonly subnets: ec2.ISubnet[];
  /** The domains that may be reached. `.example.com` means all names in that domain. */
  readonly allowedDomains: string[];
}

/**
 * A route to named domains only: application subnet, Network Firewall, NAT gateway, Internet, and back the same way.
 *
 * There is one firewall in each zone, not one for all: CloudFormation returns the endpoints of a firewall in no order, and each subnet needs the
 * endpoint in its own zone. AWS charges for endpoints, so the price is the same.
 */
export class Egress extends Construct {
  public constructor(scope: Construct, id: string, { vpc, subnets, allowedDomains }: EgressProps) {
    super(scope, id);
    const rules = new networkfirewall.CfnRuleGroup(this, 'AllowedDomains', {
      ruleGroupName: `${this.node.addr}-domains`,
      type: 'STATEFUL',
      capacity: 100,
      ruleGroup: {
        rulesSource: {
          rulesSourceList: { generatedRulesType: 'ALLOWLIST', targetTypes: ['TLS_SNI', 'HTTP_HOST'], targets: allowedDomains },
        },
        statefulRuleOptions: { ruleOrder: 'STRICT_ORDER' },
      },
    });
    const policy = new networkfirewall.CfnFirewallPolicy(this, 'Policy', {
      firewallPolicyName: `${this.node.addr}-policy`,
      firewallPolicy: {
        statelessDefaultActions: ['aws:forward_to_sfe'],
        statelessFragmentDefaultActions: ['aws:forward_to_sfe'],
        statefulEngineOptions: { ruleOrder: 'STRICT_ORDER' },
        // The connection must be established before the client sends the name of the domain.
        statefulDefaultActions: ['aws:drop_established', 'aws:alert_established'],
        statefulRuleGroupReferences: [{ resourceArn: rules.attrRuleGroupArn, priority: 1 }],
      },
    });
    const log = new logs.LogGroup(this, 'Log', { retention: logs.RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY });
    const firewallSubnets = vpc.selectSubnets({ subnetGroupName: 'Firewall' }).subnets;
    const natSubnets = vpc.selectSubnets({ subnetGroupName: 'Nat' }).subnets;

    subnets.forEach((subnet, index) => {
      const [firewallSubnet, natSubnet] = [firewallSubnets[index]!, natSubnets[index]!];
      const firewall = new networkfirewall.CfnFirewall(this, `Firewall${index + 1}`, {
        firewallName: `${this.node.addr}-${index + 1}`,
        firewallPolicyArn: policy.attrFirewallPolicyArn,
        vpcId: vpc.vpcId,
        subnetMappings: [{ subnetId: firewallSubnet.subnetId }],
      });
      new networkfirewall.CfnLoggingConfiguration(this, `Logging${index + 1}`, {
        firewallArn: firewall.attrFirewallArn,
        loggingConfiguration: {
          logDestinationConfigs: [{ logType: 'ALERT', logDestinationType: 'CloudWatchLogs', logDestination: { logGroup: log.logGroupName } }],
        },
      });
      // Its one endpoint, as `us-east-1a:vpce-...`.
      const vpcEndpointId = Fn.select(1, Fn.split(':', Fn.select(0, firewall.attrEndpointIds)));
      new ec2.CfnRoute(this, `Out${index + 1}`, { routeTableId: subnet.routeTable.routeTableId, destinationCidrBlock: '0.0.0.0/0', vpcEndpointId });
      // The responses pass the firewall too. Otherwise it would see half of each connection.
      new ec2.CfnRoute(this, `Back${index + 1}`, {
        routeTableId: natSubnet.routeTable.routeTableId, destinationCidrBlock: subnet.ipv4CidrBlock, vpcEndpointId,
      });
    });
  }
}
