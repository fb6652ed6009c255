import { Lazy, Stack } from 'aws-cdk-lib';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import { Construct, type IDependable } from 'constructs';
import { CustomResourceFunction, functionOfStack, NEW, OWN } from './custom-resource-function';
import { type DelegatedSubdomainProps, RecordsOnDelete } from './delegated-subdomain-props';
import { normalized, relation } from './domain-name';
import type { FunctionSettings } from './function-settings';
import { PropError } from './prop-checks';
import { onlyChanges } from './record-set-conditions';
import { identityOf, knownNameOf, knownParentName } from './zone-checks';
import { executionsArn, Waiter, waiterArn, waiterName } from './waiter';

const NO_RESOURCES = 'These actions have no resources';
const NEW_ZONES = 'The ids of the zones that the function creates are not known before';
// ACM's validation CNAMEs, such as `_3639ac514e785e898d2646601fa951d5.dev.example.com`.
const VALIDATION_RECORDS = onlyChanges({ actions: ['CREATE', 'DELETE'], types: ['CNAME'], namesLike: ['_*'] });
const NEW_CERTIFICATES = 'The ids of the certificates that the function requests are not known before';

const ONE_FOR_EACH_REQUEST = 'An execution is named after its request';

// Characters of the names of subdomains in one policy, apart from the last name.
const INLINE_NAMES = 800;
const MANAGED_NAMES = 5_000;

/** A name in a parent zone. */
interface NameInParent {
  readonly parent: string;
  readonly name: string;
}

/** The stack's function `delegate-subdomain` and its waiter. */
export class DelegateSubdomainFunction extends Construct {
  /** Returns the stack's one function, which the first call creates. */
  public static of(scope: Construct, settings?: FunctionSettings): DelegateSubdomainFunction {
    return functionOfStack(scope, 'DelegateSubdomainFunction', settings,
      (stack, id, merged) => new DelegateSubdomainFunction(stack, id, merged));
  }

  /** What answers the custom resources. */
  public readonly handler: CustomResourceFunction;
  private readonly apexes: string[][] = [];
  private readonly subdomains = new Map<route53.IHostedZone, NameInParent>();

  private constructor(stack: Stack, id: string, public readonly settings: FunctionSettings) {
    super(stack, id);
    const name = waiterName(stack);
    this.handler = new CustomResourceFunction(this, 'DelegateSubdomain', 'delegate-subdomain', {
      ...settings,
      environment: { ...settings.environment, STATE_MACHINE_ARN: waiterArn(this, name) },
    });
    this.handler.needs(this.handler.grant({ purpose: 'Wait' },
      { actions: ['states:StartExecution'], resources: [waiterArn(this, name)] },
      // Whether an execution that exists for a request still runs.
      { actions: ['states:DescribeExecution'], resources: [executionsArn(this, name)], reason: ONE_FOR_EACH_REQUEST }));

    const waiter = new Waiter(this, 'Waiter', name, this.handler.function, settings);
    this.handler.needs(waiter.stateMachine, waiter.policy);
    for (const [alarmId, metric, meaning] of waiter.failures()) {
      this.handler.alarm(alarmId, metric, meaning);
    }
  }

  /** Lets the function assume one delegation role of another account. */
  private grantDelegationRole(roleArn: string): IDependable {
    return this.handler.grant({ purpose: 'DelegationRole', isOneOfMany: true }, { actions: ['sts:AssumeRole'], resources: [roleArn] });
  }

  /**
   * Notes a subdomain. Refuses one whose name another subdomain of the stack has, and one that another would occlude or that would occlude
   * another.
   */
  public hold(zone: route53.IHostedZone, { subdomain, delegation, parentZone }: DelegatedSubdomainProps): void {
    const stack = Stack.of(this);
    const parent = JSON.stringify(stack.resolve(parentZone
      ? identityOf(parentZone) : [delegation?.roleArn, delegation?.parameterPrefix, delegation?.region ?? stack.region]));
    const name = normalized(subdomain);
    for (const [other, held] of this.subdomains) {
      const how = name === held.name ? 'equal to' : relation(name, held.name);
      if (held.parent === parent && how !== undefined) {
        throw new PropError('subdomain', undefined, `of ${zone.node.path} must not be ${JSON.stringify(subdomain)}, which ${how === 'equal to'
          ? `${other.node.path} already has in the same parent zone`
          : `is ${how} ${JSON.stringify(held.name)} of ${other.node.path} in the same parent zone: create the lower one with the upper one as its parentZone`}`);
      }
    }
    this.subdomains.set(zone, { parent, name });
  }

  /** Lets the function do what a subdomain needs. */
  public grantSubdomain(props: DelegatedSubdomainProps): IDependable[] {
    const { delegation, parentZone, recordsOnDelete, zone } = props;
    return [
      this.grantZones(),
      ...delegation ? [this.grantDelegationRole(delegation.roleArn)] : [],
      ...parentZone ? [this.grantDelegations()] : [],
      ...zone ? [] : [this.grantApex(props)],
      ...recordsOnDelete === RecordsOnDelete.DELETE ? [this.grantRecords(props)] : [],
    ];
  }

