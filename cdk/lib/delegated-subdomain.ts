import { CustomResource, Fn, type ITaggableV2, type RemovalPolicy, Resource, Stack, type TagManager } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { HostedZoneReference } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { DelegateSubdomainFunction } from './delegate-subdomain-function';
import { type DelegatedSubdomainProps, RecordsOnDelete } from './delegated-subdomain-props';
import { normalized } from './domain-name';
import {
  checkFormat, checkIs, checkLogicalIds, checkOneOf, checkRelativeName, checkRequired, checkSeconds, FORMATS, PropError,
} from './prop-checks';
import { PublishedZone } from './published-zone';
import { type CertificateOptions, SubdomainCertificate } from './subdomain-certificate';
import { checkedTags, checkTags } from './tag-checks';
import { isUnknown } from './unknown';
import { checkOwnZone, checkZone, knownNameOf, knownParentName } from './zone-checks';

const RESOURCE_TYPE = 'Custom::DelegatedSubdomain';
// Seconds: how long CloudFormation waits for a custom resource, and what a delete needs beside its drain. The function has the same limit (functions/delegate-subdomain/src/subdomain/create.rs).
const LONGEST_SERVICE_TIMEOUT = 3_600;
const DELETE_WITHOUT_DRAIN = 120;
const STANDARD_TTL = 300;

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
    checkProps(props, scope, id);
    const published = publishedBy(props, scope, id);
    super(scope, id);
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
        Subdomain: normalized(props.subdomain),
        ParameterPrefix: props.delegation?.parameterPrefix,
        NetworkRoleArn: props.delegation?.roleArn,
        NetworkRegion: region === Stack.of(this).region ? undefined : region,
        ExternalId: props.delegation?.externalId,
        ParentHostedZoneId: props.parentZone?.hostedZoneId,
        HostedZoneId: props.zone?.hostedZoneId,
        AdoptDelegation: props.adoptDelegation,
        FormerLogicalIds: props.formerLogicalIds,
        Ttl: props.ttl?.toSeconds(),
        DrainSeconds: props.drain?.toSeconds(),
        VerifyDelegation: props.verifyDelegation,
        RecordsOnDelete: props.recordsOnDelete,
        Comment: props.comment,
        Tags: this.cdkTagManager.renderedTags,
      },
    });
    this.resource.node.addDependency(delegateSubdomain.handler.neededForDelete, ...permissions);

    if (published && Stack.of(published) === Stack.of(this)) {
      // No reference makes CloudFormation publish the zone first and delete the subdomain first.
      this.resource.node.addDependency(published._resource);
    }

    const parentName = knownParentName(props);
    const isKnown = parentName !== undefined && !isUnknown(props.subdomain);
    this.hostedZoneId = this.resource.getAttString('HostedZoneId');
    // aws-cdk-lib distinguishes full names of record sets from relative ones by the zone's name, if it is known.
    this.zoneName = isKnown ? `${normalized(props.subdomain)}.${parentName}` : this.resource.getAttString('DomainName');
    this.hostedZoneNameServers = Fn.split(',', this.resource.getAttString('NameServers'));
    this.parentHostedZoneId = this.resource.getAttString('ParentHostedZoneId');
    this.parentZoneName = parentName ?? this.resource.getAttString('ParentDomainName');
  }

  /**
   * Sets what happens to the zone and its NS record set in the parent if the subdomain leaves the template or the stack is deleted.
   *
   * `RemovalPolicy.RETAIN` keeps both, whatever records the zone has, and the name still resolves. Records and certificates have policies of
   * their own. If the parent is another `DelegatedSubdomain`, retain that one too, because it cannot be deleted while it delegates. The zone
   * keeps its ownership tags `zone-delegation:stack-id` and `zone-delegation:logical-id`. Remove them before another stack delegates the zone.
   * `RETAIN_ON_UPDATE_OR_DELETE` keeps the same, except after a create that fails.
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

  /** The zone, for those parts of aws-cdk-lib that need its id only. */
  public get hostedZoneRef(): HostedZoneReference {
    return { hostedZoneId: this.hostedZoneId };
  }

  /** The zone's name. */
  public get name(): string {
    return this.zoneName;
  }

  /** Creates a certificate for the subdomain's name, or for names in it. */
  public certificate(id: string, options: CertificateOptions = {}): SubdomainCertificate {
    return new SubdomainCertificate(this, id, { ...options, zone: this });
  }

  /** Lets a grantee create and delete NS record sets in the zone, as for any hosted zone of aws-cdk-lib. */
  public grantDelegation(grantee: iam.IGrantable, options?: route53.GrantDelegationOptions): iam.Grant {
    return route53.HostedZoneGrants.fromHostedZone(this).delegation(grantee, options);
  }
}

