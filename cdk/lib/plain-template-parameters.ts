import { Aws, type CfnParameterProps } from 'aws-cdk-lib';

// One label or more, lower case, as IAM's condition keys have them.
export const LABELS = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*';

// The constructs need a zone's id only; a name that is not known is a token.
export const UNUSED_NAME = Aws.NO_VALUE;
export const PREFIX: CfnParameterProps = {
  description: 'Where the zone is published in Parameter Store',
  default: '/zone-delegation/dev',
  allowedPattern: '^(/[\\w.-]+){1,14}$',
};
export const OPTIONAL_ID: CfnParameterProps = { default: '', allowedPattern: '^([\\w+=,.@:/-]{2,1224})?$' };
