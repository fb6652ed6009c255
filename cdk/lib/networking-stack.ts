import { CfnOutput, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { alarmTopicOf } from './alarm-topic';
import type { Configuration } from './configuration';
import type { FunctionSettings } from './function-settings';
import { PublishedZone } from './published-zone';

/** Properties of the networking stack. */
export interface NetworkingStackProps extends StackProps {
  /** What the app deploys. */
  readonly configuration: Configuration;
  /** The settings of its function. */
  readonly functionSettings: FunctionSettings;
}

/** The delegated zone, published for its consumers, in the account that has the base domain. */
export class NetworkingStack extends Stack {
  public constructor(scope: Construct, id: string, props: NetworkingStackProps) {
    super(scope, id, props);
    const { configuration } = props;
    const publishedZone = new PublishedZone(this, 'PublishedZone', {
      zoneName: configuration.zoneName,
      parentZone: route53.HostedZone.fromHostedZoneAttributes(this, 'BaseZone', {
        hostedZoneId: configuration.baseHostedZoneId,
        zoneName: configuration.baseDomain,
      }),
      parameterPrefix: configuration.parameterPrefix,
      functionSettings: { ...props.functionSettings, alarmTopic: alarmTopicOf(this, configuration.alarmTopicArn) },
    });
    if (configuration.retainZones) {
      publishedZone.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    }
    for (const consumer of configuration.consumers) {
      const { roleArn } = publishedZone.allowDelegation({
        account: consumer.account,
        // The retired names too: the consumer's stack deletes them with this permission, after this stack is deployed.
        names: consumer.names,
        externalId: consumer.externalId,
        organizationId: configuration.organizationId,
      });
      new CfnOutput(this, `DelegationRole${consumer.account}`, { value: roleArn });
    }
    new CfnOutput(this, 'HostedZoneId', { value: publishedZone.zone.hostedZoneId });
    new CfnOutput(this, 'NameServers', { value: Fn.join(',', publishedZone.zone.hostedZoneNameServers ?? []) });
    new CfnOutput(this, 'ParameterPrefix', { value: publishedZone.parameterPrefix });
  }
}
