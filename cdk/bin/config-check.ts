import { readConfiguration } from '../lib/configuration';
import { ConfigurationError } from '../lib/configuration-section';
import type { Consumer } from '../lib/consumer';
import { readPipelineConfiguration } from '../lib/pipeline-configuration';
import { commandLineContext, contextArguments } from './command-line-context';
import { orOneSentence } from './one-sentence';

// `npm run` starts this in cdk/, like `npx cdk`.
const context = orOneSentence(() => commandLineContext(process.cwd(), contextArguments('config:check')));

// The pipeline is checked if there is one. It shares keys with the app, so each message is shown once.
const readers = [readConfiguration, ...context['pipeline'] === undefined ? [] : [readPipelineConfiguration]];
const messages = new Set<string>();
for (const reader of readers) {
  try {
    reader(context);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) {
      throw error;
    }
    error.problems.forEach(({ message }) => messages.add(message));
  }
}
for (const message of messages) {
  console.error(message);
}
if (messages.size > 0) {
  process.exit(1);
}
const { zoneName, networkingStackName, networkingAccount, consumers } = readConfiguration(context);
console.log(`The configuration is in order: ${zoneName} by ${networkingStackName} in ${networkingAccount}, ${
  consumers.map(said).join(', ')}.`);

function said({ account, names, createdNames, stackName }: Consumer): string {
  const retired = names.filter((name) => !createdNames.includes(name));
  return `${createdNames.join(', ') || 'no name'} by ${stackName} in ${account}${retired.length > 0 ? ` (retired: ${retired.join(', ')})` : ''}`;
}
