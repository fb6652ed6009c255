import { Stack } from 'aws-cdk-lib';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import { Construct, type IDependable } from 'constructs';
import { CustomResourceFunction, functionOfStack, OWN } from './custom-resource-function';
import type { FunctionSettings } from './function-settings';
import { isUnknown } from './unknown';
import { knownNameOf } from './zone-checks';

/** The names of a published zone's parameters below its prefix. */
export const PARAMETER_NAMES = ['hosted-zone-id', 'hosted-zone-name', 'name-servers'] as const;

const CHANGES = ['ssm:AddTagsToResource', 'ssm:PutParameter', 'ssm:RemoveTagsFromResource'];
const READS = ['ssm:GetParameters', 'ssm:ListTagsForResource'];

/** The stack's function `publish-zone`. */
export class PublishZoneFunction extends Construct {
  /** Returns the stack's one function, which the first call creates. */
  public static of(scope: Construct, settings?: FunctionSettings): PublishZoneFunction {
    return functionOfStack(scope, 'PublishZoneFunction', settings,
      (stack, id, merged) => new PublishZoneFunction(stack, id, merged));
  }

  /** What answers the custom resources. */
  public readonly handler: CustomResourceFunction;

  private constructor(stack: Stack, id: string, public readonly settings: FunctionSettings) {
    super(stack, id);
    this.handler = new CustomResourceFunction(this, 'PublishZone', 'publish-zone', settings);
  }

  /** Lets the function publish one zone under one prefix. */
  public grantPublish(zone: route53.IHostedZone, parameterPrefix: string): IDependable {
    const parameters = parameterArns(this, parameterPrefix);
    // If the prefix is a parameter of the template, an update changes the prefix in the policy, too, and the function must still read and delete
    // the parameters under the earlier prefix. A read cannot have a condition on tags, because parameters that do not exist have none.
    const anyPrefix = isUnknown(parameterPrefix);
    const deletable = anyPrefix ? parameterArns(this, '/*') : parameters;
    return this.handler.grant({ purpose: 'Publish', of: knownNameOf(zone), isOneOfMany: true },
      { actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], resources: [zone.hostedZoneArn] },
      ...anyPrefix
        ? [
          { actions: CHANGES, resources: parameters },
          { actions: READS, resources: deletable, reason: 'The parameters of a published zone are public' },
        ]
        : [{ actions: [...CHANGES, ...READS], resources: parameters }],
      {
        actions: ['ssm:DeleteParameters'],
        resources: deletable,
        reason: anyPrefix ? 'Only parameters that this stack made carry its id' : undefined,
        conditions: OWN,
      });
  }
}

/** The ARNs of a published zone's parameters in the stack's account and Region. */
export function parameterArns(scope: Construct, parameterPrefix: string): string[] {
  // The ARN of the parameter `/a/b` ends in `parameter/a/b`.
  return PARAMETER_NAMES.map((name) => Stack.of(scope).formatArn({
    service: 'ssm',
    resource: `parameter${parameterPrefix}/${name}`,
  }));
}
