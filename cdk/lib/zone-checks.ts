import { Stack } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import type { Delegation } from './delegation';
import { normalized } from './domain-name';
import { checkFormat, FORMATS, PropError } from './prop-checks';
import { isUnknown } from './unknown';

// `HostedZone.fromLookup` returns it as the id at the first synthesis. Then the CDK looks the zone up and synthesizes again.
const NOT_LOOKED_UP = 'DUMMY';

/** Checks a zone if it is given: that it is a hosted zone, public as far as the app knows, and that its id has the right form. */
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

/** Checks that a zone, if it is given, is in the account of the construct that uses it. */
export function checkOwnZone(prop: string, zone: route53.IHostedZone | undefined, scope: Construct, id: string): void {
  const [theirs, own] = [zone?.env?.account, Stack.of(scope).account];
  if (zone !== undefined && theirs !== undefined && ![theirs, own].some(isUnknown) && theirs !== own) {
    throw new PropError(prop, undefined, `is ${zone.node.path} of account ${theirs}, but ${scope.node.path}/${id} is in account ${
      own}: let a zone of another account delegate by PublishedZone and its allowDelegation`);
  }
}

/** Checks a required zone. */
export function checkRequiredZone(prop: string, zone: route53.IHostedZone): void {
  if (zone === undefined) {
    throw new PropError(prop, zone, 'is missing');
  }
  checkZone(prop, zone);
}

/** Returns the zone's name, normalized, if it is known. The name of a token, or of a zone imported by its id alone, is not. */
export function knownNameOf(zone: route53.IHostedZone | undefined): string | undefined {
  try {
    return zone === undefined || isUnknown(zone.zoneName) ? undefined : normalized(zone.zoneName);
  } catch {
    // The name of a zone of `HostedZone.fromHostedZoneId` throws.
    return undefined;
  }
}

/** Returns the name of a subdomain's parent zone, normalized, if it is known. */
export function knownParentName({ delegation, parentZone }: { readonly delegation?: Delegation; readonly parentZone?: route53.IHostedZone }): string | undefined {
  return delegation?.zoneName === undefined || isUnknown(delegation.zoneName) ? knownNameOf(parentZone) : normalized(delegation.zoneName);
}

/** Returns what two imports of one zone have in common: its id, or its name until the id is looked up. */
export function identityOf(zone: route53.IHostedZone): string {
  return zone.hostedZoneId === NOT_LOOKED_UP ? zone.zoneName : zone.hostedZoneId;
}
