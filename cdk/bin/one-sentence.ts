import { ConfigurationError } from '../lib/configuration-section';
import { PropError } from '../lib/prop-checks';

/** Ends the process with one sentence if the user made a mistake. A bug of the app keeps its stack trace. */
export function orOneSentence<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ConfigurationError || error instanceof PropError)) {
      throw error;
    }
    console.error(error.message);
    process.exit(1);
  }
}
