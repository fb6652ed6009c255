import { Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import type { Delegation } from './delegation';
import { normalised } from './domain-name';
import { checkFormat, FORMATS, PropError } from './prop-checks';
import { isUnknown } from './unknown';

// What `HostedZone.fromLookup` gives for an id at the first synthesis, after which the CDK looks the zone up and starts again.
const NOT_LOOKED_UP = 'DUMMY';

/** Checks a zone where it is given: that it is one, public as far as the template can tell, and its id one. */
export function checkZone(prop: string, zone: route53.IHostedZone | undefined): void {
  if (zone !== undefined && typeof (zone as route53.IHostedZone | null)?.hostedZoneId !== 'string') {
    throw new PropError(prop, zone, 'must be a hosted zone of aws-route53');
  }
  if (zone instanceof route53.PrivateHostedZone) {
    throw new PropError(prop, zone.node.path, 'must be a public hosted zone');
  }
  if (zone?.hostedZoneId !== NOT_LOOKED_UP) {
    checkFormat(`${prop}.hostedZoneId`, zone?.hostedZoneId, FORMATS.hostedZoneId);
  }
}

/** Checks that a zone, where it is given, is of the account of the construct that needs it in its own. */
export function checkOwnZone(prop: string, zone: route53.IHostedZone | undefined, scope: Construct, id: string): void {
  const [theirs, own] = [zone?.env?.account, Stack.of(scope).account];
  if (zone !== undefined && theirs !== undefined && ![theirs, own].some(isUnknown) && theirs !== own) {
    throw new PropError(prop, undefined, `is ${zone.node.path} of account ${theirs}, but ${scope.node.path}/${id} is in account ${
      own}: let a zone of another account delegate by PublishedZone and its allowDelegation`);
  }
}

/** Checks a zone that has to be given. */
export function checkRequiredZone(prop: string, zone: route53.IHostedZone): void {
  if (zone === undefined) {
    throw new PropError(prop, zone, 'is missing');
  }
  checkZone(prop, zone);
}

/** The zone's name, normalised, where it is known: neither a token's nor that of a zone which was imported by its id alone. */
export function knownNameOf(zone: route53.IHostedZone | undefined): string | undefined {
  try {
    return zone === undefined || isUnknown(zone.zoneName) ? undefined : normalised(zone.zoneName);
  } catch {
    // `HostedZone.fromHostedZoneId` makes zones whose name throws.
    return undefined;
  }
}

/** Returns the name of a subdomain's parent zone, normalised, if it is known. */
export function knownParentName({ delegation, parentZone }: { readonly delegation?: Delegation; readonly parentZone?: route53.IHostedZone }): string | undefined {
  return delegation?.zoneName === undefined || isUnknown(delegation.zoneName) ? knownNameOf(parentZone) : normalised(delegation.zoneName);
}

/** What two imports of one zone have in common: its id, and its name until the id is looked up. */
export function identityOf(zone: route53.IHostedZone): string {
  return zone.hostedZoneId === NOT_LOOKED_UP ? zone.zoneName : zone.hostedZoneId;
}