  /** Lets the function create, find and delete the subdomains' zones, with the validation CNAMEs in them. */
  private grantZones(): IDependable {
    return this.handler.grant({ purpose: 'Zones' },
      {
        actions: ['route53:CreateHostedZone', 'route53:ListHostedZones', 'route53:ListHostedZonesByName'],
        resources: ['*'],
        reason: NO_RESOURCES,
      },
      {
        actions: [
          'route53:ChangeTagsForResource', 'route53:DeleteHostedZone', 'route53:GetDNSSEC', 'route53:GetHostedZone',
          'route53:ListResourceRecordSetProtections', 'route53:ListResourceRecordSets', 'route53:ListTagsForResource',
          'route53:UpdateHostedZoneComment',
        ],
        resources: [this.route53Arn('hostedzone')],
        reason: NEW_ZONES,
      },
      { actions: ['route53:ChangeResourceRecordSets'], resources: [this.route53Arn('hostedzone')], conditions: VALIDATION_RECORDS, reason: NEW_ZONES },
      { actions: ['route53:GetChange'], resources: [this.route53Arn('change')], reason: 'The ids of changes are not known before' });
  }

  /** Lets the function delegate subdomains from zones of this account. */
  private grantDelegations(): IDependable {
    return this.handler.grant({ purpose: 'Delegations' }, {
      actions: ['route53:ChangeResourceRecordSets'],
      resources: [this.route53Arn('hostedzone')],
      conditions: onlyChanges({ actions: ['CREATE', 'DELETE'], types: ['NS'] }),
      reason: NEW_ZONES,
    });
  }

  /** Lets the function set the time to live of the NS record set at the apex of a zone that it has just created. */
  private grantApex(props: DelegatedSubdomainProps): IDependable {
    let names = this.apexes.at(-1);
    if (names === undefined || names.join().length > (this.apexes.length === 1 ? INLINE_NAMES : MANAGED_NAMES)) {
      names = [];
      this.apexes.push(names);
    }
    names.push(namePattern(props));
    const place = this.apexes.length > 1 ? `${this.apexes.length}` : '';
    const listed = names;
    return this.handler.grant({ purpose: `Apex${place}`, inPlace: true, isOneOfMany: this.apexes.length > 1 }, {
      actions: ['route53:ChangeResourceRecordSets'],
      resources: [this.route53Arn('hostedzone')],
      conditions: onlyChanges({ actions: ['UPSERT'], types: ['NS'], namesLike: Lazy.list({ produce: () => listed }) }),
      reason: NEW_ZONES,
    });
  }

  /** Lets the function delete what is in a subdomain's zone, before the zone itself. */
  private grantRecords(props: DelegatedSubdomainProps): IDependable {
    const name = namePattern(props);
    return this.handler.grant({ purpose: 'Records', isOneOfMany: true }, {
      actions: ['route53:ChangeResourceRecordSets'],
      resources: [this.route53Arn('hostedzone')],
      conditions: onlyChanges({ actions: ['DELETE'], namesLike: [name, `*.${name}`] }),
      reason: NEW_ZONES,
    });
  }

  /** Lets the function request certificates in a Region, to be validated by DNS, and find and delete those with this stack's id. */
  public grantCertificates(region: string): IDependable {
    const certificates = [this.certificateArn(region)];
    return this.handler.grant({ purpose: 'Certificates' },
      {
        actions: ['acm:RequestCertificate'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:RequestedRegion': region, 'acm:ValidationMethod': 'DNS' } },
        reason: NO_RESOURCES,
      },
      { actions: ['acm:ListCertificates'], resources: ['*'], reason: NO_RESOURCES },
      { actions: ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'], resources: certificates, reason: NEW_CERTIFICATES },
      // RequestCertificate with tags needs this action as well.
      { actions: ['acm:AddTagsToCertificate'], resources: certificates, conditions: NEW, reason: NEW_CERTIFICATES },
      {
        actions: ['acm:AddTagsToCertificate', 'acm:DeleteCertificate', 'acm:RemoveTagsFromCertificate'],
        resources: certificates,
        conditions: OWN,
        reason: NEW_CERTIFICATES,
      });
  }

  /** Lets the function validate certificates in a zone. What it may do in its own subdomains' zones `grantSubdomain` says. */
  public grantValidation(zone: route53.IHostedZone): IDependable[] {
    if (this.subdomains.has(zone)) {
      return [];
    }
    const resources = [zone.hostedZoneArn];
    return [this.handler.grant({ purpose: 'Validation', of: knownNameOf(zone), isOneOfMany: true },
      { actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], resources },
      { actions: ['route53:ChangeResourceRecordSets'], resources, conditions: VALIDATION_RECORDS })];
  }

  private route53Arn(resource: string): string {
    return Stack.of(this).formatArn({ service: 'route53', region: '', account: '', resource, resourceName: '*' });
  }

  private certificateArn(region: string): string {
    return Stack.of(this).formatArn({ service: 'acm', region, resource: 'certificate', resourceName: '*' });
  }
}

/** Returns a subdomain's name as IAM's conditions have it: its parent's name may be another account's to know. */
function namePattern(props: DelegatedSubdomainProps): string {
  return `${normalized(props.subdomain)}.${knownParentName(props) ?? '*'}`;
}
