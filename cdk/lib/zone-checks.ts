import { Token } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { normalised } from './domain-name';
import { checkFormat, FORMATS, PropError } from './prop-checks';

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
    return zone === undefined || Token.isUnresolved(zone.zoneName) ? undefined : normalised(zone.zoneName);
  } catch {
    // `HostedZone.fromHostedZoneId` makes zones whose name throws.
    return undefined;
  }
}

/** What two imports of one zone have in common: its id, and its name until the id is looked up. */
export function identityOf(zone: route53.IHostedZone): string {
  return zone.hostedZoneId === NOT_LOOKED_UP ? zone.zoneName : zone.hostedZoneId;
}
