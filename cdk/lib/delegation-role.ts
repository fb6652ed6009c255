import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { acknowledgeInlinePolicies, acknowledgeWildcard } from './acknowledge';
import { functionRolePath } from './custom-resource-function';
import { LIMITS, sizeOf } from './policy-size';
import { PropError } from './prop-checks';
import { parameterArns } from './publish-zone-function';
import { onlyChanges } from './record-set-conditions';
import { isUnknown } from './unknown';

// Characters of names, beside what else is in the inline policy, or in a managed one.
const INLINE = LIMITS.inline - 2_500;
const MANAGED = LIMITS.managed - 700;

/** Properties of a `DelegationRole`. */
export interface DelegationRoleProps {
  /** The consumer's account. */
  readonly account: string;
  /** Name of the role. CloudFormation creates one if it is not given. */
  readonly roleName?: string;
  /** The published zone. */
  readonly zone: route53.IHostedZone;
  /** The prefix of its parameters. */
  readonly parameterPrefix: string;
  /** The full names that the consumer may delegate, normalized; may be a list token. */
  readonly recordNames: unknown;
  /** Patterns of the ARNs of the consumer's roles that may assume this one: by default the roles of its functions. */
  readonly principalArns?: string[];
  /** Further conditions of the trust policy, as condition keys of `StringEquals`. */
  readonly narrowing?: unknown;
}

/**
 * The role by which one consumer account delegates its names in a published zone, and deletes the delegations. Remove a name, or the role
 * itself, only after the consumer's subdomains that need it.
 */
export class DelegationRole extends iam.Role {
  public constructor(scope: Construct, id: string, props: DelegationRoleProps) {
    const chunks = chunksOf(props);
    super(scope, id, {
      roleName: props.roleName,
      description: `Lets account ${props.account} delegate its names in ${props.zone.zoneName} to itself`,
      assumedBy: new iam.AccountPrincipal(props.account).withConditions({
        ArnLike: {
          'aws:PrincipalArn': props.principalArns ?? [`arn:${Aws.PARTITION}:iam::${props.account}:role${functionRolePath('delegate-subdomain')}*`],
        },
        ...(props.narrowing !== undefined && { StringEquals: props.narrowing }),
      }),
      inlinePolicies: { Delegation: policy(scope, props, chunks[0]) },
    });
    acknowledgeInlinePolicies(this);
    acknowledgeWildcard(this, changes(scope), 'The ids of changes are not known before');
    chunks.slice(1).forEach((names, index) => {
      const more = new iam.ManagedPolicy(this, `Names${index + 2}`, { statements: [ownNames(props.zone, names)] });
      more.attachToRole(this);
    });
  }
}

/** Returns the names in chunks that fit into one policy each. */
function chunksOf({ recordNames, zone, account }: DelegationRoleProps): unknown[] {
  if (!Array.isArray(recordNames) || isUnknown(recordNames)) {
    return [recordNames];
  }
  const chunks: string[][] = [[]];
  for (const name of recordNames as string[]) {
    if ([...chunks.at(-1)!, name].reduce((sum, one) => sum + sizeOf(Stack.of(zone).resolve(one)) + 1, 0) > (chunks.length === 1 ? INLINE : MANAGED)) {
      chunks.push([]);
    }
    chunks.at(-1)!.push(name);
  }
  if (chunks.length - 1 > LIMITS.managedPolicies) {
    throw new PropError('names', undefined, `of account ${account} are ${recordNames.length}, which need ${chunks.length - 1} managed policies beside the inline policy of its role, and IAM takes ${
      LIMITS.managedPolicies}: publish the zone under another prefix as well, with the further names`);
  }
  return chunks;
}

function ownNames(zone: route53.IHostedZone, names: unknown): iam.PolicyStatement {
  return new iam.PolicyStatement({
    sid: 'DelegateOwnNames',
    actions: ['route53:ChangeResourceRecordSets'],
    resources: [zone.hostedZoneArn],
    conditions: onlyChanges({ actions: ['CREATE', 'DELETE'], types: ['NS'], names }),
  });
}

function policy(scope: Construct, { zone, parameterPrefix }: DelegationRoleProps, names: unknown): iam.PolicyDocument {
  return new iam.PolicyDocument({
    statements: [
      new iam.PolicyStatement({
        sid: 'ReadWhatIsPublished',
        actions: ['ssm:GetParameters'],
        resources: parameterArns(scope, parameterPrefix),
      }),
      new iam.PolicyStatement({
        sid: 'ReadTheZone',
        actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'],
        resources: [zone.hostedZoneArn],
      }),
      ownNames(zone, names),
      new iam.PolicyStatement({
        sid: 'FollowChanges',
        actions: ['route53:GetChange'],
        resources: [changes(scope)],
      }),
    ],
  });
}

function changes(scope: Construct): string {
  return Stack.of(scope).formatArn({ service: 'route53', region: '', account: '', resource: 'change', resourceName: '*' });
}
