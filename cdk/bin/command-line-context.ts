import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigurationError, type Context, isObject } from '../lib/configuration-section';

/**
 * Returns the context as the CDK's command line has it in a folder: `-c key=value` takes precedence over cdk.json, that over cdk.context.json,
 * and that over the user's own ~/.cdk.json. Objects are merged key by key.
 * https://docs.aws.amazon.com/cdk/v2/guide/context.html
 */
export function commandLineContext(folder: string, assignments: readonly string[]): Context {
  return [
    contextIn(path.join(homedir(), '.cdk.json'), '~/.cdk.json'),
    read(path.join(folder, 'cdk.context.json'), 'cdk.context.json'),
    contextIn(path.join(folder, 'cdk.json'), 'cdk.json'),
    Object.fromEntries(assignments.map(assigned)),
  ].reduce(merged);
}

/** Returns what `-c` and `--context` of an npm script set. Ends the process with one sentence if there is another argument. */
export function contextArguments(script: string): string[] {
  try {
    return parseArgs({ options: { context: { type: 'string', short: 'c', multiple: true, default: [] } } }).values.context;
  } catch (error) {
    console.error(`${(error as Error).message.split('. ')[0]}. Usage: npm run ${script} -- [-c key=value]...`);
    process.exit(2);
  }
}

function merged(under: Context, over: Context): Context {
  const entries = Object.entries(over).map(([key, value]) => {
    const below = under[key];
    return [key, isObject(below) && isObject(value) ? merged(below, value) : value] as const;
  });
  return { ...under, ...Object.fromEntries(entries) };
}

function contextIn(file: string, name: string): Context {
  const { context } = read(file, name);
  return isObject(context) ? context : {};
}

function read(file: string, name: string): Context {
  if (!existsSync(file)) {
    return {};
  }
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Context;
  } catch (error) {
    throw wrong(name, `is not JSON: ${(error as Error).message}`);
  }
}

function assigned(word: string): [key: string, value: string] {
  const at = word.indexOf('=');
  if (at < 0) {
    throw wrong('-c', `must be key=value, but it is ${JSON.stringify(word)}`);
  }
  return [word.slice(0, at), word.slice(at + 1)];
}

function wrong(key: string, what: string): ConfigurationError {
  return new ConfigurationError([{ key, message: `${key} ${what}.` }]);
}
