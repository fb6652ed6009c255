import { Aws, Stack } from 'aws-cdk-lib';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import { Construct } from 'constructs';
import { CustomResourceFunction, functionOfStack } from './custom-resource-function';
import type { DelegatedSubdomainProps } from './delegated-subdomain';
import { normalised, relation } from './domain-name';
import type { FunctionSettings } from './function-settings';
import { PropError } from './prop-checks';
import { identityOf } from './zone-checks';
import { Waiter, waiterArn, waiterName } from './waiter';

const OWN = { StringEquals: { 'aws:ResourceTag/zone-delegation:stack-id': Aws.STACK_ID } };

const NO_RESOURCES = 'These actions have no resources';
const NEW_CERTIFICATES = 'The ids of the certificates that the function requests are not known before';

/** A name in a parent zone. */
interface HeldName {
  readonly parent: string;
  readonly name: string;
}

/** The stack's function `delegate-subdomain` and its waiter. */
export class DelegateSubdomainFunction extends Construct {
  /** The stack's one function, made at the first call. */
  public static of(scope: Construct, settings?: FunctionSettings): DelegateSubdomainFunction {
    return functionOfStack(scope, 'DelegateSubdomainFunction', settings,
      (stack, id) => new DelegateSubdomainFunction(stack, id, settings));
  }

  /** What answers the custom resources. */
  public readonly handler: CustomResourceFunction;
  private readonly subdomains = new Map<route53.IHostedZone, HeldName>();

  private constructor(stack: Stack, id: string, public readonly settings: FunctionSettings = {}) {
    super(stack, id);
    const name = waiterName(stack);
    this.handler = new CustomResourceFunction(this, 'DelegateSubdomain', 'delegate-subdomain', {
      ...settings,
      environment: { ...settings.environment, STATE_MACHINE_ARN: waiterArn(this, name) },
    });
    this.handler.grant({ actions: ['states:StartExecution'], resources: [waiterArn(this, name)] });
    this.grantCertificateDelete();

    const waiter = new Waiter(this, 'Waiter', name, this.handler.function, settings.logRetention);
    this.handler.needs(waiter.stateMachine, waiter.policy);
    for (const [alarmId, metric, meaning] of waiter.failures()) {
      this.handler.alarm(alarmId, metric, meaning);
    }
  }

  /** Lets the function take one delegation role of another account. */
  public grantDelegationRole(roleArn: string): void {
    this.handler.grant({ actions: ['sts:AssumeRole'], resources: [roleArn] });
  }

  /**
   * Notes a subdomain, and refuses one that another holds, hides or would make dead. Of two with one name the later would take
   * over the zone of the earlier, as after a change of its logical id.
   */
  public hold(zone: route53.IHostedZone, { subdomain, delegation, parentZone }: DelegatedSubdomainProps): void {
    const stack = Stack.of(this);
    const parent = JSON.stringify(stack.resolve(parentZone
      ? identityOf(parentZone) : [delegation?.roleArn, delegation?.parameterPrefix, delegation?.region ?? stack.region]));
    const name = normalised(subdomain);
    for (const [other, held] of this.subdomains) {
      const how = name === held.name ? 'equal to' : relation(name, held.name);
      if (held.parent === parent && how !== undefined) {
        throw new PropError('subdomain', subdomain, `must lie apart from that of ${other.node.path}, which has the same parent zone: it is ${how} ${
          JSON.stringify(held.name)}${how === 'equal to' ? '' : ' (make the lower one with the upper one as its parentZone)'}`);
      }
    }
    this.subdomains.set(zone, { parent, name });
  }

  /** Lets the function make and delete a subdomain's zone, delegate it within the account, and look for its own zones. */
  public grantZone(): void {
    this.handler.grant({
      actions: ['route53:CreateHostedZone', 'route53:ListHostedZones', 'route53:ListHostedZonesByName'],
      resources: ['*'],
    }, NO_RESOURCES);
    this.handler.grant({
      actions: [
        'route53:ChangeResourceRecordSets', 'route53:ChangeTagsForResource', 'route53:DeleteHostedZone', 'route53:GetDNSSEC',
        'route53:GetHostedZone', 'route53:ListResourceRecordSetProtections', 'route53:ListResourceRecordSets',
        'route53:ListTagsForResource',
        'route53:UpdateHostedZoneComment',
      ],
      resources: [this.route53Arn('hostedzone')],
    }, 'The ids of the zones that the function makes are not known before');
    this.handler.grant({ actions: ['route53:GetChange'], resources: [this.route53Arn('change')] }, 'The ids of changes are not known before');
  }

  /** Lets the function request certificates in a Region and validate them in the zones given. */
  public grantCertificates(region: string, zones: route53.IHostedZone[]): void {
    this.handler.grant({
      actions: ['acm:RequestCertificate'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:RequestedRegion': region } },
    }, NO_RESOURCES);
    this.handler.grant({ actions: ['acm:AddTagsToCertificate'], resources: [this.certificateArn(region)] }, NEW_CERTIFICATES);
    this.handler.grant({
      actions: ['acm:RemoveTagsFromCertificate'],
      resources: [this.certificateArn(region)],
      conditions: OWN,
    }, NEW_CERTIFICATES);
    // The function may change its own subdomains already; and their custom resources depend on the policy, so it cannot name them.
    for (const { hostedZoneArn } of zones.filter((zone) => !this.subdomains.has(zone))) {
      this.handler.grant({ actions: ['route53:GetHostedZone', 'route53:ListResourceRecordSets'], resources: [hostedZoneArn] });
      this.handler.grant({
        actions: ['route53:ChangeResourceRecordSets'],
        resources: [hostedZoneArn],
        conditions: {
          'ForAllValues:StringEquals': {
            'route53:ChangeResourceRecordSetsActions': ['CREATE', 'DELETE'],
            'route53:ChangeResourceRecordSetsRecordTypes': ['CNAME'],
          },
          Null: {
            'route53:ChangeResourceRecordSetsActions': 'false',
            'route53:ChangeResourceRecordSetsRecordTypes': 'false',
          },
        },
      });
    }
  }

  /**
   * Lets the function find certificates in every Region, and delete those with this stack's id. CloudFormation deletes what a
   * template no longer has after it has updated the policy, so this is granted whatever certificates, in whatever Regions, there are.
   */
  private grantCertificateDelete(): void {
    this.handler.grant({ actions: ['acm:ListCertificates'], resources: ['*'] }, NO_RESOURCES);
    this.handler.grant({
      actions: ['acm:DescribeCertificate', 'acm:ListTagsForCertificate'],
      resources: [this.certificateArn('*')],
    }, NEW_CERTIFICATES);
    this.handler.grant({ actions: ['acm:DeleteCertificate'], resources: [this.certificateArn('*')], conditions: OWN }, NEW_CERTIFICATES);
  }

  private route53Arn(resource: string): string {
    return Stack.of(this).formatArn({ service: 'route53', region: '', account: '', resource, resourceName: '*' });
  }

  private certificateArn(region: string): string {
    return Stack.of(this).formatArn({ service: 'acm', region, resource: 'certificate', resourceName: '*' });
  }
}
