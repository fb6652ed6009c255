import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { DelegatedSubdomain, type Delegation } from '../../lib'; // elsewhere: '@zone-delegation/cdk'

const STEPS = ['before', 'retained', 'taken-over', 'after'] as const;

/** The steps of the migration, one deployment each. The way back has the same steps in the opposite order. */
export type Step = typeof STEPS[number];

/** Properties of a `MigratingStack`. */
export interface MigratingStackProps extends StackProps {
  /** The current step. */
  readonly step: Step;
  /** The parent zone, published by its account. */
  readonly delegation: Delegation;
}

/** A consumer's stack that migrates from aws-cdk-lib's cross-account record. The name resolves at every moment. */
export class MigratingStack extends Stack {
  public constructor(scope: Construct, id: string, props: MigratingStackProps) {
    super(scope, id, props);
    if (!STEPS.includes(props.step)) {
      throw new Error(`step must be one of ${STEPS.join(', ')}, but it is ${JSON.stringify(props.step)}.`);
    }
    // The zone does not change, and keeps its logical id.
    const zone = new route53.PublicHostedZone(this, 'Zone', { zoneName: 'dev.build.example.com' });

    if (props.step === 'before' || props.step === 'retained') {
      new route53.CrossAccountZoneDelegationRecord(this, 'Delegation', {
        delegatedZone: zone,
        parentHostedZoneName: 'build.example.com',
        delegationRole: iam.Role.fromRoleArn(this, 'DelegationRole', 'arn:aws:iam::111111111111:role/build-delegation'),
        // Without it, CloudFormation deletes the NS record set in the parent when the record leaves the template.
        removalPolicy: props.step === 'retained' ? RemovalPolicy.RETAIN : undefined,
      });
    } else {
      // The parent delegates to this zone already: the subdomain adopts the NS record set as it is.
      const subdomain = new DelegatedSubdomain(this, 'Subdomain', { subdomain: 'dev', delegation: props.delegation, zone, adoptDelegation: true });
      if (props.step === 'taken-over') {
        // Without this policy, CloudFormation deletes the NS record set if the deployment that adds the subdomain fails and is rolled back.
        subdomain.applyRemovalPolicy(RemovalPolicy.RETAIN);
      }
    }
  }
}
