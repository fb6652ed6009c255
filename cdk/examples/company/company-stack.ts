import { Stack, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { FunctionDefaults } from '../../lib'; // elsewhere: '@zone-delegation/cdk'

/** A stack with the permissions boundary, and with functions that use the key, the network, the queue and the topic, that the company has in each account. */
export class CompanyStack extends Stack {
  public constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    iam.PermissionsBoundary.of(this).apply(iam.ManagedPolicy.fromManagedPolicyName(this, 'Boundary', 'company-boundary'));
    const encryptionKey = new kms.Key(this, 'Key', { enableKeyRotation: true });
    FunctionDefaults.set(this, {
      // For the environment, the logs, and the requests in the execution history.
      encryptionKey,
      // A network that reaches the APIs of AWS, and port 53 by UDP and TCP.
      vpc: ec2.Vpc.fromVpcAttributes(this, 'Vpc', { vpcId: 'vpc-1', availabilityZones: ['eu-west-1a'], privateSubnetIds: ['subnet-1'] }),
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(this, 'Group', 'sg-1')],
      deadLetterQueue: sqs.Queue.fromQueueArn(this, 'Queue', this.formatArn({ service: 'sqs', resource: 'failed' })),
      alarmTopic: sns.Topic.fromTopicArn(this, 'Topic', this.formatArn({ service: 'sns', resource: 'alarms' })),
    });
  }
}
