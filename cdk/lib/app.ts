import type { App } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type Configuration, readConfiguration } from './configuration';
import type { Context } from './configuration-section';
import { ConsumerStack } from './consumer-stack';
import type { FunctionSettings } from './function-settings';
import { NetworkingStack } from './networking-stack';

// CloudFormation accepts 1,024 bytes, the CDK no more than this.
const LONGEST_DESCRIPTION = 512;

/**
 * Adds the app's stacks, as its context configures them. No stack refers to another, so that each account can deploy its own. If all are
 * deployed at once, networking is deployed first and deleted last.
 */
export function addStacks(app: App): void {
  const configuration = readConfiguration(app.node.getAllContext() as Context);
  const functionSettings = functionSettingsOf(configuration);
  const networking = addNetworkingStack(app, configuration, functionSettings);
  for (const consumer of configuration.consumers) {
    // The CDK has no other way to order stacks of different accounts.
    addConsumerStack(app, configuration, consumer, functionSettings).addStackDependency(networking);
  }
}

/** Returns the settings of the functions that the configuration asks for. */
export function functionSettingsOf(configuration: Configuration): FunctionSettings {
  return {
    architecture: configuration.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
    functionZips: configuration.functionZips,
    environment: configuration.functionEnvironment,
    logRetention: configuration.logRetentionDays,
  };
}

/** Adds the networking account's stack. */
export function addNetworkingStack(scope: Construct, configuration: Configuration, functionSettings: FunctionSettings): NetworkingStack {
  return new NetworkingStack(scope, configuration.networkingStackName, {
    stackName: configuration.networkingStackName,
    description: description(
      `Delegates ${configuration.zoneName} from ${configuration.baseDomain} and publishes it`, `Delegates ${configuration.zoneName} and publishes it`,
    ),
    env: { account: configuration.networkingAccount, region: configuration.networkingRegion },
    terminationProtection: configuration.terminationProtection,
    configuration,
    functionSettings,
  });
}

/** Adds a consumer account's stack. */
export function addConsumerStack(
  scope: Construct, configuration: Configuration, consumer: Configuration['consumers'][number], functionSettings: FunctionSettings,
): ConsumerStack {
  return new ConsumerStack(scope, consumer.stackName, {
    stackName: consumer.stackName,
    description: description(
      `Subdomains of ${configuration.zoneName}: ${consumer.createdNames.join(', ') || 'none'}`, `${consumer.createdNames.length} subdomains of ${configuration.zoneName}`,
    ),
    env: { account: consumer.account, region: consumer.region },
    terminationProtection: configuration.terminationProtection,
    configuration,
    consumer,
    functionSettings,
  });
}

function description(long: string, short: string): string {
  return long.length > LONGEST_DESCRIPTION ? short : long;
}
