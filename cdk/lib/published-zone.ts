import { createHash } from 'node:crypto';
import {
  Aws, type CfnCondition, type CfnResource, CustomResource, Duration, Fn, type IResolvable, type ITaggableV2, Lazy, type RemovalPolicy, Resource, Stack,
  type TagManager, Token,
} from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { type Delegation, type DelegationLocation, delegationRoleName } from './delegation';
import { DelegationRole, type DelegationRoleProps } from './delegation-role';
import { normalised, relation } from './domain-name';
import type { FunctionSettings } from './function-settings';
import {
  checkFormat, checkList, checkLogicalIds, checkName, checkOneOf, checkRelativeName, checkRequired, checkSeconds, FORMATS, PropError,
} from './prop-checks';
import { PublishZoneFunction } from './publish-zone-function';
import { checkedTags, checkTags, TAG_CHARACTERS } from './tag-checks';
import { isUnknown } from './unknown';
import { checkOwnZone, checkZone, identityOf, knownNameOf } from './zone-checks';

const RESOURCE_TYPE = 'Custom::PublishedZone';

/** What happens on delete while NS record sets stand below the zone's apex. */
export enum DelegationsOnDelete {
  /** Nothing is touched, the error lists them. */
  FAIL = 'Fail',
  /** The parameters go all the same. */
  IGNORE = 'Ignore',
}

/** Properties of a `PublishedZone`. */
export interface PublishedZoneProps {
  /**
   * Name of the public hosted zone to make, e.g. `build.example.com`.
   *
   * @default - `zone` is published
   */
  readonly zoneName?: string;

  /**
   * An existing public hosted zone of this account to publish instead of making one.
   *
   * @default - a zone is made, named `zoneName`
   */
  readonly zone?: route53.IHostedZone;

  /**
   * The zone of the base domain, in this account, that gets the NS record set of the zone that is made here.
   *
   * @default - none: whoever holds the base domain delegates the zone by hand, to the name servers in `zone`
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
   * Logical ids of the stack whose parameters the zone takes over: what it was called in the template before it was renamed.
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
   * What happens on delete while consumers' NS record sets stand in the zone.
   *
   * @default DelegationsOnDelete.FAIL
   */
  readonly delegationsOnDelete?: DelegationsOnDelete;

  /**
   * How the stack's function is made.
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
   * The consumer's names, relative to the zone: `dev`, `app1.eu`. None lies below another, nor is it equal to, above or below a
   * name of another consumer of the zone.
   *
   * A name goes in two deploys: first the consumer's `DelegatedSubdomain`, and when its zone is gone the name here. The consumer deletes
   * by the right that the name gives; without it the delete fails, and where it is part of an update CloudFormation forgets the
   * subdomain, of which the zone and its delegation stay.
   */
  readonly names: string[];

  /**
   * An external id that the consumer's function must give. It narrows the trust further.
   *
   * @default - none
   */
  readonly externalId?: string;

  /**
   * The organization that the consumer's account must belong to, `o-...`. It narrows the trust further.
   *
   * @default - none
   */
  readonly organizationId?: string;

  /**
   * Patterns of the ARNs of roles of the consumer's account that may take this one, instead of the roles of its functions.
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

/** A public hosted zone that consumer accounts may have names in. */
export class PublishedZone extends Resource implements ITaggableV2 {
  /** A consumer's delegation by its place alone, for a stack that is made apart from the zone's. */
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
   * Finds the zone of the app that a delegation comes from, and what it grants; without a grant it is one that the scope's stack publishes.
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
    // First, since it may throw, and a zone that was made before would stay.
    const publishZone = PublishZoneFunction.of(this, props.functionSettings);
    this.zone = this.zoneOf(props);

    const rights = publishZone.grantPublish(this.zone, this.parameterPrefix);
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
    this._resource.node.addDependency(publishZone.handler.neededForDelete, rights);

    if (props.parentZone) {
      // A stack's delete asks the published zone first: it refuses while consumers still hold names.
      this._resource.node.addDependency(this.delegateFrom(props.parentZone, props.delegationTtl));
    }
  }

