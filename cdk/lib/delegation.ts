import { Fn } from 'aws-cdk-lib';
import { isUnknown } from './unknown';

/** What a consumer account needs to know to have names in a zone that another account publishes. */
export interface Delegation {
  /** The prefix of the parameters that publish the zone, e.g. `/zone-delegation/dev`. */
  readonly parameterPrefix: string;

  /** ARN of the delegation role that the zone's account keeps for this consumer. */
  readonly roleArn: string;

  /**
   * Region of the parameters.
   *
   * @default - the consumer's own Region
   */
  readonly region?: string;

  /**
   * The external id that the role's trust asks for.
   *
   * @default - none
   */
  readonly externalId?: string;

  /**
   * Name of the zone that is published. With it the names of the zones below are known at synthesis.
   *
   * @default - known at deployment only
   */
  readonly zoneName?: string;

  /**
   * The account of the consumer, which alone can use the delegation.
   *
   * @default - not checked at synthesis
   */
  readonly account?: string;
}

/** Where a delegation lies, for an account that cannot see the stack which made it. */
export interface DelegationLocation {
  /** The account that publishes the zone. */
  readonly networkingAccount: string;

  /** The consumer's account. */
  readonly account: string;

  /** The prefix of the parameters that publish the zone, e.g. `/zone-delegation/dev`. */
  readonly parameterPrefix: string;

  /**
   * Region of the parameters.
   *
   * @default - the consumer's own Region
   */
  readonly region?: string;

  /**
   * The external id that the role's trust asks for.
   *
   * @default - none
   */
  readonly externalId?: string;

  /**
   * Name of the zone that is published. With it the names of the zones below are known at synthesis.
   *
   * @default - known at deployment only
   */
  readonly zoneName?: string;

  /**
   * The delegation role's name, where `allowDelegation` was given one.
   *
   * @default - `PREFIX-ACCOUNT`, the prefix with `-` for `/`: `zone-delegation-dev-222222222222`
   */
  readonly roleName?: string;

  /**
   * The partition of both accounts.
   *
   * @default - the consumer's own
   */
  readonly partition?: string;
}

/** The name that a delegation role has where none is given: `zone-delegation-dev-222222222222`. */
export function delegationRoleName(parameterPrefix: string, account: string): string {
  return isUnknown(parameterPrefix)
    // CloudFormation cannot take the first "/" away.
    ? `zone-delegation${Fn.join('-', Fn.split('/', parameterPrefix))}-${account}`
    : `${parameterPrefix.slice(1).replaceAll('/', '-')}-${account}`;
}
