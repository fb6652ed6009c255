import type { Duration } from 'aws-cdk-lib';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import type { Delegation } from './delegation';
import type { FunctionSettings } from './function-settings';

/** What happens on delete to records in the zone, except its apex SOA and NS and ACM's validation CNAMEs. */
export enum RecordsOnDelete {
  /** Nothing is deleted, and the error lists them. */
  FAIL = 'Fail',
  /** They are deleted. NS record sets below the apex still fail the delete. */
  DELETE = 'Delete',
}

/** Properties of a `DelegatedSubdomain`. Its parent is `delegation` or `parentZone`. */
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
   * @default - `delegation` is the parent
   */
  readonly parentZone?: route53.IHostedZone;

  /**
   * An existing public zone of this account to delegate instead of a new one. It is never deleted.
   *
   * @default - a zone is created
   */
  readonly zone?: route53.IHostedZone;

  /**
   * Whether to adopt the parent's delegation to `zone`, if the parent delegates the name to it already. The delegation stays as it is.
   *
   * @default false
   */
  readonly adoptDelegation?: boolean;

  /**
   * Earlier logical ids of the subdomain in this stack, if it was renamed in the template. Its zone is transferred to the new logical id.
   *
   * @default - none
   */
  readonly formerLogicalIds?: string[];

  /**
   * Time to live of the NS record set in the parent, and of the one at the apex of a zone that is created.
   *
   * @default Duration.minutes(5)
   */
  readonly ttl?: Duration;

  /**
   * On delete, how long to wait between the deletion of the NS record set and that of the zone, so that no resolver's cache leads to a
   * zone that is deleted. At most `serviceTimeout` less the 120 seconds that a delete needs besides: 3,480 seconds at most.
   *
   * @default - `ttl`
   */
  readonly drain?: Duration;

  /**
   * Whether the parent's and the zone's authoritative name servers are queried before the subdomain is complete.
   *
   * @default true
   */
  readonly verifyDelegation?: boolean;

  /**
   * What happens on delete to records that something else created in the zone.
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
   * Settings of the stack's function.
   *
   * @default - see `FunctionSettings`
   */
  readonly functionSettings?: FunctionSettings;
}
