import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { addExpiryAlarm, alarmTopicOf } from './alarm-topic';
import type { Configuration } from './configuration';
import type { Consumer } from './consumer';
import { DelegateSubdomainFunction } from './delegate-subdomain-function';
import { DelegatedSubdomain } from './delegated-subdomain';
import type { FunctionSettings } from './function-settings';
import { PublishedZone } from './published-zone';

/** Properties of a consumer stack. */
export interface ConsumerStackProps extends StackProps {
  /** What the app deploys. */
  readonly configuration: Configuration;
  /** The consumer. */
  readonly consumer: Consumer;
  /** The settings of its function. */
  readonly functionSettings: FunctionSettings;
}

/** A consumer's subdomains: its names except the retired ones, delegated across accounts, and below each its applications with certificates. */
export class ConsumerStack extends Stack {
  public constructor(scope: Construct, id: string, props: ConsumerStackProps) {
    super(scope, id, props);
    const { configuration, consumer } = props;
    const delegation = PublishedZone.delegation({
      networkingAccount: configuration.networkingAccount,
      account: consumer.account,
      parameterPrefix: configuration.parameterPrefix,
      region: configuration.networkingRegion,
      externalId: consumer.externalId,
      zoneName: configuration.zoneName,
    });
    // The function stays when the last name is retired, because a template has at least one resource.
    const alarmTopic = alarmTopicOf(this, consumer.alarmTopicArn);
    DelegateSubdomainFunction.of(this, { ...props.functionSettings, alarmTopic });
    const times = { ttl: durationOf(consumer.ttlSeconds), drain: durationOf(consumer.drainSeconds) };
    for (const name of consumer.createdNames) {
      const subdomain = new DelegatedSubdomain(this, name, { subdomain: name, delegation, ...times });
      this.protect(subdomain, consumer);
      new CfnOutput(this, `${name}-domain`, { value: subdomain.zoneName });
      new CfnOutput(this, `${name}-zone`, { value: subdomain.hostedZoneId });
      for (const application of consumer.applications) {
        const fullName = `${application}.${name}`;
        const applicationSubdomain = new DelegatedSubdomain(this, fullName, { subdomain: application, parentZone: subdomain, ...times });
        this.protect(applicationSubdomain, consumer);
        const certificateIsHere = consumer.certificateRegion === consumer.region;
        const certificate = applicationSubdomain.certificate('Certificate', {
          subjectAlternativeNames: [`*.${applicationSubdomain.zoneName}`],
          region: certificateIsHere ? undefined : consumer.certificateRegion,
        });
        if (alarmTopic && certificateIsHere) {
          addExpiryAlarm(certificate, alarmTopic);
        }
        new CfnOutput(this, `${fullName}-domain`, { value: applicationSubdomain.zoneName });
        new CfnOutput(this, `${fullName}-zone`, { value: applicationSubdomain.hostedZoneId });
        new CfnOutput(this, `${fullName}-certificate`, { value: certificate.certificateArn });
      }
    }
  }

  private protect(subdomain: DelegatedSubdomain, { retainZones }: Consumer): void {
    if (retainZones) {
      // A failed create is still rolled back.
      subdomain.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    }
  }
}

function durationOf(seconds: number | undefined): Duration | undefined {
  return seconds === undefined ? undefined : Duration.seconds(seconds);
}
