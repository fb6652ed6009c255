import * as cdk from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Says why a finding of cdk-nag's AwsSolutions pack is meant as it is, for those who check their apps with it. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  note(construct, `AwsSolutions::AwsSolutions-${rule}`, reason);
}

/** Says why the roles of a construct have inline policies, for those who check their apps with cdk-nag's NIST 800-53 pack. */
export function acknowledgeInlinePolicies(construct: IConstruct): void {
  note(construct, 'NIST.800.53.R5::NIST.800.53.R5-IAMNoInlinePolicy', 'Each policy is for one role alone, and is deleted with what the role needs it for');
}

/** Says why a role has a resource with a wildcard. */
export function acknowledgeWildcard(construct: IConstruct, resource: string, reason: string): void {
  acknowledge(construct, `IAM5[Resource::${asText(cdk.Stack.of(construct).resolve(resource))}]`, reason);
}

// Releases of aws-cdk-lib before 2.275 have no acknowledgements.
function note(construct: IConstruct, id: string, reason: string): void {
  (cdk as { Validations?: typeof cdk.Validations }).Validations?.of(construct).acknowledge({ id, reason });
}

// As cdk-nag writes what is not known yet: `arn:<AWS::Partition>:...`.
function asText(resolved: unknown): string {
  if (typeof resolved === 'string') {
    return resolved;
  }
  const { 'Fn::Join': join, Ref: ref, 'Fn::GetAtt': attribute } = resolved as { 'Fn::Join'?: [string, unknown[]]; Ref?: string; 'Fn::GetAtt'?: string[] };
  return join ? join[1].map(asText).join(join[0]) : `<${ref ?? attribute?.join('.') ?? JSON.stringify(resolved)}>`;
}
