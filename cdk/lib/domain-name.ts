import { Token } from 'aws-cdk-lib';

// RFC 1035 section 2.3.4: a label is 1 to 63 octets. The underscore is for names such as `_tenants`, which DNS and Route 53 allow.
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * What is wrong with a name of one or more labels without a trailing dot, or undefined where it is in order.
 * Upper case is in order: DNS does not tell it from lower case. A token is in order: CloudFormation will check it.
 */
export function problemOfName(name: string): string | undefined {
  if (Token.isUnresolved(name)) {
    return undefined;
  }
  if (typeof name !== 'string') {
    return 'must be a string';
  }
  if (name.endsWith('.')) {
    return 'must not end with a dot';
  }
  if (name.length > 253) {
    return 'must not be longer than 253 characters';
  }
  const wrong = name.toLowerCase().split('.').find((label) => !LABEL.test(label));
  return wrong === undefined
    ? undefined
    : `must be labels of 1 to 63 letters, digits, "-" and "_" (no "-" at either end), joined by dots; ${JSON.stringify(wrong)} is none`;
}

/**
 * What is wrong with a certificate's name, which may start with `*.` and has no underscore:
 * https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
 */
export function problemOfCertificateName(name: string): string | undefined {
  const bare = typeof name === 'string' ? name.replace(/^\*\./, '') : name;
  return problemOfName(bare) ?? (!Token.isUnresolved(bare) && bare.includes('_') ? 'must not have "_", which no certificate can have' : undefined);
}

/** The name as IAM's Route 53 condition keys and this project's functions write it: lower case, without a dot at the end. */
export function normalised(name: string): string {
  return Token.isUnresolved(name) ? name : name.toLowerCase().replace(/\.$/, '');
}

/**
 * How the first of two normalised names of one zone lies to the second, or undefined where neither can hide the other.
 * Names with tokens lie nowhere.
 */
export function relation(first: string, second: string): 'equal to' | 'above' | 'below' | undefined {
  if (Token.isUnresolved(first) || Token.isUnresolved(second)) {
    return undefined;
  }
  if (first === second) {
    return 'equal to';
  }
  if (second.endsWith(`.${first}`)) {
    return 'above';
  }
  return first.endsWith(`.${second}`) ? 'below' : undefined;
}
