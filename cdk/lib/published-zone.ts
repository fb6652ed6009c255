import { createHash } from 'node:crypto';
import {
  Aws, type CfnCondition, type CfnResource, CustomResource, Duration, Fn, type IResolvable, type ITaggableV2, Lazy, type RemovalPolicy, Resource, Stack,
  type TagManager, Token,
} from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { type Delegation, type DelegationLocation, delegationRoleName } from './delegation';
import { DelegationRole, type DelegationRoleProps } from './delegation-role';
import { normalized, relation } from './domain-name';
import type { FunctionSettings } from './function-settings';
import {
  checkFormat, checkList, checkLogicalIds, checkName, checkOneOf, checkRelativeName, checkRequired, checkSeconds, FORMATS, PropError,
} from './prop-checks';
import { PublishZoneFunction } from './publish-zone-function';
import { checkedTags, checkTags, TAG_CHARACTERS } from './tag-checks';
import { isUnknown } from './unknown';
import { checkOwnZone, checkZone, identityOf, knownNameOf } from './zone-checks';

const RESOURCE_TYPE = 'Custom::PublishedZone';

/** What happens on delete if the zone has NS record sets below its apex. */
export enum DelegationsOnDelete {
  /** Nothing is changed, and the error lists them. */
  FAIL = 'Fail',
  /** The parameters are deleted anyway. */
  IGNORE = 'Ignore',
}

/** Properties of a `PublishedZone`. */
export interface PublishedZoneProps {
  /**
   * Name of the public hosted zone to create, e.g. `build.example.com`.
   *
   * @default - `zone` is published
   */
  readonly zoneName?: string;

  /**
   * An existing public hosted zone of this account to publish instead of a new one.
   *
   * @default - a zone is created, named `zoneName`
   */
  readonly zone?: route53.IHostedZone;

  /**
   * The zone of the base domain, in this account, in which the NS record set of the published zone is created.
   *
   * @default - none: the owner of the base domain delegates the zone by hand, to the name servers of `zone`
   */
  readonly parentZone?: route53.IHostedZone;

  /**
   * Time to live of that NS record set.
   *
   * @default Duration.minutes(15)
   */
  readonly delegationTtl?: Duration;

  /** Where the zone is published in Parameter Store, e.g. `/zone-delegation/dev`. */
  readonly parameterPrefix: string;

  /**
   * Earlier logical ids of the published zone in this stack, if it was renamed in the template. Its parameters are transferred to the new logical id.
   *
   * @default - none
   */
  readonly formerLogicalIds?: string[];

  /**
   * Tags of the three parameters.
   *
   * @default - none
   */
  readonly tags?: { readonly [key: string]: string };

  /**
   * What happens on delete if the zone has NS record sets of consumers.
   *
   * @default DelegationsOnDelete.FAIL
   */
  readonly delegationsOnDelete?: DelegationsOnDelete;

  /**
   * Settings of the stack's function.
   *
   * @default - see `FunctionSettings`
   */
  readonly functionSettings?: FunctionSettings;
}

/** A consumer account and the names that it may delegate to itself. */
export interface DelegationGrant {
  /** The consumer's account, 12 digits. */
  readonly account: string;

  /**
   * The consumer's names, relative to the zone: `dev`, `app1.eu`. No name is below another, nor equal to, above or below a name of another
   * consumer of the zone.
   *
   * Remove a name in two deployments. First remove the consumer's `DelegatedSubdomain`. When its zone is deleted, remove the name here. An
   * update that removes the name while its NS record set exists fails with a list, because the consumer needs the permission for its delete.
   */
  readonly names: string[];

  /**
   * An external id that the consumer's function must give. It restricts the trust policy further.
   *
   * @default - none
   */
  readonly externalId?: string;

  /**
   * The organization that the consumer's account must belong to, `o-...`. It restricts the trust policy further.
   *
   * @default - none
   */
  readonly organizationId?: string;

  /**
   * Patterns of the ARNs of roles of the consumer's account that may assume this one, instead of the roles of its functions.
   *
   * @default - the roles of the consumer's functions `delegate-subdomain`: `arn:aws:iam::ACCOUNT:role/zone-delegation/delegate-subdomain/*`
   */
  readonly principalArns?: string[];

