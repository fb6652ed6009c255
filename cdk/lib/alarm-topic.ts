import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Aws, type Stack } from 'aws-cdk-lib';
import type { SubdomainCertificate } from './subdomain-certificate';

// ACM begins to renew a certificate 45 days before it expires, or 60 days if it is valid for 395 days, and repeats attempts:
// https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
const DAYS = 30;

/** Returns the topic that a stack's alarms notify, if there is one. */
export function alarmTopicOf(stack: Stack, arn: string | undefined): sns.ITopic | undefined {
  return arn === undefined ? undefined : sns.Topic.fromTopicArn(stack, 'AlarmTopic', arn);
}

/** Adds an alarm on a certificate that ACM has not renewed in time. It has to be in the certificate's Region. */
export function addExpiryAlarm(certificate: SubdomainCertificate, topic: sns.ITopic): cloudwatch.Alarm {
  const alarm = new cloudwatch.Alarm(certificate, 'ExpiryAlarm', {
    metric: certificate.metricDaysToExpiry({ region: undefined }),
    threshold: DAYS,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    // ACM has no data points for an expired certificate, which must not end the alarm.
    treatMissingData: cloudwatch.TreatMissingData.IGNORE,
    alarmDescription: `${certificate.certificateArn} of ${Aws.STACK_NAME} expires in less than ${DAYS} days: ACM has not renewed it.`,
  });
  alarm.addAlarmAction(new SnsAction(topic));
  return alarm;
}
