import type { App } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type Configuration, readConfiguration } from './configuration';
import { ConsumerStack } from './consumer-stack';
import type { FunctionSettings } from './function-settings';
import { NetworkingStack } from './networking-stack';

/**
 * Adds the app's stacks, as its context configures them. No stack depends on another, so that each account can deploy its
 * own; networking is deployed first and destroyed last, by name.
 */
export function addStacks(app: App): void {
  const configuration = readConfiguration((key) => app.node.tryGetContext(key) as unknown);
  const functionSettings = functionSettingsOf(configuration);
  addNetworkingStack(app, configuration, functionSettings);
  for (const consumer of configuration.consumers) {
    addConsumerStack(app, configuration, consumer, functionSettings);
  }
}

/** The functions, as the configuration wants them. */
export function functionSettingsOf(configuration: Configuration): FunctionSettings {
  return {
    architecture: configuration.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    environment: configuration.functionEnvironment,
  };
}

/** The networking account's stack. */
export function addNetworkingStack(scope: Construct, configuration: Configuration, functionSettings: FunctionSettings): NetworkingStack {
  return new NetworkingStack(scope, configuration.networkingStackName, {
    stackName: configuration.networkingStackName,
    description: `Delegates ${configuration.zoneName} from ${configuration.baseDomain} and publishes it`,
    env: { account: configuration.networkingAccount, region: configuration.networkingRegion },
    configuration,
    functionSettings,
  });
}

/** A consumer account's stack. */
export function addConsumerStack(
  scope: Construct, configuration: Configuration, consumer: Configuration['consumers'][number], functionSettings: FunctionSettings,
): ConsumerStack {
  return new ConsumerStack(scope, consumer.stackName, {
    stackName: consumer.stackName,
    description: `Subdomains of ${configuration.zoneName}: ${consumer.names.join(', ')}`,
    env: { account: consumer.account, region: consumer.region },
    configuration,
    consumer,
    functionSettings,
  });
}