  /**
   * What becomes of all that the consumers' names need, when it leaves the template or the stack is deleted: the parameters, the zone
   * that is made here, its NS record set in `parentZone` and the delegation roles. A `zone` that is given has a policy of its own.
   *
   * `RemovalPolicy.RETAIN` keeps all of it, and asks for no delegations: the consumers' names go on without the stack. So does a role
   * whose `allowDelegation` is taken away, with its right. Before another stack publishes under the prefix, delete the parameters and the
   * roles. `RETAIN_ON_UPDATE_OR_DELETE` keeps as much, and lets a create that fails be undone.
   *
   * Without a policy the delete is refused while delegations stand, as `delegationsOnDelete` says.
   */
  public override applyRemovalPolicy(policy: RemovalPolicy): void {
    this.removalPolicy = policy;
    this.made.forEach((resource) => resource.applyRemovalPolicy(policy));
  }

  /**
   * Makes the role by which one consumer account has its names in the zone, and says what the consumer needs to know.
   *
   * The call goes only after the consumer's subdomains: the consumer deletes them by this role.
   *
   * @deprecated use `allowDelegation`: this name is the CDK's for what takes a grantee and returns a `Grant`, as a hosted zone's does
   */
  public grantDelegation(grant: DelegationGrant): Delegation {
    return this.allowDelegation(grant);
  }

