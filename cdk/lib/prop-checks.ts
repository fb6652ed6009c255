import { type Duration, Token } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { problemOfName } from './domain-name';

/** A wrong prop: one sentence with its name, its value and the rule. */
export class PropError extends Error {
  public constructor(prop: string, value: unknown, rule: string) {
    super(value === undefined ? `${prop} ${rule}.` : `${prop} ${rule}, but it is ${JSON.stringify(value)}.`);
    this.name = 'PropError';
  }
}

/** How a text must look, and that in words that follow the prop's name. */
export interface Format {
  readonly pattern: RegExp;
  readonly rule: string;
}

/** Formats of AWS, as their API references give them. */
export const FORMATS = {
  account: { pattern: /^\d{12}$/, rule: 'must be an account of 12 digits' },
  region: { pattern: /^[a-z]{2,}(-[a-z]+)+-\d+$/, rule: 'must be the name of a Region, such as "us-east-1"' },
  hostedZoneId: { pattern: /^Z[A-Z0-9]{1,31}$/, rule: 'must be the id of a hosted zone, such as "Z0123456789ABCDEFGHIJ"' },
  organizationId: { pattern: /^o-[a-z0-9]{10,32}$/, rule: 'must be the id of an organization, such as "o-a1b2c3d4e5"' },
  externalId: { pattern: /^[\w+=,.@:/-]{2,1224}$/, rule: 'must be 2 to 1,224 letters, digits and "+=,.@:/_-"' },
  roleArn: { pattern: /^arn:aws[\w-]*:iam::\d{12}:role\/.+$/, rule: 'must be the ARN of a role' },
  roleArnPattern: { pattern: /^arn:[\w*-]+:iam::\d{12}:role\/.+$/, rule: 'must be a pattern of role ARNs in one account' },
  roleName: { pattern: /^[\w+=,.@-]{1,64}$/, rule: 'must be 1 to 64 letters, digits and "+=,.@_-"' },
  environmentVariable: { pattern: /^[A-Za-z]\w+$/, rule: 'must be a letter and then letters, digits and "_"' },
  // Parameter Store: a name may not begin with "aws" or "ssm", and has 15 levels at most, one of which comes below the prefix.
  parameterPrefix: {
    pattern: /^(?!\/(aws|ssm))(\/[\w.-]+){1,14}$/i,
    rule: 'must be 1 to 14 levels of letters, digits and "._-", each after a "/", with no "/" at the end and not starting with "/aws" or "/ssm"',
  },
} satisfies { [name: string]: Format };

/** Checks a text where it is given and no token: CloudFormation will check what is not known yet. */
export function checkFormat(prop: string, value: string | undefined, { pattern, rule }: Format): void {
  // Types are a promise of TypeScript's alone.
  if (value !== undefined && !Token.isUnresolved(value) && (typeof value !== 'string' || !pattern.test(value))) {
    throw new PropError(prop, value, rule);
  }
}

/** Checks a text that has to be given. */
export function checkRequired(prop: string, value: string | undefined, format: Format): void {
  if (value === undefined) {
    throw new PropError(prop, value, 'is missing');
  }
  checkFormat(prop, value, format);
}

/** Checks a name of one or more labels. */
export function checkName(prop: string, name: string): void {
  if (name === undefined) {
    throw new PropError(prop, name, 'is missing');
  }
  const problem = problemOfName(name);
  if (problem !== undefined) {
    throw new PropError(prop, name, problem);
  }
}

/** Checks a length of time where it is given and no token; `why` is what draws the line. */
export function checkSeconds(prop: string, duration: Duration | undefined, least: number, most: number, why = ''): void {
  if (duration === undefined) {
    return;
  }
  if (typeof duration.toSeconds !== 'function') {
    throw new PropError(prop, duration, 'must be a Duration');
  }
  if (duration.isUnresolved()) {
    return;
  }
  // Whole seconds: a Duration throws an error of its own on others.
  const seconds = duration.toSeconds({ integral: false });
  if (!Number.isInteger(seconds) || seconds < least || seconds > most) {
    throw new PropError(prop, seconds, `must be ${least.toLocaleString('en')} to ${most.toLocaleString('en')} whole seconds${why}`);
  }
}

/** Checks a zone where it is given: that it is public, as far as the template can tell, and its id one. */
export function checkZone(prop: string, zone: route53.IHostedZone | undefined): void {
  if (zone instanceof route53.PrivateHostedZone) {
    throw new PropError(prop, zone.node.path, 'must be a public hosted zone');
  }
  checkFormat(`${prop}.hostedZoneId`, zone?.hostedZoneId, FORMATS.hostedZoneId);
}

/** Tags of a certificate or a zone: https://docs.aws.amazon.com/Route53/latest/APIReference/API_Tag.html */
export function checkTags(tags: { readonly [key: string]: string } | undefined): void {
  for (const [key, value] of Object.entries(tags ?? {})) {
    if (key.length < 1 || key.length > 128 || /^(aws|zone-delegation):/i.test(key)) {
      throw new PropError('tags', key, 'must have keys of 1 to 128 characters that do not start with "aws:" or "zone-delegation:"');
    }
    if (!Token.isUnresolved(value) && value.length > 256) {
      throw new PropError(`tags.${key}`, value, 'must not be longer than 256 characters');
    }
  }
}
