import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Aws, type Stack } from 'aws-cdk-lib';
import type { SubdomainCertificate } from './subdomain-certificate';

// ACM begins 45 days before the end, or 60 where a certificate is valid for 395 days, and tries again until it is done:
// https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
const DAYS = 30;

/** The topic that a stack's alarms tell, where there is one. */
export function alarmTopicOf(stack: Stack, arn: string | undefined): sns.ITopic | undefined {
  return arn === undefined ? undefined : sns.Topic.fromTopicArn(stack, 'AlarmTopic', arn);
}

/** An alarm on a certificate of the stack's own Region, where alone it can be, that ACM has not renewed in time. */
export function addExpiryAlarm(certificate: SubdomainCertificate, topic: sns.ITopic): cloudwatch.Alarm {
  const alarm = new cloudwatch.Alarm(certificate, 'ExpiryAlarm', {
    metric: certificate.metricDaysToExpiry({ region: undefined }),
    threshold: DAYS,
    evaluationPeriods: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    // ACM says nothing of a certificate that has expired, which is no reason to call it well.
    treatMissingData: cloudwatch.TreatMissingData.IGNORE,
    alarmDescription: `${certificate.certificateArn} of ${Aws.STACK_NAME} expires in less than ${DAYS} days: ACM has not renewed it.`,
  });
  alarm.addAlarmAction(new SnsAction(topic));
  return alarm;
}
