import { domainToASCII } from 'node:url';
import { isUnknown } from './unknown';

// RFC 1035 section 2.3.4: a label is 1 to 63 octets. The underscore is for names such as `_tenants`, which DNS and Route 53 allow.
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Returns what is wrong with a name of one or more labels without a trailing dot, or undefined.
 * Upper case is allowed, because DNS does not distinguish it from lower case. A token is allowed: the function checks the value.
 */
export function problemOfName(name: string): string | undefined {
  if (isUnknown(name)) {
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
  if (wrong === undefined) {
    return undefined;
  }
  const ascii = /[^\x00-\x7f]/.test(wrong) ? domainToASCII(wrong) : '';
  return `must be labels of 1 to 63 letters, digits, "-" and "_" (no "-" at either end), joined by dots; ${JSON.stringify(wrong)} is none${
    ascii === '' ? '' : `: write it as ${JSON.stringify(ascii)}`}`;
}

// Names by which certificates are validated. ACM and ACME clients expect them in the parent zone.
const VALIDATION_LABEL = /^(_acme-challenge|_[0-9a-f]{32})$/;

/** Returns what is wrong with a name that is relative to a zone, whose own name may be unknown, or undefined. */
export function problemOfRelativeName(name: string, zoneName?: string): string | undefined {
  const problem = problemOfName(name);
  if (problem !== undefined || isUnknown(name)) {
    return problem;
  }
  const validation = normalized(name).split('.').find((label) => VALIDATION_LABEL.test(label));
  if (validation !== undefined) {
    return `must have no label such as ${JSON.stringify(validation)}, by which certificates are validated`;
  }
  const relative = zoneName === undefined ? undefined : normalized(name).slice(0, -zoneName.length - 1);
  return zoneName !== undefined && ['equal to', 'below'].includes(relation(normalized(name), zoneName) ?? '')
    ? `must be relative to "${zoneName}", and so not end in it${relative ? ` (write "${relative}")` : ''}` : undefined;
}

/**
 * Returns what is wrong with a certificate's name, which may start with `*.` and has no underscore:
 * https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
 */
export function problemOfCertificateName(name: string): string | undefined {
  const bare = typeof name === 'string' ? name.replace(/^\*\./, '') : name;
  return problemOfName(bare) ?? (!isUnknown(bare) && bare.includes('_') ? 'must not have "_", which no certificate can have' : undefined);
}

/** Returns a name as IAM's condition keys of Route 53 and the functions have it: in lower case, without a dot at the end. */
export function normalized(name: string): string {
  return isUnknown(name) ? name : name.toLowerCase().replace(/\.$/, '');
}

/**
 * Returns how the first of two normalized names of one zone relates to the second, or undefined if neither can occlude the other, or if one
 * has tokens.
 */
export function relation(first: string, second: string): 'equal to' | 'above' | 'below' | undefined {
  if (isUnknown(first) || isUnknown(second)) {
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
