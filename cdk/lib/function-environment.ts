import { isUnknown } from './unknown';

// Lambda sets these itself: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
const OF_LAMBDA = new Set([
  '_HANDLER', '_X_AMZN_TRACE_ID', 'AWS_ACCESS_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_DEFAULT_REGION', 'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_FUNCTION_VERSION', 'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME', 'AWS_LAMBDA_LOG_STREAM_NAME', 'AWS_LAMBDA_RUNTIME_API', 'AWS_REGION', 'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN', 'LAMBDA_RUNTIME_DIR', 'LAMBDA_TASK_ROOT',
]);
/** The constructs set these. */
const OF_STACK = new Set(['MAX_INVOCATION_AGE_SECONDS', 'STACK_ID', 'STATE_MACHINE_ARN']);

/** Returns what is wrong with a variable of a function's environment, or undefined. Values may be tokens. */
export function problemOfVariable(name: string, value: unknown): string | undefined {
  if (OF_LAMBDA.has(name)) {
    return 'must be left out, because Lambda sets it';
  }
  if (OF_STACK.has(name)) {
    return 'must be left out, because the constructs set it';
  }
  if (!/^[A-Za-z]\w+$/.test(name)) {
    return 'must have a name that is a letter and then letters, digits and "_"';
  }
  return typeof value === 'string' || isUnknown(value) ? undefined : 'must be a string';
}
