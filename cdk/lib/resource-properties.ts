import { type Duration, Token } from 'aws-cdk-lib';
import { PropError } from './prop-error';

/** Tags as CloudFormation writes them. */
export function tagList(tags: { readonly [key: string]: string } | undefined): { Key: string; Value: string }[] | undefined {
  return tags && Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** A `ServiceTimeout` that CloudFormation takes. */
export function serviceTimeoutOf(timeout: Duration | undefined): Duration | undefined {
  const seconds = timeout?.toSeconds();
  if (seconds !== undefined && !Token.isUnresolved(seconds) && (seconds < 1 || seconds > 3600)) {
    throw new PropError('serviceTimeout', seconds, 'must be 1 to 3,600 seconds');
  }
  return timeout;
}
