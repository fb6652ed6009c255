import { Fn, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';

/**
 * The private addresses of an interface endpoint, one in each of its subnets, as targets of an application load balancer. CloudFormation returns
 * only the ids of its network interfaces. The addresses stay the same as long as the endpoint exists.
 */
export class EndpointAddresses extends Construct {
  public readonly addresses: string[];

  public constructor(scope: Construct, id: string, endpoint: ec2.InterfaceVpcEndpoint, count: number) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'Log', { retention: logs.RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY });
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);

    const path = (index: number) => `NetworkInterfaces.${index}.PrivateIpAddress`;
    const indexes = [...Array(count).keys()];
    const lookUp = new AwsCustomResource(this, 'LookUp', {
      onUpdate: {
        service: 'ec2',
        action: 'DescribeNetworkInterfaces',
        parameters: { NetworkInterfaceIds: indexes.map((index) => Fn.select(index, endpoint.vpcEndpointNetworkInterfaceIds)) },
        outputPaths: indexes.map(path),
        // A new endpoint needs a new look-up.
        physicalResourceId: PhysicalResourceId.of(endpoint.vpcEndpointId),
      },
      policy: AwsCustomResourcePolicy.fromStatements([new iam.PolicyStatement({ actions: ['ec2:DescribeNetworkInterfaces'], resources: ['*'] })]),
      installLatestAwsSdk: false,
      role,
      logGroup,
    });
    Validations.of(lookUp).acknowledge({ id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]', reason: 'ec2:DescribeNetworkInterfaces has no resources' });
    this.addresses = indexes.map((index) => lookUp.getResponseField(path(index)));
  }
}
