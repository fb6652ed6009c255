import { App } from 'aws-cdk-lib';
import { readConfiguration } from '../lib/configuration';
import type { Context } from '../lib/configuration-section';
import { readPipelineConfiguration } from '../lib/pipeline-configuration';
import { PipelineStack } from '../lib/pipeline-stack';
import { orOneSentence } from './one-sentence';

const app = new App();
orOneSentence(() => {
  const context = app.node.getAllContext() as Context;
  const configuration = readConfiguration(context);
  const pipeline = readPipelineConfiguration(context);
  const stackName = `zone-delegation-pipeline-${configuration.instance}`;
  new PipelineStack(app, stackName, {
    stackName,
    description: `Tests and deploys ${configuration.zoneName} and its consumers`,
    env: { account: pipeline.account, region: pipeline.region },
    terminationProtection: configuration.terminationProtection,
    configuration,
    pipeline,
  });
});
