import type { App } from 'aws-cdk-lib';
import { readConfiguration } from '../lib/configuration';
import { PipelineStack } from '../lib/pipeline-stack';
import { configuration } from './template';

const env = { account: '444444444444', region: 'us-east-1' };

/** The pipeline, in an account of its own. */
export function pipelineIn(app: App): PipelineStack {
  return new PipelineStack(app, 'zone-delegation-pipeline-dev', {
    env,
    configuration: readConfiguration(configuration),
    pipeline: { ...env, repository: 'zone-delegation', branch: 'main', notify: [] },
  });
}