function checkProps(props: DelegatedSubdomainProps, scope: Construct, id: string): void {
  if (props.delegation instanceof PublishedZone) {
    throw new PropError('delegation', undefined, `must be what ${props.delegation.node.path}.allowDelegation returns, or PublishedZone.delegation, but it is the PublishedZone`);
  }
  if (!props.delegation === !props.parentZone) {
    throw new PropError('delegation', undefined, 'and parentZone are two ways to give the parent: give one of them');
  }
  if (props.delegation) {
    checkRequired('delegation.parameterPrefix', props.delegation.parameterPrefix, FORMATS.parameterPrefix);
    checkRequired('delegation.roleArn', props.delegation.roleArn, FORMATS.roleArn);
  }
  checkFormat('delegation.region', props.delegation?.region, FORMATS.region);
  checkFormat('delegation.externalId', props.delegation?.externalId, FORMATS.externalId);
  checkZone('parentZone', props.parentZone);
  checkZone('zone', props.zone);
  checkOwnZone('parentZone', props.parentZone, scope, id);
  checkOwnZone('zone', props.zone, scope, id);
  checkRelativeName('subdomain', props.subdomain, knownParentName(props));
  checkZoneName(props);
  checkIs('adoptDelegation', props.adoptDelegation, (value) => typeof value === 'boolean', 'must be true or false');
  if (props.adoptDelegation === true && props.zone === undefined) {
    throw new PropError('adoptDelegation', undefined, 'must be left out without zone: a new zone has no delegation to adopt');
  }
  checkLogicalIds('formerLogicalIds', props.formerLogicalIds);
  checkTimes(props);
  checkIs('verifyDelegation', props.verifyDelegation, (value) => typeof value === 'boolean', 'must be true or false');
  checkOneOf('recordsOnDelete', props.recordsOnDelete, RecordsOnDelete);
  checkFormat('comment', props.comment, FORMATS.comment);
  checkTags(props.tags);
}

function checkTimes({ ttl, drain, serviceTimeout }: DelegatedSubdomainProps): void {
  // RFC 2181, section 8.
  checkSeconds('ttl', ttl, 0, 2_147_483_647);
  checkSeconds('serviceTimeout', serviceTimeout, 1, LONGEST_SERVICE_TIMEOUT);
  const patience = serviceTimeout === undefined || serviceTimeout.isUnresolved() ? LONGEST_SERVICE_TIMEOUT : serviceTimeout.toSeconds();
  const most = Math.max(patience - DELETE_WITHOUT_DRAIN, 0);
  checkSeconds('drain', drain, 0, most, ` (serviceTimeout less the ${DELETE_WITHOUT_DRAIN} seconds that a delete needs besides)`);
  const standard = ttl === undefined ? STANDARD_TTL : ttl.isUnresolved() ? 0 : ttl.toSeconds();
  if (drain === undefined && standard > most) {
    throw new PropError('drain', undefined, `must be given: it is ${ttl === undefined ? 'the default of ttl' : 'ttl'} otherwise, ${
      standard.toLocaleString('en')} seconds, and must be ${most.toLocaleString('en')} seconds at most (serviceTimeout less the ${DELETE_WITHOUT_DRAIN} seconds that a delete needs besides)`);
  }
}

function checkZoneName({ subdomain, zone, delegation, parentZone }: DelegatedSubdomainProps): void {
  const name = knownNameOf(zone);
  if (name === undefined || isUnknown(subdomain)) {
    return;
  }
  const [first, parent] = [normalized(subdomain), knownParentName({ delegation, parentZone })];
  if (parent === undefined ? !name.startsWith(`${first}.`) : name !== `${first}.${parent}`) {
    throw new PropError('zone', name, `must be the zone of ${first}.${parent ?? 'PARENT'}`);
  }
}

/** Returns the published zone of the app that a delegation comes from. Throws if the delegation cannot be used for this subdomain. */
function publishedBy({ delegation, subdomain }: DelegatedSubdomainProps, scope: Construct, id: string): PublishedZone | undefined {
  if (delegation === undefined) {
    return undefined;
  }
  const { account } = Stack.of(scope);
  const consumer = `${scope.node.path}/${id}`;
  const { published, grant } = PublishedZone._find(delegation, scope);
  const granted = grant?.account ?? delegation.account;
  if (granted !== undefined && ![granted, account].some(isUnknown) && granted !== account) {
    throw new PropError('delegation', undefined, `is for account ${granted}${published ? `, as ${published.node.path} says` : ''}, but ${consumer} is in account ${
      account}: call allowDelegation for that account, and give what it returns`);
  }
  if (published && grant && isUnknown(Stack.of(published).account) && !isUnknown(account)) {
    throw new PropError('delegation', undefined, `comes from ${published.node.path}, whose stack has no known account, but ${consumer} is in account ${
      account}: give the stack ${Stack.of(published).node.path} its env, { account, region }`);
  }
  const names = grant?.names.map(normalized);
  if (names && ![subdomain, ...names].some(isUnknown) && !names.includes(normalized(subdomain))) {
    throw new PropError('subdomain', subdomain, `of ${consumer} must be one of the names that ${published!.node.path} allows account ${granted}: ${
      names.join(', ')} (allowDelegation has them)`);
  }
  return published;
}