  /**
   * Name of the delegation role.
   *
   * @default - `PREFIX-ACCOUNT`, the prefix with `-` for `/`: `zone-delegation-dev-222222222222`
   */
  readonly roleName?: string;
}

/** A public hosted zone in which consumer accounts delegate names to themselves. */
export class PublishedZone extends Resource implements ITaggableV2 {
  /** Returns a consumer's delegation for a stack of another app than the published zone's. */
  public static delegation(location: DelegationLocation): Delegation {
    const { networkingAccount, account, parameterPrefix, region, externalId, zoneName, partition = Aws.PARTITION } = location;
    checkRequired('networkingAccount', networkingAccount, FORMATS.account);
    checkRequired('account', account, FORMATS.account);
    checkRequired('parameterPrefix', parameterPrefix, FORMATS.parameterPrefix);
    checkFormat('region', region, FORMATS.region);
    checkFormat('externalId', externalId, FORMATS.externalId);
    checkFormat('partition', partition, FORMATS.partition);
    if (zoneName !== undefined) {
      checkName('zoneName', zoneName);
    }
    const roleName = checkedRoleName(location.roleName, parameterPrefix, account);
    return { parameterPrefix, roleArn: `arn:${partition}:iam::${networkingAccount}:role/${roleName}`, region, externalId, account, zoneName };
  }

  /**
   * Returns the published zone of the app that a delegation comes from, and what it grants. Without a grant it is one of the scope's own stack.
   *
   * @internal
   */
  public static _find(delegation: Delegation, scope: Construct): { readonly published?: PublishedZone; readonly grant?: DelegationGrant } {
    const all = allIn(scope);
    const published = all.find(({ grants }) => grants.has(delegation.roleArn));
    return published
      ? { published, grant: published.grants.get(delegation.roleArn) }
      : { published: all.find((zone) => Stack.of(zone) === Stack.of(scope) && zone.parameterPrefix === delegation.parameterPrefix) };
  }

  /** The zone that is published. */
  public readonly zone: route53.IHostedZone;
  /** The prefix of its parameters. */
  public readonly parameterPrefix: string;
  /** The tags of the parameters; `Tags.of()` sets them too. */
  public readonly cdkTagManager: TagManager;
  /** @internal */
  public readonly _resource: CustomResource;
  private readonly made: Resource[] = [];
  /** The grants, by the ARNs of their roles. */
  private readonly grants = new Map<string, DelegationGrant>();
  private readonly roleNames: string[] = [];
  private delegatedNames: string[] = [];
  private readonly conditionalRoles: IResolvable[] = [];
  private removalPolicy?: RemovalPolicy;
  private readonly holders: { readonly name: string; readonly account: string }[] = [];

  public constructor(scope: Construct, id: string, props: PublishedZoneProps) {
    checkProps(props, scope, id);
    super(scope, id);
    this.cdkTagManager = checkedTags(this, RESOURCE_TYPE, props.tags, TAG_CHARACTERS);
    this.parameterPrefix = props.parameterPrefix;
    // First, because it may throw, and a zone that was created before would stay in the tree.
    const publishZone = PublishZoneFunction.of(this, props.functionSettings);
    this.zone = this.zoneOf(props);

    const permissions = publishZone.grantPublish(this.zone, this.parameterPrefix);
    this._resource = new CustomResource(this, 'Resource', {
      resourceType: RESOURCE_TYPE,
      serviceToken: publishZone.handler.function.functionArn,
      properties: {
        HostedZoneId: this.zone.hostedZoneId,
        ParameterPrefix: this.parameterPrefix,
        DelegationsOnDelete: props.delegationsOnDelete,
        DelegatedNames: Lazy.any({ produce: () => this.delegatedNames }, { omitEmptyArray: true }),
        FormerLogicalIds: props.formerLogicalIds,
        Tags: this.cdkTagManager.renderedTags,
      },
    });
    this.made.push(this._resource);
    this._resource.node.addDependency(publishZone.handler.neededForDelete, permissions);

    if (props.parentZone) {
      // The delete of a stack begins with the published zone, which is refused while the zone has delegations.
      this._resource.node.addDependency(this.delegateFrom(props.parentZone, props.delegationTtl));
    }
  }

