import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as wafv2 from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';

// Senders with a bad reputation first, because that check costs least. Then malicious requests.
const MANAGED_RULES = ['AWSManagedRulesAmazonIpReputationList', 'AWSManagedRulesKnownBadInputsRuleSet', 'AWSManagedRulesCommonRuleSet'];

/** Properties of a `WebAcl`. */
export interface WebAclProps {
  /**
   * IPv4 ranges, as CIDR, whose requests are allowed. All others are blocked.
   *
   * @default - all requests are allowed
   */
  readonly allowedAddresses?: string[];
}

/** AWS WAF with AWS's managed rules before a load balancer, and its log. */
export class WebAcl extends Construct {
  private readonly arn: string;

  public constructor(scope: Construct, id: string, { allowedAddresses }: WebAclProps) {
    super(scope, id);
    const name = Stack.of(this).stackName;
    const rules = MANAGED_RULES.map((rule): RuleWithoutPriority => ({
      name: rule,
      statement: { managedRuleGroupStatement: { vendorName: 'AWS', name: rule } },
      overrideAction: { none: {} },
      visibilityConfig: visibility(rule),
    }));
    if (allowedAddresses) {
      const addresses = new wafv2.CfnIPSet(this, 'AllowedAddresses', { scope: 'REGIONAL', ipAddressVersion: 'IPV4', addresses: allowedAddresses });
      rules.unshift({
        name: 'OtherAddresses',
        statement: { notStatement: { statement: { ipSetReferenceStatement: { arn: addresses.attrArn } } } },
        action: { block: {} },
        visibilityConfig: visibility('OtherAddresses'),
      });
    }
    const acl = new wafv2.CfnWebACL(this, 'Acl', {
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      rules: rules.map((rule, priority) => ({ ...rule, priority })),
      visibilityConfig: visibility(name),
    });
    this.arn = acl.attrArn;

    const log = new logs.LogGroup(this, 'Log', {
      // WAF requires this prefix: https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html
      logGroupName: `aws-waf-logs-${name}`,
      retention: logs.RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logging = new wafv2.CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: this.arn,
      // Without the `:*` at the end of a log group's ARN.
      logDestinationConfigs: [
        Stack.of(this).formatArn({ service: 'logs', resource: 'log-group', resourceName: `aws-waf-logs-${name}`, arnFormat: ArnFormat.COLON_RESOURCE_NAME }),
      ],
    });
    logging.node.addDependency(log);
  }

  /** Protects a resource. */
  public protect(resourceArn: string): void {
    new wafv2.CfnWebACLAssociation(this, 'Association', { resourceArn, webAclArn: this.arn });
  }
}

type RuleWithoutPriority = Omit<wafv2.CfnWebACL.RuleProperty, 'priority'>;

function visibility(metricName: string): wafv2.CfnWebACL.VisibilityConfigProperty {
  return { metricName, cloudWatchMetricsEnabled: true, sampledRequestsEnabled: true };
}
