import { App } from 'aws-cdk-lib';
import { addStacks } from '../lib/app';
import { ConfigurationError } from '../lib/configuration';
import { PropError } from '../lib/prop-checks';

const app = new App();
try {
  addStacks(app);
} catch (error) {
  // What a person got wrong is one sentence; anything else is a fault of the app and keeps its stack trace.
  if (!(error instanceof ConfigurationError || error instanceof PropError)) {
    throw error;
  }
  console.error(error.message);
  process.exit(1);
}