  /**
   * Makes the role by which one consumer account has its names in the zone, and says what the consumer needs to know.
   *
   * The call goes only after the consumer's subdomains: the consumer deletes them by this role.
   */
  public allowDelegation(grant: DelegationGrant): Delegation {
    checkRequired('account', grant.account, FORMATS.account);
    checkFormat('organizationId', grant.organizationId, FORMATS.organizationId);
    checkFormat('externalId', grant.externalId, FORMATS.externalId);
    checkPrincipals(grant);
    if (this.holders.some(({ account }) => account === grant.account)) {
      throw new PropError('account', grant.account, 'must be granted its names in one call, since it has one role');
    }
    const roleName = checkedRoleName(grant.roleName, this.parameterPrefix, grant.account);
    this.checkRoleIsNew(roleName);
    const names = this.heldNames(grant);
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
   * Says which names the delegation roles cover, of names that nothing here can check; may be a list token.
   *
   * @internal
   */
  public _setDelegatedNames(names: string[]): void {
    this.delegatedNames = names;
  }

  /**
   * Makes a delegation role of names that nothing here can check.
   *
   * @internal
   */
  public _addDelegationRole(props: Omit<DelegationRoleProps, 'zone' | 'parameterPrefix'>, id = this.idOf(props.account), condition?: CfnCondition): DelegationRole {
    const role = new DelegationRole(this, `Delegation${id}`, { ...props, zone: this.zone, parameterPrefix: this.parameterPrefix });
    this.outlive(role, condition);
    this.made.push(role);
    if (this.removalPolicy !== undefined) {
      role.applyRemovalPolicy(this.removalPolicy);
    }
    return role;
  }

  /** Makes a role outlive the published zone, whose delete fails while consumers still need the role. */
  private outlive(role: DelegationRole, condition?: CfnCondition): void {
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

  /** Returns what names an account in logical ids: the account, or the parameter that has it. */
  private idOf(account: string): string {
    if (!isUnknown(account)) {
      return account;
    }
    const { Ref: parameter } = Stack.of(this).resolve(account) as { Ref?: string };
    return parameter ?? createHash('sha256').update(JSON.stringify(Stack.of(this).resolve(account))).digest('hex').slice(0, 8);
  }

  /** An account has one role of a name, in whichever Region its stacks are. */
  private checkRoleIsNew(roleName: string): void {
    const other = allIn(this).find((zone) => isOfAccountOf(zone, Stack.of(this)) && zone.roleNames.includes(roleName));
    if (other !== undefined && !isUnknown(roleName)) {
      throw new PropError('roleName', undefined, `${JSON.stringify(roleName)} is that of a role of ${other.node.path} and of one of ${
        this.node.path}, which are in one account: give one of them another, and to PublishedZone.delegation as well`);
    }
  }

  private heldNames(grant: DelegationGrant): string[] {
    if (grant.names === undefined) {
      throw new PropError('names', grant.names, 'is missing');
    }
    checkList('names', grant.names, 'names');
    if (isUnknown(grant.names)) {
      throw new PropError('names', undefined, 'must be a list whose length is known, since the zone\'s name is added to each (its elements may be tokens)');
    }
    if (grant.names.length === 0) {
      throw new PropError('names', grant.names, 'must have at least one name');
    }
    grant.names.forEach((name) => checkRelativeName('names', name, knownNameOf(this.zone)));
    const zoneName = normalised(this.zone.zoneName);
    const names = grant.names.map(normalised);
    for (const name of names) {
      if (!isUnknown(`${name}.${zoneName}`)) {
        checkName('names', `${name}.${zoneName}`);
      }
      if (names.filter((other) => other === name).length > 1) {
        throw new PropError('names', grant.names, `must have ${JSON.stringify(name)} once`);
      }
      const below = names.find((other) => relation(name, other) === 'below');
      if (below !== undefined) {
        throw new PropError('names', grant.names, `must lie apart from each other: ${JSON.stringify(name)} is below ${
          JSON.stringify(below)}, and so lies in its zone (the consumer makes it there, with parentZone)`);
      }
      for (const holder of this.holdersOfZone()) {
        const how = relation(name, holder.name);
        // An account may have its names under each prefix under which a zone is published.
        if (how !== undefined && !(how === 'equal to' && holder.account === grant.account)) {
          throw new PropError('names', grant.names, `of account ${grant.account} must lie apart from those of account ${
            holder.account}, since whoever holds a name can capture all below it: ${JSON.stringify(name)} is ${how} ${JSON.stringify(holder.name)}`);
        }
      }
    }
    this.holders.push(...names.map((name) => ({ name, account: grant.account })));
    return names.map((name) => `${name}.${zoneName}`);
  }

  /** Who holds names in the zone, by whichever construct of the app. */
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
      zoneName: normalised(zoneName),
      comment: `Published under ${this.parameterPrefix}`,
    });
    this.made.push(zone);
    return zone;
  }

  private delegateFrom(parentZone: route53.IHostedZone, ttl = Duration.minutes(15)): Construct {
    const child = normalised(this.zone.zoneName);
    const record = new route53.NsRecord(this, 'NameServers', {
      zone: parentZone,
      // With its dot it is taken as it is, also where neither name is known yet.
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
    throw new PropError('zoneName', props.zoneName, 'and zone are two ways to say which zone is published: give one of them');
  }
  if (props.zoneName !== undefined) {
    checkName('zoneName', props.zoneName);
  }
  if (props.delegationTtl !== undefined && props.parentZone === undefined) {
    throw new PropError('delegationTtl', props.delegationTtl.toString(), 'must be left out without parentZone, in which the NS record set stands that has it');
  }
  const parent = knownNameOf(props.parentZone);
  if (props.parentZone && props.zone && props.zone.hostedZoneNameServers === undefined) {
    throw new PropError('parentZone', parent, 'must be left out where zone is imported, since its name servers are unknown here: delegate it where it is made');
  }
  const child = props.zoneName === undefined ? knownNameOf(props.zone) : normalised(props.zoneName);
  if (child !== undefined && !isUnknown(child) && parent !== undefined && relation(child, parent) !== 'below') {
    throw new PropError('parentZone', parent, `must be the zone of a name above ${child}`);
  }
}

/** Of two zones under one prefix the later would take over the parameters of the earlier. */
function checkPrefixIsNew(parameterPrefix: string, scope: Construct, id: string): void {
  const stack = Stack.of(scope);
  const other = allIn(scope).find((zone) => zone.parameterPrefix === parameterPrefix && isOfAccountOf(zone, stack) && Stack.of(zone).region === stack.region);
  if (other !== undefined) {
    throw new PropError('parameterPrefix', undefined, `${JSON.stringify(parameterPrefix)} is that of ${other.node.path} and of ${
      scope.node.path}/${id}, which are in one account and Region: give one of them another`);
  }
}

/** The published zones of an app that are made: one that threw is in the tree all the same. */
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
      throw new PropError('principalArns', pattern, `must be of the account ${account}, since the role trusts no other`);
    }
  }
}
