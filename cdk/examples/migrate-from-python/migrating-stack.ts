import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { CustomResource, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { DelegatedSubdomain, type Delegation } from '../../lib'; // elsewhere: '@zone-delegation/cdk'

const NAME = 'dev.build.example.com';
// What the sample has in the networking account: a role that this account may assume, and the parameter with the parent zone's id.
const ROLE = 'arn:aws:iam::111111111111:role/sample-delegation';
const PARAMETER = '/sample/zone';

const STEPS = ['before', 'retained', 'taken-over', 'after'] as const;

/** The steps of the migration, one deployment each. */
export type Step = typeof STEPS[number];

/** Properties of a `MigratingStack`. */
export interface MigratingStackProps extends StackProps {
  /** The current step. */
  readonly step: Step;
  /** Id of the zone that the sample created. */
  readonly hostedZoneId: string;
  /** The parent zone, published by its account. */
  readonly delegation: Delegation;
}

/** A consumer's stack that migrates from a custom resource in Python. The name resolves at every moment. */
export class MigratingStack extends Stack {
  public constructor(scope: Construct, id: string, props: MigratingStackProps) {
    super(scope, id, props);
    if (!STEPS.includes(props.step)) {
      throw new Error(`step must be one of ${STEPS.join(', ')}, but it is ${JSON.stringify(props.step)}.`);
    }
    const { step, delegation } = props;

    const isTakenOver = step === 'taken-over' || step === 'after';
    const hostedZoneId = isTakenOver ? props.hostedZoneId : this.sample(step).ref;
    const zone = route53.HostedZone.fromHostedZoneAttributes(this, 'Zone', { hostedZoneId, zoneName: NAME });
    // The id of its zone does not change, so CloudFormation does not touch the record set.
    new route53.ARecord(this, 'Www', { zone, recordName: 'www', target: route53.RecordTarget.fromIpAddresses('192.0.2.80') });

    if (isTakenOver) {
      // The parent delegates to this zone already: the subdomain adopts the NS record set as it is.
      const subdomain = new DelegatedSubdomain(this, 'Subdomain', { subdomain: 'dev', delegation, zone, adoptDelegation: true });
      if (step === 'taken-over') {
        // Without this policy, CloudFormation deletes the NS record set if the deployment that adds the subdomain fails and is rolled back.
        subdomain.applyRemovalPolicy(RemovalPolicy.RETAIN);
      }
    }
  }

  /** The sample's function and its custom resource, whose physical id is the zone's. */
  private sample(step: Step): CustomResource {
    const handler = new lambda.Function(this, 'SampleFunction', {
      runtime: lambda.Runtime.PYTHON_3_12,
      handler: 'index.handler',
      code: lambda.Code.fromInline(readFileSync(path.join(__dirname, 'sample.py'), 'utf8')),
      timeout: Duration.minutes(1),
      initialPolicy: [
        new iam.PolicyStatement({ actions: ['sts:AssumeRole'], resources: [ROLE] }),
        new iam.PolicyStatement({ actions: ['route53:CreateHostedZone', 'route53:GetHostedZone', 'route53:DeleteHostedZone'], resources: ['*'] }),
      ],
    });
    return new CustomResource(this, 'SampleSubdomain', {
      resourceType: 'Custom::SampleSubdomain',
      serviceToken: handler.functionArn,
      properties: { Name: NAME, Role: ROLE, Parameter: PARAMETER },
      // Without it, the sample deletes the NS record set in the parent when its resource leaves the template.
      removalPolicy: step === 'retained' ? RemovalPolicy.RETAIN : undefined,
    });
  }
}
