import type { Duration } from 'aws-cdk-lib';
import { problemOfName, problemOfRelativeName } from './domain-name';
import { isUnknown } from './unknown';

/** A wrong prop: one sentence with its name, the rule, and its value if it is given. */
export class PropError extends Error {
  public constructor(prop: string, value: unknown, rule: string) {
    super(value === undefined ? `${prop} ${rule}.` : `${prop} ${rule}, but it is ${shown(value)}.`);
    this.name = 'PropError';
  }
}

function shown(value: unknown): string {
  // Constructs and the like refer to each other, which is no JSON.
  const isPlain = typeof value !== 'object' || value === null || [Object, Array].includes(value.constructor as ArrayConstructor);
  return isPlain ? JSON.stringify(value) : `a ${(value as object).constructor.name}`;
}

/** A format of texts, and a rule in words that follow the prop's name. */
export interface Format {
  readonly pattern: RegExp;
  readonly rule: string;
}

/** Formats of AWS, as their API references give them. */
export const FORMATS = {
  account: { pattern: /^\d{12}$/, rule: 'must be an account of 12 digits' },
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html
  logicalId: { pattern: /^[A-Za-z0-9]{1,255}$/, rule: 'must be logical ids of resources of the stack, which are letters and digits' },
  region: { pattern: /^[a-z]{2,}(-[a-z]+)+-\d+$/, rule: 'must be the name of a Region, such as "us-east-1"' },
  hostedZoneId: { pattern: /^Z[A-Z0-9]{1,31}$/, rule: 'must be the id of a hosted zone, such as "Z0123456789ABCDEFGHIJ"' },
  organizationId: { pattern: /^o-[a-z0-9]{10,32}$/, rule: 'must be the id of an organization, such as "o-a1b2c3d4e5"' },
  externalId: { pattern: /^[\w+=,.@:/-]{2,1224}$/, rule: 'must be 2 to 1,224 letters, digits and "+=,.@:/_-"' },
  roleArn: { pattern: /^arn:aws[\w-]*:iam::\d{12}:role\/.+$/, rule: 'must be the ARN of a role' },
  roleArnPattern: { pattern: /^arn:[\w*-]+:iam::\d{12}:role\/.+$/, rule: 'must be a pattern of role ARNs in one account' },
  comment: { pattern: /^[^]{0,256}$/, rule: 'must be a string of at most 256 characters' },
  partition: { pattern: /^aws(-[a-z]+)*$/, rule: 'must be the name of a partition, such as "aws"' },
  rolePath: { pattern: /^\/([\x21-\x7e]{0,510}\/)?$/, rule: 'must be a path of IAM, such as "/a-team/"' },
  roleName: { pattern: /^[\w+=,.@-]{1,64}$/, rule: 'must be 1 to 64 letters, digits and "+=,.@_-"' },
  // Parameter Store: a name may not begin with "aws" or "ssm", and has 15 levels at most, one of which comes below the prefix.
  parameterPrefix: {
    pattern: /^(?!\/(aws|ssm))(\/[\w.-]+){1,14}$/i,
    rule: 'must be 1 to 14 levels of letters, digits and "._-", each after a "/", with no "/" at the end and not starting with "/aws" or "/ssm"',
  },
} satisfies { [name: string]: Format };

/** Checks a value if it is given and known. The function checks a token's value at deployment. */
export function checkIs(prop: string, value: unknown, isRight: (value: unknown) => boolean, rule: string): void {
  // Programs in JavaScript and Python can pass other types.
  if (value !== undefined && !isUnknown(value) && !isRight(value)) {
    throw new PropError(prop, value, rule);
  }
}

/** Checks a text if it is given. */
export function checkFormat(prop: string, value: string | undefined, { pattern, rule }: Format): void {
  checkIs(prop, value, (text) => typeof text === 'string' && pattern.test(text), rule);
}

/** Checks one of the values of an enum if it is given. */
export function checkOneOf(prop: string, value: unknown, values: { readonly [name: string]: string }): void {
  const all = Object.values(values);
  checkIs(prop, value, (text) => all.includes(text as string), `must be ${all.map((one) => JSON.stringify(one)).join(' or ')}`);
}

/** Checks a list if it is given; `what` is what it lists. */
export function checkList(prop: string, value: unknown, what: string): void {
  checkIs(prop, value, Array.isArray, `must be a list of ${what}`);
}

/** Checks a required text. */
export function checkRequired(prop: string, value: string | undefined, format: Format): void {
  if (value === undefined) {
    throw new PropError(prop, value, 'is missing');
  }
  checkFormat(prop, value, format);
}

/** Checks a name of one or more labels. */
export function checkName(prop: string, name: string): void {
  checkNameBy(problemOfName, prop, name);
}

/** Checks a name that is relative to a zone, whose own name may be unknown. */
export function checkRelativeName(prop: string, name: string, zoneName: string | undefined): void {
  checkNameBy((value) => problemOfRelativeName(value, zoneName), prop, name);
}

function checkNameBy(problemOf: (name: string) => string | undefined, prop: string, name: string): void {
  if (name === undefined) {
    throw new PropError(prop, name, 'is missing');
  }
  const problem = problemOf(name);
  if (problem !== undefined) {
    throw new PropError(prop, name, problem);
  }
}

/** Checks a list of logical ids if it is given. */
export function checkLogicalIds(prop: string, ids: string[] | undefined): void {
  checkList(prop, ids, 'logical ids');
  if (!isUnknown(ids)) {
    ids?.forEach((id) => checkFormat(prop, id, FORMATS.logicalId));
  }
}

/** Checks a length of time if it is given and known; `why` explains the limit. */
export function checkSeconds(prop: string, duration: Duration | undefined, least: number, most: number, why = ''): void {
  checkIs(prop, duration, (value) => typeof (value as Duration | null)?.toSeconds === 'function', 'must be a Duration');
  if (duration === undefined || duration.isUnresolved()) {
    return;
  }
  // Whole seconds: a Duration throws an error of its own on others.
  const seconds = duration.toSeconds({ integral: false });
  if (!Number.isInteger(seconds) || seconds < least || seconds > most) {
    throw new PropError(prop, seconds, `must be ${least.toLocaleString('en')} to ${most.toLocaleString('en')} whole seconds${why}`);
  }
}
