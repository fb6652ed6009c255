import { Fn } from 'aws-cdk-lib';
import { isUnknown } from './unknown';

/** What a consumer account needs to know to delegate names in a zone that another account publishes. */
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
   * The external id that the role's trust policy requires.
   *
   * @default - none
   */
  readonly externalId?: string;

  /**
   * Name of the published zone. With it, the names of the zones below are known at synthesis.
   *
   * @default - known at deployment only
   */
  readonly zoneName?: string;

  /**
   * The account of the consumer. No other account can use the delegation.
   *
   * @default - not checked at synthesis
   */
  readonly account?: string;
}

/** Identifies a delegation for an app that does not contain the stack which created it. */
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
   * The external id that the role's trust policy requires.
   *
   * @default - none
   */
  readonly externalId?: string;

  /**
   * Name of the published zone. With it, the names of the zones below are known at synthesis.
   *
   * @default - known at deployment only
   */
  readonly zoneName?: string;

  /**
   * The delegation role's name, if `allowDelegation` was given one.
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

/** Returns the standard name of a delegation role: `zone-delegation-dev-222222222222`. */
export function delegationRoleName(parameterPrefix: string, account: string): string {
  return isUnknown(parameterPrefix)
    // CloudFormation has no function that removes the first "/".
    ? `zone-delegation${Fn.join('-', Fn.split('/', parameterPrefix))}-${account}`
    : `${parameterPrefix.slice(1).replaceAll('/', '-')}-${account}`;
}
