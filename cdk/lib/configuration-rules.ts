import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { problemOfName } from './domain-name';
import { type Format, FORMATS } from './prop-checks';

/** Returns what is wrong with a value, in words that follow the key, or undefined. */
export type Rule = (value: string) => string | undefined;

function matching({ pattern, rule }: Format): Rule {
  return (value) => (pattern.test(value) ? undefined : rule);
}

// The instance is part of the names of stacks, which have no "_", and of delegation roles, `zone-delegation-INSTANCE-ACCOUNT`, which have 64
// characters at most.
export const INSTANCE: Rule = (value) => {
  if (/[._]/.test(value)) {
    return 'must be one label without "_"';
  }
  return value.length > 35 ? 'must not be longer than 35 characters' : problemOfName(value);
};
export const NAME: Rule = problemOfName;
export const ACCOUNT = matching(FORMATS.account);
export const REGION = matching(FORMATS.region);
export const HOSTED_ZONE_ID = matching(FORMATS.hostedZoneId);
export const ORGANIZATION_ID = matching(FORMATS.organizationId);
export const EXTERNAL_ID = matching(FORMATS.externalId);
export const ARCHITECTURE = matching({ pattern: /^(arm64|x86_64)$/, rule: 'must be "arm64" or "x86_64"' });
export const BRANCH = matching({ pattern: /^[\w./-]+$/, rule: 'must be the name of a branch' });
export const REPOSITORY = matching({ pattern: /^[\w.-]+(\/[\w.-]+)*$/, rule: 'must be the name of a repository, such as "owner/name"' });
export const CONNECTION_ARN = matching({
  pattern: /^arn:[\w-]+:(codeconnections|codestar-connections):[\w-]+:\d{12}:connection\/.+$/, rule: 'must be the ARN of a connection of CodeConnections',
});
export const EMAIL = matching({ pattern: /^[^@\s]+@[^@\s]+$/, rule: 'must be an e-mail address' });
export const TOPIC_ARN = matching({
  pattern: /^arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]+(\.fifo)?$/, rule: 'must be the ARN of an SNS topic, such as "arn:aws:sns:us-east-1:111111111111:alarms"',
});
export const FUNCTION_ZIPS: Rule = (value) => {
  const missing = ['publish-zone.zip', 'delegate-subdomain.zip'].find((zip) => !existsSync(path.resolve(value, zip)));
  return missing === undefined ? undefined : `must be a folder that contains ${missing}`;
};

/** Rules of values that are not names, and so keep their case. */
export const AS_WRITTEN = new Set([FUNCTION_ZIPS, HOSTED_ZONE_ID, EXTERNAL_ID, BRANCH, REPOSITORY, CONNECTION_ARN, TOPIC_ARN, EMAIL]);

/** Returns what is wrong with a number, in words that follow the key, or undefined. */
export type NumberRule = (value: number) => string | undefined;

function secondsUpTo(most: number): NumberRule {
  return (value) => (value >= 0 && value <= most ? undefined : `must be 0 to ${most.toLocaleString('en')} seconds`);
}

// The limits of delegated-subdomain.ts, with the longest `serviceTimeout`.
export const LONGEST_TTL = 2_147_483_647;
export const LONGEST_DRAIN = 3_480;
export const TTL_SECONDS = secondsUpTo(LONGEST_TTL);
export const DRAIN_SECONDS = secondsUpTo(LONGEST_DRAIN);
/** The retention times that CloudWatch Logs accepts. */
export const LOG_RETENTIONS = Object.values(RetentionDays).filter((days) => typeof days === 'number' && days !== RetentionDays.INFINITE);
export const LOG_RETENTION_DAYS: NumberRule = (value) => (LOG_RETENTIONS.includes(value) ? undefined : `must be one of ${LOG_RETENTIONS.join(', ')}`);
