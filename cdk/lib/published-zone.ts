import {
  Aws, type CfnCondition, type CfnResource, CustomResource, Duration, Fn, type IResolvable, type RemovalPolicy, Resource, Stack, Token,
} from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { type Delegation, type DelegationLocation, delegationRoleName } from './delegation';
import { DelegationRole, type DelegationRoleProps } from './delegation-role';
import { normalised, relation } from './domain-name';
import type { FunctionSettings } from './function-settings';
import { checkFormat, checkList, checkName, checkOneOf, checkRequired, checkSeconds, FORMATS, PropError } from './prop-checks';
import { PublishZoneFunction } from './publish-zone-function';
import { checkZone, identityOf, knownNameOf } from './zone-checks';

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
export class PublishedZone extends Resource {
  /** A consumer's delegation by its place alone, for a stack that is made apart from the zone's. */
  public static delegation(location: DelegationLocation): Delegation {
    const { networkingAccount, account, parameterPrefix, region, externalId, partition = Aws.PARTITION } = location;
    checkRequired('networkingAccount', networkingAccount, FORMATS.account);
    checkRequired('account', account, FORMATS.account);
    checkRequired('parameterPrefix', parameterPrefix, FORMATS.parameterPrefix);
    checkFormat('region', region, FORMATS.region);
    checkFormat('externalId', externalId, FORMATS.externalId);
    checkFormat('partition', partition, FORMATS.partition);
    const roleName = location.roleName ?? delegationRoleName(parameterPrefix, account);
    checkFormat('roleName', roleName, FORMATS.roleName);
    return { parameterPrefix, roleArn: `arn:${partition}:iam::${networkingAccount}:role/${roleName}`, region, externalId };
  }

  /** The zone that is published. */
  public readonly zone: route53.IHostedZone;
  /** The prefix of its parameters. */
  public readonly parameterPrefix: string;
  private readonly resource: CustomResource;
  private readonly made: Resource[] = [];
  private readonly conditionalRoles: IResolvable[] = [];
  private removalPolicy?: RemovalPolicy;
  private readonly holders: { readonly name: string; readonly account: string }[] = [];

