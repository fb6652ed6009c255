import * as cdk from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Explains to cdk-nag's AwsSolutions pack why a finding is intended. */
export function acknowledge(construct: IConstruct, rule: string, reason: string): void {
  note(construct, 'AwsSolutions', rule, undefined, reason);
}

/** Explains to cdk-nag's NIST 800-53 pack why the roles of a construct have inline policies. */
export function acknowledgeInlinePolicies(construct: IConstruct): void {
  note(construct, 'NIST.800.53.R5', 'IAMNoInlinePolicy', undefined, 'Each policy is for one role alone, and is deleted with what the role needs it for');
}

/** Explains to cdk-nag's AwsSolutions pack why a role has a resource with a wildcard. */
export function acknowledgeWildcard(construct: IConstruct, resource: string, reason: string): void {
  note(construct, 'AwsSolutions', 'IAM5', `Resource::${asText(cdk.Stack.of(construct).resolve(resource))}`, reason);
}

function note(construct: IConstruct, pack: string, rule: string, finding: string | undefined, reason: string): void {
  const id = `${pack}-${rule}`;
  // cdk-nag 3. Releases of aws-cdk-lib before 2.275 have no acknowledgements.
  (cdk as { Validations?: typeof cdk.Validations }).Validations?.of(construct).acknowledge({ id: `${pack}::${id}${finding === undefined ? '' : `[${finding}]`}`, reason });
  // cdk-nag 2 is an aspect, and reads metadata of the resources. They are added before it, and only for it: other templates have no need of them.
  cdk.Aspects.of(construct).add({
    visit: (node) => {
      if (cdk.CfnResource.isCfnResource(node) && isCheckedByNag2(node)) {
        const { rules_to_suppress: earlier = [] } = (node.getMetadata('cdk_nag') ?? {}) as { rules_to_suppress?: object[] };
        node.addMetadata('cdk_nag', { rules_to_suppress: [...earlier, { id, reason, ...finding !== undefined && { applies_to: [finding] } }] });
      }
    },
  }, { priority: cdk.AspectPriority.MUTATING });
}

/** Returns whether cdk-nag 2 is among the aspects of a node or of its scopes. */
function isCheckedByNag2(node: IConstruct): boolean {
  return node.node.scopes.some((scope) => cdk.Aspects.of(scope).all.some((aspect) => 'readPackName' in aspect));
}

// As cdk-nag writes values that are not known yet: `arn:<AWS::Partition>:...`.
function asText(resolved: unknown): string {
  if (typeof resolved === 'string') {
    return resolved;
  }
  const { 'Fn::Join': join, Ref: ref, 'Fn::GetAtt': attribute } = resolved as { 'Fn::Join'?: [string, unknown[]]; Ref?: string; 'Fn::GetAtt'?: string[] };
  return join ? join[1].map(asText).join(join[0]) : `<${ref ?? attribute?.join('.') ?? JSON.stringify(resolved)}>`;
}