  /**
   * Sets what happens to all that the consumers' names need if it leaves the template or the stack is deleted: the parameters, the zone that is
   * created here, its NS record set in `parentZone` and the delegation roles. An existing `zone` has a policy of its own.
   *
   * `RemovalPolicy.RETAIN` keeps all of it, whatever delegations the zone has: the consumers' names still resolve without the stack. It also
   * keeps the role, with its permissions, if you remove its `allowDelegation`. Before another stack publishes under the prefix, delete the
   * parameters and the roles. `RETAIN_ON_UPDATE_OR_DELETE` keeps the same, except after a create that fails.
   *
   * Without a policy, the delete is refused while delegations exist, as `delegationsOnDelete` says.
   */
  public override applyRemovalPolicy(policy: RemovalPolicy): void {
    this.removalPolicy = policy;
    this.made.forEach((resource) => resource.applyRemovalPolicy(policy));
  }

  /**
   * Creates the role by which one consumer account delegates its names, and returns what the consumer needs to know.
   *
   * Remove the call only after the consumer's subdomains are deleted: the consumer deletes them with this role.
   *
   * @deprecated use `allowDelegation`: this name is the CDK's for what takes a grantee and returns a `Grant`, as a hosted zone's does
   */
  public grantDelegation(grant: DelegationGrant): Delegation {
    return this.allowDelegation(grant);
  }

  /**
   * Creates the role by which one consumer account delegates its names, and returns what the consumer needs to know.
   *
   * Remove the call only after the consumer's subdomains are deleted: the consumer deletes them with this role.
   */
  public allowDelegation(grant: DelegationGrant): Delegation {
    checkRequired('account', grant.account, FORMATS.account);
    checkFormat('organizationId', grant.organizationId, FORMATS.organizationId);
    checkFormat('externalId', grant.externalId, FORMATS.externalId);
    checkPrincipals(grant);
    if (this.holders.some(({ account }) => account === grant.account)) {
      throw new PropError('account', grant.account, 'must get all its names in one call, because it has one role');
    }
    const roleName = checkedRoleName(grant.roleName, this.parameterPrefix, grant.account);
    this.checkRoleIsNew(roleName);
    const names = this.createdNames(grant);
    const narrowing = {
      ...(grant.externalId !== undefined && { 'sts:ExternalId': grant.externalId }),
      ...(grant.organizationId !== undefined && { 'aws:PrincipalOrgID': grant.organizationId }),
    };
    const role = this._addDelegationRole({
      account: grant.account,
      roleName,
      recordNames: names,
      principalArns: grant.principalArns,
      narrowing: Object.keys(narrowing).length > 0 ? narrowing : undefined,
    });
    this.delegatedNames.push(...names);
    this.roleNames.push(roleName);
    this.grants.set(role.roleArn, grant);
    return {
      parameterPrefix: this.parameterPrefix,
      roleArn: role.roleArn,
      region: Stack.of(this).region,
      externalId: grant.externalId,
      account: grant.account,
      zoneName: knownNameOf(this.zone),
    };
  }

  /**
   * Sets which names the delegation roles cover, of names that cannot be checked here. They may be a list token.
   *
   * @internal
   */
  public _setDelegatedNames(names: string[]): void {
    this.delegatedNames = names;
  }

  /**
   * Creates a delegation role for names that cannot be checked here.
   *
   * @internal
   */
  public _addDelegationRole(props: Omit<DelegationRoleProps, 'zone' | 'parameterPrefix'>, id = this.idOf(props.account), condition?: CfnCondition): DelegationRole {
    const role = new DelegationRole(this, `Delegation${id}`, { ...props, zone: this.zone, parameterPrefix: this.parameterPrefix });
    this.deleteAfterThis(role, condition);
    this.made.push(role);
    if (this.removalPolicy !== undefined) {
      role.applyRemovalPolicy(this.removalPolicy);
    }
    return role;
  }

  /** Makes CloudFormation delete a role after the published zone, whose delete fails while consumers still need the role. */
  private deleteAfterThis(role: DelegationRole, condition?: CfnCondition): void {
    if (condition === undefined) {
      this._resource.node.addDependency(role);
      return;
    }
    (role.node.defaultChild as CfnResource).cfnOptions.condition = condition;
    // CloudFormation refuses a DependsOn on a resource whose condition is false. A reference makes the same dependency:
    // https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md#E3005
    this.conditionalRoles.push(Fn.conditionIf(condition.logicalId, role.roleName, Aws.NO_VALUE));
    (this._resource.node.defaultChild as CfnResource).addMetadata('DelegationRoles', this.conditionalRoles);
  }

