import { CustomResource, Fn, type ITaggableV2, type RemovalPolicy, Resource, Stack, type TagManager, Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { HostedZoneReference } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { DelegateSubdomainFunction } from './delegate-subdomain-function';
import { type DelegatedSubdomainProps, RecordsOnDelete } from './delegated-subdomain-props';
import { normalised } from './domain-name';
import { checkFormat, checkIs, checkName, checkOneOf, checkRequired, checkSeconds, FORMATS, PropError } from './prop-checks';
import { type CertificateOptions, SubdomainCertificate } from './subdomain-certificate';
import { checkedTags } from './tag-checks';
import { checkZone, knownNameOf } from './zone-checks';

const RESOURCE_TYPE = 'Custom::DelegatedSubdomain';
// Seconds: how long CloudFormation waits for a custom resource, and what a delete needs beside its drain, where the function draws
// the same line (functions/delegate-subdomain/src/subdomain/create.rs).
const LONGEST_PATIENCE = 3_600;
const DELETE_WITHOUT_DRAIN = 120;

/** A public hosted zone of this account that the parent zone delegates to. */
export class DelegatedSubdomain extends Resource implements route53.IHostedZone, ITaggableV2 {
  /** The zone's id. */
  public readonly hostedZoneId: string;
  /** The zone's name, without a final dot. */
  public readonly zoneName: string;
  /** The zone's name servers. */
  public readonly hostedZoneNameServers?: string[];
  /** Id of the parent zone. */
  public readonly parentHostedZoneId: string;
  /** Name of the parent zone. */
  public readonly parentZoneName: string;
  /** The zone's tags; `Tags.of()` sets them too. */
  public readonly cdkTagManager: TagManager;
  private readonly resource: CustomResource;

  public constructor(scope: Construct, id: string, props: DelegatedSubdomainProps) {
    super(scope, id);
    checkProps(props);
    this.cdkTagManager = checkedTags(this, RESOURCE_TYPE, props.tags);
    const delegateSubdomain = DelegateSubdomainFunction.of(this, props.functionSettings);
    delegateSubdomain.hold(this, props);
    const permissions = delegateSubdomain.grantSubdomain(props);
    const region = props.delegation?.region;
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: RESOURCE_TYPE,
      serviceToken: delegateSubdomain.handler.function.functionArn,
      serviceTimeout: props.serviceTimeout,
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
        Tags: this.cdkTagManager.renderedTags,
      },
    });
    this.resource.node.addDependency(delegateSubdomain.handler.neededForDelete, ...permissions);

    this.hostedZoneId = this.resource.getAttString('HostedZoneId');
    this.zoneName = this.resource.getAttString('DomainName');
    this.hostedZoneNameServers = Fn.split(',', this.resource.getAttString('NameServers'));
    this.parentHostedZoneId = this.resource.getAttString('ParentHostedZoneId');
    this.parentZoneName = this.resource.getAttString('ParentDomainName');
  }

  /**
   * What becomes of the zone and its NS record set in the parent, when the subdomain leaves the template or the stack is deleted.
   *
   * `RemovalPolicy.RETAIN` keeps both, and asks for no records: the name goes on. Its records and certificates have policies of their own.
   * Where it lies in another `DelegatedSubdomain`, retain that as well, which else refuses to be deleted. The zone keeps its tags
   * `zone-delegation:stack-id` and `zone-delegation:logical-id`; remove them before another stack is to delegate it.
   * `RETAIN_ON_UPDATE_OR_DELETE` keeps as much, and lets a create that fails be undone.
   */
  public override applyRemovalPolicy(policy: RemovalPolicy): void {
    this.resource.applyRemovalPolicy(policy);
  }

  /** The zone's ARN. */
  public get hostedZoneArn(): string {
    return Stack.of(this).formatArn({
      service: 'route53', region: '', account: '', resource: 'hostedzone', resourceName: this.hostedZoneId,
    });
  }

  /** The zone, for those parts of the CDK that take its id alone. */
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

  /** Lets a grantee put NS record sets into the zone, and take them out, as for any hosted zone of the CDK. */
  public grantDelegation(grantee: iam.IGrantable, options?: route53.GrantDelegationOptions): iam.Grant {
    return route53.HostedZoneGrants.fromHostedZone(this).delegation(grantee, options);
  }
}

function checkProps(props: DelegatedSubdomainProps): void {
  checkName('subdomain', props.subdomain);
  if (!props.delegation === !props.parentZone) {
    throw new PropError('delegation', undefined, 'and parentZone are two ways to say what the parent is: give one of them');
  }
  if (props.delegation) {
    checkRequired('delegation.parameterPrefix', props.delegation.parameterPrefix, FORMATS.parameterPrefix);
    checkRequired('delegation.roleArn', props.delegation.roleArn, FORMATS.roleArn);
  }
  checkFormat('delegation.region', props.delegation?.region, FORMATS.region);
  checkFormat('delegation.externalId', props.delegation?.externalId, FORMATS.externalId);
  checkZone('parentZone', props.parentZone);
  checkZone('zone', props.zone);
  checkZoneName(props);
  // RFC 2181, section 8.
  checkSeconds('ttl', props.ttl, 0, 2_147_483_647);
  checkSeconds('serviceTimeout', props.serviceTimeout, 1, LONGEST_PATIENCE);
  const patience = props.serviceTimeout === undefined || props.serviceTimeout.isUnresolved() ? LONGEST_PATIENCE : props.serviceTimeout.toSeconds();
  checkSeconds('drain', props.drain, 0, Math.max(patience - DELETE_WITHOUT_DRAIN, 0),
    ` (serviceTimeout less the ${DELETE_WITHOUT_DRAIN} seconds that a delete needs besides)`);
  checkIs('verifyDelegation', props.verifyDelegation, (value) => typeof value === 'boolean', 'must be true or false');
  checkOneOf('recordsOnDelete', props.recordsOnDelete, RecordsOnDelete);
  checkFormat('comment', props.comment, FORMATS.comment);
}

function checkZoneName({ subdomain, zone, parentZone }: DelegatedSubdomainProps): void {
  const name = knownNameOf(zone);
  if (name === undefined || Token.isUnresolved(subdomain)) {
    return;
  }
  const [first, parent] = [normalised(subdomain), knownNameOf(parentZone)];
  if (parent === undefined ? !name.startsWith(`${first}.`) : name !== `${first}.${parent}`) {
    throw new PropError('zone', name, `must be the zone of ${first}.${parent ?? 'PARENT'}`);
  }
}
