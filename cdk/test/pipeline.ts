import { App } from 'aws-cdk-lib';
import { readConfiguration } from '../lib/configuration';
import { readPipelineConfiguration } from '../lib/pipeline-configuration';
import { PipelineStack } from '../lib/pipeline-stack';
import { configuration, functionZips } from './template';

/** A connection to GitHub. */
export const connectionArn = 'arn:aws:codeconnections:us-east-1:444444444444:connection/0000';
/** The key `pipeline` of the context. */
export const pipeline = { account: '444444444444', repository: 'Owner/zone-delegation', connectionArn, notify: ['team@example.com'] };
/** Two consumers. */
export const consumers = [{ account: '222222222222', names: ['dev'], applications: ['app1'] }, { account: '333333333333', names: ['qa'] }];

/** Returns the pipeline, in an account of its own, with other keys and other consumers if they are given. */
export function pipelineIn(app: App, changes: { [key: string]: unknown } = {}, of: unknown[] = consumers): PipelineStack {
  const context: { [key: string]: unknown } = { ...configuration, consumers: of, pipeline: { ...pipeline, ...changes } };
  return new PipelineStack(app, 'zone-delegation-pipeline-dev', {
    env: { account: '444444444444', region: 'us-east-1' },
    configuration: readConfiguration(context),
    pipeline: readPipelineConfiguration(context),
  });
}

/** Returns the same stack in an app of its own. */
export function pipelineStack(changes: { [key: string]: unknown } = {}): PipelineStack {
  return pipelineIn(new App({ context: { functionZips, '@aws-cdk/aws-iam:minimizePolicies': true } }), changes);
}