  /** Returns how logical ids name an account: by its number, or by the parameter that has it. */
  private idOf(account: string): string {
    if (!isUnknown(account)) {
      return account;
    }
    const { Ref: parameter } = Stack.of(this).resolve(account) as { Ref?: string };
    return parameter ?? createHash('sha256').update(JSON.stringify(Stack.of(this).resolve(account))).digest('hex').slice(0, 8);
  }

  /** Refuses the name of a role that the account already has, in whichever Region its stacks are. */
  private checkRoleIsNew(roleName: string): void {
    const other = allIn(this).find((zone) => isOfAccountOf(zone, Stack.of(this)) && zone.roleNames.includes(roleName));
    if (other !== undefined && !isUnknown(roleName)) {
      throw new PropError('roleName', undefined, `${JSON.stringify(roleName)} is that of a role of ${other.node.path} and of one of ${
        this.node.path}, which are in one account: give one of them another, and to PublishedZone.delegation as well`);
    }
  }

  private createdNames(grant: DelegationGrant): string[] {
    if (grant.names === undefined) {
      throw new PropError('names', grant.names, 'is missing');
    }
    checkList('names', grant.names, 'names');
    if (isUnknown(grant.names)) {
      throw new PropError('names', undefined, 'must be a list whose length is known, because the zone\'s name is added to each name (names may be tokens)');
    }
    if (grant.names.length === 0) {
      throw new PropError('names', grant.names, 'must have at least one name');
    }
    grant.names.forEach((name) => checkRelativeName('names', name, knownNameOf(this.zone)));
    const zoneName = normalized(this.zone.zoneName);
    const names = grant.names.map(normalized);
    for (const name of names) {
      if (!isUnknown(`${name}.${zoneName}`)) {
        checkName('names', `${name}.${zoneName}`);
      }
      if (names.filter((other) => other === name).length > 1) {
        throw new PropError('names', grant.names, `must have ${JSON.stringify(name)} once`);
      }
      const below = names.find((other) => relation(name, other) === 'below');
      if (below !== undefined) {
        throw new PropError('names', grant.names, `must not clash: ${JSON.stringify(name)} is below ${
          JSON.stringify(below)}, and so is in its zone (the consumer creates it there, with parentZone)`);
      }
      for (const holder of this.holdersOfZone()) {
        const how = relation(name, holder.name);
        // An account may have its names under each prefix under which a zone is published.
        if (how !== undefined && !(how === 'equal to' && holder.account === grant.account)) {
          const clash = how === 'equal to' ? `account ${holder.account} already has` : `is ${how} ${JSON.stringify(holder.name)} of account ${holder.account}`;
          throw new PropError('names', undefined, `of account ${grant.account} must not have ${JSON.stringify(name)}, which ${
            clash}: the owner of a name could capture all names below it`);
        }
      }
    }
    this.holders.push(...names.map((name) => ({ name, account: grant.account })));
    return names.map((name) => `${name}.${zoneName}`);
  }

  /** Returns the accounts that have names in the zone, of all constructs of the app. */
  private holdersOfZone(): PublishedZone['holders'] {
    return allIn(this)
      .filter(({ zone }) => identityOf(zone) === identityOf(this.zone))
      .flatMap(({ holders }) => holders);
  }

  private zoneOf({ zone: given, zoneName = '' }: PublishedZoneProps): route53.IHostedZone {
    if (given) {
      return given;
    }
    const zone = new route53.PublicHostedZone(this, 'Zone', {
      zoneName: normalized(zoneName),
      comment: `Published under ${this.parameterPrefix}`,
    });
    this.made.push(zone);
    return zone;
  }

  private delegateFrom(parentZone: route53.IHostedZone, ttl = Duration.minutes(15)): Construct {
    const child = normalized(this.zone.zoneName);
    const record = new route53.NsRecord(this, 'NameServers', {
      zone: parentZone,
      // aws-cdk-lib leaves a name with a dot at its end as it is, also if neither name is known yet.
      recordName: `${child}.`,
      values: this.zone.hostedZoneNameServers!,
      ttl,
      comment: `Delegates ${child}`,
    });
    this.made.push(record);
    return record;
  }
}