  public constructor(scope: Construct, id: string, props: PublishedZoneProps) {
    super(scope, id);
    checkRequired('parameterPrefix', props.parameterPrefix, FORMATS.parameterPrefix);
    checkSeconds('delegationTtl', props.delegationTtl, 0, 2_147_483_647);
    checkOneOf('delegationsOnDelete', props.delegationsOnDelete, DelegationsOnDelete);
    checkZone('parentZone', props.parentZone);
    if (props.delegationTtl !== undefined && props.parentZone === undefined) {
      throw new PropError('delegationTtl', props.delegationTtl.toString(), 'must be left out without parentZone, in which the NS record set stands that has it');
    }
    this.parameterPrefix = props.parameterPrefix;
    this.zone = this.zoneOf(props);

    const publishZone = PublishZoneFunction.of(this, props.functionSettings);
    const rights = publishZone.grantPublish(this.zone, this.parameterPrefix);
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: 'Custom::PublishedZone',
      serviceToken: publishZone.handler.function.functionArn,
      properties: {
        HostedZoneId: this.zone.hostedZoneId,
        ParameterPrefix: this.parameterPrefix,
        DelegationsOnDelete: props.delegationsOnDelete,
      },
    });
    this.made.push(this.resource);
    this.resource.node.addDependency(publishZone.handler.neededForDelete, rights);

    if (props.parentZone) {
      // A stack's delete asks the published zone first: it refuses while consumers still hold names.
      this.resource.node.addDependency(this.delegateFrom(props.parentZone, props.delegationTtl));
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
    const roleName = grant.roleName ?? delegationRoleName(this.parameterPrefix, grant.account);
    checkFormat('roleName', roleName, FORMATS.roleName);
    checkFormat('organizationId', grant.organizationId, FORMATS.organizationId);
    checkFormat('externalId', grant.externalId, FORMATS.externalId);
    checkPrincipals(grant);
    if (this.holders.some(({ account }) => account === grant.account)) {
      throw new PropError('account', grant.account, 'must be granted its names in one call, since it has one role');
    }
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
    return {
      parameterPrefix: this.parameterPrefix,
      roleArn: role.roleArn,
      region: Stack.of(this).region,
      externalId: grant.externalId,
    };
  }

  /**
   * Makes a delegation role of names that nothing here can check.
   *
   * @internal
   */
  public _addDelegationRole(props: Omit<DelegationRoleProps, 'zone' | 'parameterPrefix'>, condition?: CfnCondition): DelegationRole {
    // An account that is not known yet cannot be part of an id.
    const id = Token.isUnresolved(props.account) ? `${this.node.children.length}` : props.account;
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
      this.resource.node.addDependency(role);
      return;
    }
    (role.node.defaultChild as CfnResource).cfnOptions.condition = condition;
    // CloudFormation refuses a DependsOn on a resource whose condition is false. A reference makes the same dependency:
    // https://github.com/aws-cloudformation/cfn-lint/blob/main/docs/rules.md#E3005
    this.conditionalRoles.push(Fn.conditionIf(condition.logicalId, role.roleName, Aws.NO_VALUE));
    (this.resource.node.defaultChild as CfnResource).addMetadata('DelegationRoles', this.conditionalRoles);
  }

  private heldNames(grant: DelegationGrant): string[] {
    if (grant.names === undefined) {
      throw new PropError('names', grant.names, 'is missing');
    }
    checkList('names', grant.names, 'names');
    if (Token.isUnresolved(grant.names)) {
      throw new PropError('names', undefined, 'must be a list whose length is known, since the zone\'s name is added to each (its elements may be tokens)');
    }
    if (grant.names.length === 0) {
      throw new PropError('names', grant.names, 'must have at least one name');
    }
    grant.names.forEach((name) => checkName('names', name));
    const zoneName = normalised(this.zone.zoneName);
    const names = grant.names.map(normalised);
    for (const name of names) {
      if (!Token.isUnresolved(`${name}.${zoneName}`)) {
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
    return this.node.root.node.findAll()
      .filter((construct) => construct instanceof PublishedZone)
      .filter(({ zone }) => identityOf(zone) === identityOf(this.zone))
      .flatMap(({ holders }) => holders);
  }

  private zoneOf(props: PublishedZoneProps): route53.IHostedZone {
    checkZone('zone', props.zone);
    if (props.zone && props.zoneName === undefined) {
      return props.zone;
    }
    if (props.zone || props.zoneName === undefined) {
      throw new PropError('zoneName', props.zoneName, 'and zone are two ways to say which zone is published: give one of them');
    }
    checkName('zoneName', props.zoneName);
    const zone = new route53.PublicHostedZone(this, 'Zone', {
      zoneName: normalised(props.zoneName),
      comment: `Published under ${this.parameterPrefix}`,
    });
    this.made.push(zone);
    return zone;
  }

  private delegateFrom(parentZone: route53.IHostedZone, ttl = Duration.minutes(15)): Construct {
    if (this.zone.hostedZoneNameServers === undefined) {
      throw new PropError('parentZone', knownNameOf(parentZone),
        'must be left out where zone is imported, since its name servers are unknown here: delegate it where it is made');
    }
    const [child, parent] = [normalised(this.zone.zoneName), knownNameOf(parentZone)];
    if (!Token.isUnresolved(child) && parent !== undefined && relation(child, parent) !== 'below') {
      throw new PropError('parentZone', parent, `must be the zone of a name above ${child}`);
    }
    const record = new route53.NsRecord(this, 'NameServers', {
      zone: parentZone,
      // With its dot it is taken as it is, also where neither name is known yet.
      recordName: `${child}.`,
      values: this.zone.hostedZoneNameServers,
      ttl,
      comment: `Delegates ${child}`,
    });
    this.made.push(record);
    return record;
  }
}

function checkPrincipals({ account, principalArns }: DelegationGrant): void {
  checkList('principalArns', principalArns, 'patterns of role ARNs');
  if (principalArns?.length === 0) {
    throw new PropError('principalArns', principalArns, 'must have at least one pattern');
  }
  for (const pattern of principalArns ?? []) {
    checkFormat('principalArns', pattern, FORMATS.roleArnPattern);
    if (![pattern, account].some((text) => Token.isUnresolved(text)) && pattern.split(':')[4] !== account) {
      throw new PropError('principalArns', pattern, `must be of the account ${account}, since the role trusts no other`);
    }
  }
}
