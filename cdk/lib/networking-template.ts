import { type App, Aws, CfnCondition, Fn } from 'aws-cdk-lib';
import * as route53 from 'aws-cdk-lib/aws-route53';
import { functionRolePath } from './custom-resource-function';
import { PlainTemplate } from './plain-template';
import { LABELS, OPTIONAL_ID, PREFIX, UNUSED_NAME } from './plain-template-parameters';
import { PublishedZone } from './published-zone';

// How many consumers the networking template has parameters for. CloudFormation has no loops over roles.
const CONSUMERS = 5;

/** What a consumer of the networking template has. */
interface TemplateConsumer {
  readonly isThere: CfnCondition;
  readonly domainNames: string[];
}

/** The template of the networking account. */
export class NetworkingTemplate extends PlainTemplate {
  private readonly consumerRolePath: string;

  public constructor(scope: App, id: string) {
    super(scope, id, 'zone-delegation: a delegated Route 53 zone, published for consumer accounts');
    const zoneName = this.parameter('The zone', 'ZoneName', {
      description: 'Name of the delegated zone, e.g. build.example.com', allowedPattern: `^${LABELS}$`,
    });
    const baseZoneId = this.parameter('The zone', 'BaseHostedZoneId', {
      description: 'Id of the hosted zone of its parent domain, in this account', type: 'AWS::Route53::HostedZone::Id',
    });
    const organizationId = this.parameter('The zone', 'OrganizationId', {
      description: 'The organization that all consumers must belong to; empty for none', default: '', allowedPattern: '^(o-[a-z0-9]{10,32})?$',
    });
    const parameterPrefix = this.parameter('The zone', 'ParameterPrefix', PREFIX);
    this.consumerRolePath = this.parameter('The zone', 'ConsumerRolePath', {
      description: 'The IAM path of the roles of the consumers\' functions: RolePath of their stacks, if it is given there', default: functionRolePath('delegate-subdomain'), allowedPattern: '^/([\\x21-\\x7e]+/)?$',
    });

    const published = new PublishedZone(this, 'PublishedZone', {
      zoneName,
      parentZone: route53.HostedZone.fromHostedZoneAttributes(this, 'BaseZone', { hostedZoneId: baseZoneId, zoneName: UNUSED_NAME }),
      parameterPrefix,
      functionSettings: this.functionSettings,
    });
    const inOrganization = new CfnCondition(this, 'InOrganization', { expression: Fn.conditionNot(Fn.conditionEquals(organizationId, '')) });
    const consumers = Array.from({ length: CONSUMERS }, (_, index) => this.addConsumer(published, index + 1, inOrganization, organizationId));
    published._setDelegatedNames(this.namesOf(consumers));
    this.output('HostedZoneId', published.zone.hostedZoneId, 'Id of the delegated zone');
    this.output('NameServers', Fn.join(',', published.zone.hostedZoneNameServers ?? []), 'Its name servers');
    this.output('PublishedUnder', published.parameterPrefix, 'ParameterPrefix of the consumers\' stacks');
  }

  private addConsumer(published: PublishedZone, number: number, inOrganization: CfnCondition, organizationId: string): TemplateConsumer {
    const name = `Consumer${number}`;
    const group = `Consumer ${number}`;
    const account = this.parameter(group, `${name}Account`, {
      description: 'Its account; empty for none, and only after its stacks are deleted', default: '', allowedPattern: '^(\\d{12})?$',
    });
    const domainNames = this.listParameter(group, `${name}DomainNames`, {
      description: 'The complete names that it may delegate to itself, lower case, e.g. dev.build.example.com. A name must not be equal to, above or below a name of another consumer, who could capture it. Remove a name only after the stack of its subdomain is deleted, which needs the permission',
      default: '',
      allowedPattern: `^(${LABELS})?$`,
    });
    const externalId = this.parameter(group, `${name}ExternalId`, { ...OPTIONAL_ID, description: 'External id that its function must give; empty for none' });

    const isThere = new CfnCondition(this, `Has${name}`, { expression: Fn.conditionNot(Fn.conditionEquals(account, '')) });
    const hasExternalId = new CfnCondition(this, `Has${name}ExternalId`, { expression: Fn.conditionNot(Fn.conditionEquals(externalId, '')) });
    const isNarrowed = new CfnCondition(this, `Narrows${name}`, { expression: Fn.conditionOr(hasExternalId, inOrganization) });
    const role = published._addDelegationRole({
      account,
      recordNames: domainNames,
      principalArns: [`arn:${Aws.PARTITION}:iam::${account}:role${this.consumerRolePath}*`],
      narrowing: Fn.conditionIf(isNarrowed.logicalId, {
        'sts:ExternalId': Fn.conditionIf(hasExternalId.logicalId, externalId, Aws.NO_VALUE),
        'aws:PrincipalOrgID': Fn.conditionIf(inOrganization.logicalId, organizationId, Aws.NO_VALUE),
      }, Aws.NO_VALUE),
    // Release 0.1.0 called the roles so, and another logical id would be another role.
    }, `${number + 2}`, isThere);
    this.output(`${name}RoleArn`, role.roleArn, `NetworkRoleArn of the stacks of consumer ${number}`, isThere);
    return { isThere, domainNames };
  }

  /** The names of all consumers that are given, as one list: their texts joined, each after the first with a comma before it. */
  private namesOf(consumers: TemplateConsumer[]): string[] {
    const texts = consumers.map(({ isThere, domainNames }, index) => {
      const earlier = consumers.slice(0, index).map((consumer) => consumer.isThere);
      const hasEarlier = earlier.length > 1 ? new CfnCondition(this, `HasConsumerUpTo${index}`, { expression: Fn.conditionOr(...earlier) }) : earlier[0];
      const comma = hasEarlier ? [Fn.conditionIf(hasEarlier.logicalId, ',', '').toString()] : [];
      return Fn.conditionIf(isThere.logicalId, Fn.join('', [...comma, Fn.join(',', domainNames)]), '').toString();
    });
    return Fn.split(',', Fn.join('', texts));
  }
}