function checkProps(props: PublishedZoneProps, scope: Construct, id: string): void {
  checkRequired('parameterPrefix', props.parameterPrefix, FORMATS.parameterPrefix);
  checkPrefixIsNew(props.parameterPrefix, scope, id);
  checkSeconds('delegationTtl', props.delegationTtl, 0, 2_147_483_647);
  checkOneOf('delegationsOnDelete', props.delegationsOnDelete, DelegationsOnDelete);
  checkLogicalIds('formerLogicalIds', props.formerLogicalIds);
  checkTags(props.tags, TAG_CHARACTERS);
  checkZone('zone', props.zone);
  checkZone('parentZone', props.parentZone);
  checkOwnZone('zone', props.zone, scope, id);
  checkOwnZone('parentZone', props.parentZone, scope, id);
  if (!props.zone === (props.zoneName === undefined)) {
    throw new PropError('zoneName', props.zoneName, 'and zone are two ways to give the published zone: give one of them');
  }
  if (props.zoneName !== undefined) {
    checkName('zoneName', props.zoneName);
  }
  if (props.delegationTtl !== undefined && props.parentZone === undefined) {
    throw new PropError('delegationTtl', props.delegationTtl.toString(), 'must be left out without parentZone, which has the NS record set with that TTL');
  }
  const parent = knownNameOf(props.parentZone);
  if (props.parentZone && props.zone && props.zone.hostedZoneNameServers === undefined) {
    throw new PropError('parentZone', undefined, 'must be left out if zone is imported, because its name servers are unknown here: delegate the zone in the app that creates it');
  }
  const child = props.zoneName === undefined ? knownNameOf(props.zone) : normalized(props.zoneName);
  if (child !== undefined && !isUnknown(child) && parent !== undefined && relation(child, parent) !== 'below') {
    throw new PropError('parentZone', parent, `must be the zone of a name above ${child}`);
  }
}

/** Refuses a prefix that another published zone has: both would write the same parameters. */
function checkPrefixIsNew(parameterPrefix: string, scope: Construct, id: string): void {
  const stack = Stack.of(scope);
  const other = allIn(scope).find((zone) => zone.parameterPrefix === parameterPrefix && isOfAccountOf(zone, stack) && Stack.of(zone).region === stack.region);
  if (other !== undefined) {
    throw new PropError('parameterPrefix', undefined, `${JSON.stringify(parameterPrefix)} is that of ${other.node.path} and of ${
      scope.node.path}/${id}, which are in one account and Region: give one of them another`);
  }
}

/** Returns the complete published zones of an app. One whose constructor threw stays in the tree. */
function allIn(scope: Construct): PublishedZone[] {
  return scope.node.root.node.findAll().filter((construct) => construct instanceof PublishedZone).filter((zone) => zone._resource !== undefined);
}

function isOfAccountOf(zone: PublishedZone, stack: Stack): boolean {
  const { account } = Stack.of(zone);
  return Stack.of(zone) === stack || (!isUnknown(account) && account === stack.account);
}

function checkedRoleName(given: string | undefined, parameterPrefix: string, account: string): string {
  const roleName = given ?? delegationRoleName(parameterPrefix, account);
  if (given === undefined && !isUnknown(roleName) && !FORMATS.roleName.pattern.test(roleName)) {
    throw new PropError('roleName', undefined, `must be given: parameterPrefix and account make "${roleName}" otherwise, and it ${FORMATS.roleName.rule}`);
  }
  checkFormat('roleName', roleName, FORMATS.roleName);
  // The CDK itself checks a name that is still to be looked up.
  return Token.isUnresolved(roleName) ? roleName : roleName.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64);
}

function checkPrincipals({ account, principalArns }: DelegationGrant): void {
  checkList('principalArns', principalArns, 'patterns of role ARNs');
  if (principalArns?.length === 0) {
    throw new PropError('principalArns', principalArns, 'must have at least one pattern');
  }
  for (const pattern of principalArns ?? []) {
    checkFormat('principalArns', pattern, FORMATS.roleArnPattern);
    if (![pattern, account].some((text) => isUnknown(text)) && pattern.split(':')[4] !== account) {
      throw new PropError('principalArns', pattern, `must be of the account ${account}, because the role trusts no other account`);
    }
  }
}
