/**
 * What IAM accepts for a role, in characters without white space, and how many managed policies, unless the account's quota was raised.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
export const LIMITS = { inline: 10_240, managed: 6_144, managedPolicies: 10 };

// How long what is known at deployment only can be. An ARN of a stack ends in a UUID after a name of 128 characters.
const LONGEST: { readonly [reference: string]: number } = {
  'AWS::AccountId': 12, 'AWS::Partition': 10, 'AWS::Region': 14, 'AWS::StackId': 220, 'AWS::StackName': 128, 'AWS::URLSuffix': 16,
};
const OTHER = 64;

/** Returns how many characters a resolved part of a policy has at most, as IAM counts them. */
export function sizeOf(resolved: unknown): number {
  if (Array.isArray(resolved)) {
    return 1 + resolved.reduce((sum: number, item) => sum + sizeOf(item) + 1, 0);
  }
  if (typeof resolved !== 'object' || resolved === null) {
    return JSON.stringify(resolved ?? '').length;
  }
  const { Ref: reference, 'Fn::Join': join } = resolved as { Ref?: string; 'Fn::Join'?: [string, unknown[]] };
  if (reference !== undefined) {
    return (LONGEST[reference] ?? OTHER) + 2;
  }
  if (join !== undefined) {
    return join[1].reduce((sum: number, item) => sum + sizeOf(item) - 2 + join[0].length, 2);
  }
  if ('Fn::GetAtt' in resolved) {
    // The longest attribute that a policy names is the ARN of a log group or of a function.
    return 200;
  }
  return 1 + Object.entries(resolved).reduce((sum, [key, value]) => sum + key.length + 4 + sizeOf(value), 0);
}
