import { RemovalPolicy } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type * as sns from 'aws-cdk-lib/aws-sns';
import { problemOfVariable } from './function-environment';
import type { FunctionSettings } from './function-settings';
import { checkFormat, checkIs, FORMATS, PropError } from './prop-checks';

/** Checks the settings of a stack's function. */
export function checkFunctionSettings(settings: FunctionSettings): void {
  const prop = (name: keyof FunctionSettings) => `functionSettings.${name}`;
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const isText = (value: unknown) => typeof value === 'string';
  checkIs('functionSettings', settings, isObject, 'must be an object');
  const sources = (['functionBucket', 'functionZips', 'manifestPath'] as const).filter((name) => settings[name] !== undefined);
  if (sources.length > 1) {
    throw new PropError(sources.map(prop).join(' and '), undefined, 'are ways to give the functions: give one of them');
  }
  checkIs(prop('functionZips'), settings.functionZips, isText, 'must be the path of a folder');
  checkIs(prop('manifestPath'), settings.manifestPath, isText, 'must be the path of a file');
  checkIs(prop('functionBucket'), settings.functionBucket, (value) => typeof (value as s3.IBucket | null)?.bucketName === 'string', 'must be a bucket of aws-s3');
  checkIs(prop('functionPrefix'), settings.functionPrefix, isText, 'must be a string');
  if (settings.functionPrefix !== undefined && settings.functionBucket === undefined) {
    throw new PropError(prop('functionPrefix'), settings.functionPrefix, 'must be left out without functionBucket, whose keys start with it');
  }
  checkIs(prop('architecture'), settings.architecture, (value) => typeof (value as lambda.Architecture | null)?.name === 'string', 'must be an Architecture of aws-lambda, such as Architecture.X86_64');
  checkIs(prop('logRetention'), settings.logRetention, (value) => typeof value === 'number' && value in logs.RetentionDays, 'must be one of RetentionDays of aws-logs');
  checkIs(prop('alarmTopic'), settings.alarmTopic, (value) => typeof (value as sns.ITopic | null)?.topicArn === 'string', 'must be a topic of aws-sns');
  checkIs(prop('logRemovalPolicy'), settings.logRemovalPolicy, (value) => Object.values(RemovalPolicy).includes(value as RemovalPolicy), 'must be a RemovalPolicy');
  for (const name of ['vpcSubnets', 'securityGroups'] as const) {
    if (settings[name] !== undefined && settings.vpc === undefined) {
      throw new PropError(prop(name), undefined, 'must be left out without vpc');
    }
  }
  if (settings.deadLetterQueue !== undefined && settings.onFailure !== undefined) {
    throw new PropError(prop('onFailure'), undefined, 'and functionSettings.deadLetterQueue are two ways to keep requests that Lambda drops: give one of them');
  }
  checkIs(prop('reservedConcurrentExecutions'), settings.reservedConcurrentExecutions, (value) => Number.isInteger(value) && (value as number) >= 1, 'must be a whole number from 1 on');
  checkFormat(prop('rolePath'), settings.rolePath, FORMATS.rolePath);
  checkIs(prop('environment'), settings.environment, isObject, 'must be an object of strings');
  for (const [name, value] of Object.entries(settings.environment ?? {})) {
    const problem = problemOfVariable(name, value);
    if (problem !== undefined) {
      throw new PropError(`${prop('environment')}.${name}`, value, problem);
    }
  }
}
