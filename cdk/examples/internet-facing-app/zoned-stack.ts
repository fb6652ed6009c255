import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { check } from './checks';

/** Properties of a `ZonedStack`. */
export interface ZonedStackProps extends StackProps {
  /**
   * Ids of the availability zones, at least two: `use1-az1`. Not their names, because `us-east-1a` is a different zone in each account, and an
   * interface endpoint can exist only in zones where the endpoint service has a load balancer.
   */
  readonly availabilityZoneIds: string[];
}

/** A stack with a network in the configured availability zones. */
export abstract class ZonedStack extends Stack {
  protected readonly vpc: ec2.Vpc;
  private readonly zoneIds: string[];

  protected constructor(scope: Construct, id: string, props: ZonedStackProps, network: ec2.VpcProps) {
    super(scope, id, props);
    check('availabilityZoneIds', props.availabilityZoneIds);
    this.zoneIds = props.availabilityZoneIds;
    this.vpc = new ec2.Vpc(this, 'Vpc', { ...network, maxAzs: this.zoneIds.length });
    for (const subnet of this.vpc.node.findAll().filter((construct) => construct instanceof ec2.CfnSubnet)) {
      subnet.availabilityZoneId = subnet.availabilityZone;
      subnet.availabilityZone = undefined;
    }
    const log = new logs.LogGroup(this, 'FlowLog', { retention: logs.RetentionDays.THREE_MONTHS, removalPolicy: RemovalPolicy.DESTROY });
    this.vpc.addFlowLog('FlowLog', { destination: ec2.FlowLogDestination.toCloudWatchLogs(log) });
  }

  /** The zones of the network: one token per id, because the CDK expects names. */
  public override get availabilityZones(): string[] {
    return this.zoneIds;
  }
}
