import { CustomResource, Duration, Fn, Resource, Stack, Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { HostedZoneReference } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { DelegateSubdomainFunction } from './delegate-subdomain-function';
import type { Delegation } from './delegation';
import { normalised, problemOfName } from './domain-name';
import type { FunctionSettings } from './function-settings';
import { PropError } from './prop-error';
import { serviceTimeoutOf, tagList } from './resource-properties';
import { type CertificateOptions, SubdomainCertificate } from './subdomain-certificate';

/** What happens on delete to records in the zone other than its apex SOA and NS and ACM's validation CNAMEs. */
export enum RecordsOnDelete {
  /** Nothing is deleted, the error lists them. */
  FAIL = 'Fail',
  /** They are deleted. NS record sets below the apex fail the delete all the same. */
  DELETE = 'Delete',
}

/** Properties of a `DelegatedSubdomain`. Its parent is said by `delegation` or by `parentZone`. */
export interface DelegatedSubdomainProps {
  /** One or more labels relative to the parent zone: `dev`, `app1.dev`. */
  readonly subdomain: string;

  /**
   * The parent zone, published by another account.
   *
   * @default - `parentZone` is the parent
   */
  readonly delegation?: Delegation;

  /**
   * The parent zone, in this account, such as another `DelegatedSubdomain`.
   *
   * @default - `delegation` says where the parent is
   */
  readonly parentZone?: route53.IHostedZone;

  /**
   * An existing public zone of this account to delegate instead of making one. It is never deleted.
   *
   * @default - a zone is made
   */
  readonly zone?: route53.IHostedZone;

  /**
   * Time to live of the NS record set in the parent.
   *
   * @default Duration.minutes(15)
   */
  readonly ttl?: Duration;

  /**
   * On delete, how long to wait between the NS record set being gone and the zone being deleted. Set it to `ttl` to outlast
   * every resolver's cache.
   *
   * @default Duration.seconds(0)
   */
  readonly drain?: Duration;

  /**
   * Whether the parent's authoritative name servers are asked over DNS before the subdomain counts as made.
   *
   * @default true
   */
  readonly verifyDelegation?: boolean;

  /**
   * What happens on delete to records that something else made in the zone.
   *
   * @default RecordsOnDelete.FAIL
   */
  readonly recordsOnDelete?: RecordsOnDelete;

  /**
   * Comment of the zone.
   *
   * @default - none
   */
  readonly comment?: string;

  /**
   * Tags of the zone.
   *
   * @default - none
   */
  readonly tags?: { readonly [key: string]: string };

  /**
   * How long CloudFormation waits for the subdomain, at most one hour.
   *
   * @default Duration.hours(1)
   */
  readonly serviceTimeout?: Duration;

  /**
   * How the stack's function is made.
   *
   * @default - see `FunctionSettings`
   */
  readonly functionSettings?: FunctionSettings;
}

/** A public hosted zone of this account that the parent zone delegates to. */
export class DelegatedSubdomain extends Resource implements route53.IHostedZone {
  public readonly hostedZoneId: string;
  public readonly zoneName: string;
  public readonly hostedZoneNameServers?: string[];
  /** Id of the parent zone. */
  public readonly parentHostedZoneId: string;
  /** Name of the parent zone. */
  public readonly parentZoneName: string;

  public constructor(scope: Construct, id: string, props: DelegatedSubdomainProps) {
    super(scope, id);
    checkProps(props);
    const delegateSubdomain = DelegateSubdomainFunction.of(this, props.functionSettings);
    delegateSubdomain.grantZone(this);
    if (props.delegation) {
      delegateSubdomain.grantDelegationRole(props.delegation.roleArn);
    }
    const region = props.delegation?.region;
    const resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::DelegatedSubdomain',
      serviceToken: delegateSubdomain.handler.function.functionArn,
      serviceTimeout: serviceTimeoutOf(props.serviceTimeout),
      properties: {
        Subdomain: normalised(props.subdomain),
        ParameterPrefix: props.delegation?.parameterPrefix,
        NetworkRoleArn: props.delegation?.roleArn,
        NetworkRegion: region === Stack.of(this).region ? undefined : region,
        ExternalId: props.delegation?.externalId,
        ParentHostedZoneId: props.parentZone?.hostedZoneId,
        HostedZoneId: props.zone?.hostedZoneId,
        Ttl: props.ttl?.toSeconds(),
        DrainSeconds: props.drain?.toSeconds(),
        VerifyDelegation: props.verifyDelegation,
        RecordsOnDelete: props.recordsOnDelete,
        Comment: props.comment,
        Tags: tagList(props.tags),
      },
    });
    resource.node.addDependency(delegateSubdomain.handler.neededForDelete);

    this.hostedZoneId = resource.getAttString('HostedZoneId');
    this.zoneName = resource.getAttString('DomainName');
    this.hostedZoneNameServers = Fn.split(',', resource.getAttString('NameServers'));
    this.parentHostedZoneId = resource.getAttString('ParentHostedZoneId');
    this.parentZoneName = resource.getAttString('ParentDomainName');
  }

  public get hostedZoneArn(): string {
    return Stack.of(this).formatArn({
      service: 'route53', region: '', account: '', resource: 'hostedzone', resourceName: this.hostedZoneId,
    });
  }

  public get hostedZoneRef(): HostedZoneReference {
    return { hostedZoneId: this.hostedZoneId };
  }

  /** The zone's name. */
  public get name(): string {
    return this.zoneName;
  }

  /** A certificate for the subdomain's name, or for names in it. */
  public certificate(id: string, options: CertificateOptions = {}): SubdomainCertificate {
    return new SubdomainCertificate(this, id, { ...options, zone: this });
  }

  public grantDelegation(grantee: iam.IGrantable, options?: route53.GrantDelegationOptions): iam.Grant {
    return route53.HostedZoneGrants.fromHostedZone(this).delegation(grantee, options);
  }
}

function checkProps(props: DelegatedSubdomainProps): void {
  const problem = problemOfName(props.subdomain);
  if (problem !== undefined) {
    throw new PropError('subdomain', props.subdomain, problem);
  }
  if ((props.delegation === undefined) === (props.parentZone === undefined)) {
    throw new PropError('delegation', undefined, 'and parentZone are two ways to say what the parent is: give one of them');
  }
  const { delegation } = props;
  if (delegation && !Token.isUnresolved(delegation.roleArn) && !/^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(delegation.roleArn)) {
    throw new PropError('delegation.roleArn', delegation.roleArn, 'must be the ARN of a role');
  }
  const ttl = props.ttl?.toSeconds();
  // Route 53: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
  if (ttl !== undefined && !Token.isUnresolved(ttl) && (ttl < 0 || ttl > 2_147_483_647)) {
    throw new PropError('ttl', ttl, 'must be 0 to 2,147,483,647 seconds');
  }
}
