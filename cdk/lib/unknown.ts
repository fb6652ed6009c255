import { Token } from 'aws-cdk-lib';

// What `StringParameter.valueFromLookup` gives at the first synthesis, after which the CDK looks the parameter up and starts again.
const NOT_LOOKED_UP = 'dummy-value-for-';

/** Whether a value is known at deployment or at a later synthesis only, so that nothing can be said of it here. */
export function isUnknown(value: unknown): boolean {
  return Token.isUnresolved(value) || (typeof value === 'string' && value.includes(NOT_LOOKED_UP));
}
