import { Token } from 'aws-cdk-lib';

// `StringParameter.valueFromLookup` returns it at the first synthesis. Then the CDK looks the parameter up and synthesizes again.
const NOT_LOOKED_UP = 'dummy-value-for-';

/** Whether a value is known only at deployment or at a later synthesis, so that it cannot be checked here. */
export function isUnknown(value: unknown): boolean {
  return Token.isUnresolved(value) || (typeof value === 'string' && value.includes(NOT_LOOKED_UP));
}

/** Returns a text, or undefined while it is still to be looked up, for parts of aws-cdk-lib that refuse the dummy value. */
export function unlessToBeLookedUp(text: string | undefined): string | undefined {
  return isUnknown(text) && !Token.isUnresolved(text) ? undefined : text;
}
