import type * as iam from 'aws-cdk-lib/aws-iam';

/** What Lambda needs to run a function in a network: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html */
export const NEEDED_FOR_NETWORK: iam.PolicyStatementProps = {
  actions: [
    'ec2:AssignPrivateIpAddresses', 'ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets',
    'ec2:UnassignPrivateIpAddresses',
  ],
  resources: ['*'],
};

/** Returns what a function needs to read its environment, which a key encrypts. */
export function neededForKey(keyArn: string): iam.PolicyStatementProps {
  return { actions: ['kms:Decrypt'], resources: [keyArn] };
}

/** Returns what a state machine needs to use a key: https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html */
export function neededForStateMachineKey(keyArn: string): iam.PolicyStatementProps {
  return { actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [keyArn] };
}
