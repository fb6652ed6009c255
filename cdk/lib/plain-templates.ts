import { App, Aws, CfnCondition, CfnOutput, CfnParameter, type CfnParameterProps, CfnResource, DefaultStackSynthesizer, Duration, Fn, Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as route53 from 'aws-cdk-lib/aws-route53';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import { addExpiryAlarm } from './alarm-topic';
import { LOG_RETENTIONS, LONGEST_DRAIN, LONGEST_TTL } from './configuration-rules';
import { DelegatedSubdomain } from './delegated-subdomain';
import type { DelegatedSubdomainProps } from './delegated-subdomain-props';
import type { FunctionSettings } from './function-settings';
import { PublishedZone } from './published-zone';
import { LONGEST_STACK_NAME } from './waiter';

// How many consumers the networking template has parameters for. CloudFormation has no loops over roles.
const CONSUMERS = 5;
// CloudFormation cannot tell how long a name is, so whoever launches a template has to. StackSets name their stacks.
const LONGEST_STACK_SET_NAME = LONGEST_STACK_NAME - 'StackSet-NAME-00000000-0000-0000-0000-000000000000'.length + 'NAME'.length;
// One label or more, lower case, as IAM's condition keys have them.
const LABELS = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*';

/** The templates for those without the CDK, by the names of their files, as CloudFormation's JSON. */
export function plainTemplates(): { readonly [file: string]: unknown } {
  // The templates say what they are; construct paths would only change with the code.
  const app = new App({ context: { 'aws:cdk:enable-path-metadata': false, 'aws:cdk:enable-asset-metadata': false, '@aws-cdk/aws-iam:minimizePolicies': true } });
  [new NetworkingTemplate(app, 'networking'), new ConsumerTemplate(app, 'consumer'), new ApplicationTemplate(app, 'application')].forEach((template) => template.boundRoles());
  app.node.findAll().filter(CfnResource.isCfnResource).forEach(acknowledge);
  return Object.fromEntries(app.synth().stacks.map(({ stackName, template }) => [`${stackName}.yaml`, withoutIdleDependencies(template as Template)]));
}

interface Template {
  readonly Resources: { readonly [id: string]: { DependsOn?: string | string[]; readonly Properties?: unknown } };
}

/** What cfn-lint says of a resource that is meant as it is. */
function acknowledge(resource: CfnResource): void {
  const checks: { readonly [type: string]: string[] } = {
    // ListResourceRecordSetProtections is younger than cfn-lint's list.
    'AWS::IAM::Policy': ['W3037'],
  };
  const ignored = checks[resource.cfnResourceType];
  if (ignored) {
    resource.addMetadata('cfn-lint', { config: { ignore_checks: ignored } });
  }
}

/** Leaves out dependencies that a resource's own references make anyway. */
function withoutIdleDependencies(template: Template): Template {
  for (const resource of Object.values(template.Resources)) {
    const references = JSON.stringify(resource.Properties ?? {});
    const needed = [resource.DependsOn ?? []].flat().filter((id) => !references.includes(`{"Ref":"${id}"}`) && !references.includes(`{"Fn::GetAtt":["${id}",`));
    if (needed.length > 0) {
      resource.DependsOn = needed;
    } else {
      delete resource.DependsOn;
    }
  }
  return template;
}

/** A stack whose template can be launched anywhere, with the functions in a bucket. */
abstract class PlainTemplate extends Stack {
  /** Which function the stack runs, from where. */
  protected readonly functionSettings: FunctionSettings;
  /** Whom alarms tell, under this condition. */
  protected readonly alarmTopic: sns.ITopic;
  protected readonly hasAlarmTopic: CfnCondition;
  private readonly groups: { Label: { default: string }; Parameters: string[] }[] = [];

  protected constructor(scope: App, id: string, description: string) {
    super(scope, id, { description, synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }) });
    const bucket = this.parameter('The function', 'FunctionBucket', {
      description: 'Bucket in this Region that holds the functions of a release (publish-zone.zip, delegate-subdomain.zip)',
      allowedPattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$',
    });
    const prefix = this.parameter('The function', 'FunctionPrefix', { description: 'What the keys in that bucket start with', default: '' });
    const architecture = this.parameter('The function', 'FunctionArchitecture', {
      description: 'The processor that the functions are built for', default: 'arm64', allowedValues: ['arm64', 'x86_64'],
    });
    const alarmTopicArn = this.parameter('Operation', 'AlarmTopicArn', {
      description: 'The topic of SNS, in this Region, that alarms tell; empty for none', default: '', allowedPattern: '^(arn:aws[\\w-]*:sns:[\\w-]+:\\d{12}:[\\w-]+(\\.fifo)?)?$',
    });
    const logRetention = this.numberParameter('Operation', 'LogRetentionDays', {
      description: 'How long logs are kept', default: `${logs.RetentionDays.THREE_MONTHS}`, allowedValues: LOG_RETENTIONS.map(String),
    });
    this.hasAlarmTopic = new CfnCondition(this, 'HasAlarmTopic', { expression: Fn.conditionNot(Fn.conditionEquals(alarmTopicArn, '')) });
    this.alarmTopic = sns.Topic.fromTopicArn(this, 'AlarmTopic', alarmTopicArn);
    this.functionSettings = {
      logRetention,
      alarmTopic: sns.Topic.fromTopicArn(this, 'AlarmTopicIfAny', Fn.conditionIf(this.hasAlarmTopic.logicalId, alarmTopicArn, Aws.NO_VALUE).toString()),
      functionBucket: s3.Bucket.fromBucketName(this, 'FunctionsOfRelease', bucket),
      functionPrefix: prefix,
      architecture: lambda.Architecture.custom(architecture),
    };
  }

  /** Gives every role the permissions boundary that the one who launches the template names, if any. */
  public boundRoles(): void {
    const boundary = this.parameter('Operation', 'PermissionsBoundaryArn', {
      description: 'The policy that every role has as its permissions boundary; empty for none', default: '', allowedPattern: '^(arn:aws[\\w-]*:iam::(\\d{12}|aws):policy/.+)?$',
    });
    const hasBoundary = new CfnCondition(this, 'HasPermissionsBoundary', { expression: Fn.conditionNot(Fn.conditionEquals(boundary, '')) });
    for (const role of this.node.findAll().filter((one) => one instanceof iam.CfnRole)) {
      role.permissionsBoundary = Fn.conditionIf(hasBoundary.logicalId, boundary, Aws.NO_VALUE).toString();
    }
  }

  /** A text that the one who launches the template gives. */
  protected parameter(group: string, id: string, props: CfnParameterProps): string {
    return this.addParameter(group, id, props).valueAsString;
  }

  /** A number. */
  protected numberParameter(group: string, id: string, props: CfnParameterProps): number {
    return this.addParameter(group, id, { ...props, type: 'Number' }).valueAsNumber;
  }

  /** A list of texts, of which CloudFormation checks each. */
  protected listParameter(group: string, id: string, props: CfnParameterProps): string[] {
    return this.addParameter(group, id, { ...props, type: 'CommaDelimitedList' }).valueAsList;
  }

  /** An output. */
  protected output(id: string, value: string, description: string, condition?: CfnCondition): void {
    new CfnOutput(this, id, { value, description, condition });
  }

  private addParameter(group: string, id: string, props: CfnParameterProps): CfnParameter {
    const parameters = this.groups.find(({ Label }) => Label.default === group)?.Parameters;
    if (parameters) {
      parameters.push(id);
    } else {
      this.groups.push({ Label: { default: group }, Parameters: [id] });
      this.templateOptions.metadata = { 'AWS::CloudFormation::Interface': { ParameterGroups: this.groups } };
    }
    return new CfnParameter(this, id, props);
  }
}

// The constructs need a zone's id only; a name that is not known is a token.
const UNUSED_NAME = Aws.NO_VALUE;
const PREFIX: CfnParameterProps = {
  description: 'Where the zone is published in Parameter Store',
  default: '/zone-delegation/dev',
  allowedPattern: '^(/[\\w.-]+){1,14}$',
};
const OPTIONAL_ID: CfnParameterProps = { default: '', allowedPattern: '^([\\w+=,.@:/-]{2,1224})?$' };

/** What a consumer of the networking template has. */
interface TemplateConsumer {
  readonly isThere: CfnCondition;
  readonly domainNames: string[];
}

class NetworkingTemplate extends PlainTemplate {
  public constructor(scope: App, id: string) {
    super(scope, id, 'zone-delegation: a delegated Route 53 zone, published for consumer accounts');
    const zoneName = this.parameter('The zone', 'ZoneName', {
      description: 'Name of the delegated zone, e.g. build.example.com', allowedPattern: `^${LABELS}$`,
    });
    const baseZoneId = this.parameter('The zone', 'BaseHostedZoneId', {
      description: 'Id of the hosted zone of the domain above it, in this account', type: 'AWS::Route53::HostedZone::Id',
    });
    const organizationId = this.parameter('The zone', 'OrganizationId', {
      description: 'The organization that all consumers must belong to; empty for none', default: '', allowedPattern: '^(o-[a-z0-9]{10,32})?$',
    });
    const parameterPrefix = this.parameter('The zone', 'ParameterPrefix', PREFIX);

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
      description: 'The complete names that it may delegate to itself, lower case, e.g. dev.build.example.com. Never equal to, above or below another consumer\'s: whoever holds a name can capture all below it. A name goes from here only after the stack that made its subdomain is deleted, which needs the right to it',
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

/** A template that makes one subdomain, and a certificate where one is wanted. */
abstract class SubdomainTemplate extends PlainTemplate {
  /** What the subdomain is, apart from its parent. */
  protected readonly subdomain: Pick<DelegatedSubdomainProps, 'subdomain' | 'ttl' | 'drain' | 'functionSettings'>;

  protected constructor(scope: App, id: string, description: string) {
    super(scope, id, `${description}. Stack name: at most ${LONGEST_STACK_NAME} characters, StackSet name: at most ${LONGEST_STACK_SET_NAME}.`);
    const group = 'The subdomain';
    const name = this.parameter(group, 'Subdomain', { description: 'One or more labels relative to the parent zone, e.g. dev', allowedPattern: `^${LABELS}$` });
    const ttl = this.numberParameter(group, 'Ttl', {
      description: 'Seconds to live of its NS record sets, in the parent zone and in its own', default: 300, minValue: 0, maxValue: LONGEST_TTL,
    });
    const drain = this.parameter(group, 'DrainSeconds', {
      description: `On delete, how many seconds its zone outlives its NS record set in the parent zone, ${LONGEST_DRAIN} at most; empty for Ttl, which outlasts every resolver's cache`,
      default: '',
      allowedPattern: '^(\\d{1,3}|[12]\\d{3}|3[0-3]\\d{2}|34[0-7]\\d|3480)?$',
    });
    const hasDrain = new CfnCondition(this, 'HasDrainSeconds', { expression: Fn.conditionNot(Fn.conditionEquals(drain, '')) });
    this.subdomain = {
      subdomain: name,
      ttl: Duration.seconds(ttl),
      drain: Duration.seconds(Token.asNumber(Fn.conditionIf(hasDrain.logicalId, drain, Aws.NO_VALUE))),
      functionSettings: this.functionSettings,
    };
  }

  protected finish(subdomain: DelegatedSubdomain): void {
    const wanted = this.parameter('The subdomain', 'Certificate', {
      description: 'Whether to make a certificate for the name and its wildcard', default: 'true', allowedValues: ['true', 'false'],
    });
    const region = this.parameter('The subdomain', 'CertificateRegion', {
      description: 'Region of the certificate, e.g. us-east-1 for CloudFront; empty for this one', default: '', allowedPattern: '^([a-z]{2,}(-[a-z]+)+-\\d+)?$',
    });
    const hasCertificate = new CfnCondition(this, 'HasCertificate', { expression: Fn.conditionEquals(wanted, 'true') });
    const isElsewhere = new CfnCondition(this, 'IsElsewhere', { expression: Fn.conditionNot(Fn.conditionEquals(region, '')) });
    const certificate = subdomain.certificate('Certificate', {
      subjectAlternativeNames: [`*.${subdomain.zoneName}`],
      region: Fn.conditionIf(isElsewhere.logicalId, region, Aws.REGION).toString(),
    });
    const isHere = Fn.conditionOr(Fn.conditionEquals(region, ''), Fn.conditionEquals(region, Aws.REGION));
    const isWatched = new CfnCondition(this, 'WatchesCertificate', { expression: Fn.conditionAnd(hasCertificate, this.hasAlarmTopic, isHere) });
    (addExpiryAlarm(certificate, this.alarmTopic).node.defaultChild as CfnResource).cfnOptions.condition = isWatched;
    (certificate.node.findChild('Resource').node.defaultChild as CfnResource).cfnOptions.condition = hasCertificate;
    this.output('DomainName', subdomain.zoneName, 'Name of the subdomain');
    this.output('HostedZoneId', subdomain.hostedZoneId, 'Id of its zone');
    this.output('CertificateArn', certificate.certificateArn, 'Its certificate', hasCertificate);
  }
}

class ConsumerTemplate extends SubdomainTemplate {
  public constructor(scope: App, id: string) {
    super(scope, id, 'zone-delegation: a subdomain of a zone that another account publishes, with a certificate');
    const parent = 'The parent zone, in the networking account';
    this.finish(new DelegatedSubdomain(this, 'Delegated', {
      ...this.subdomain,
      delegation: {
        parameterPrefix: this.parameter(parent, 'ParameterPrefix', PREFIX),
        roleArn: this.parameter(parent, 'NetworkRoleArn', {
          description: 'The role that the networking stack made for this account', allowedPattern: '^arn:aws[\\w-]*:iam::\\d{12}:role/.+$',
        }),
        region: this.parameter(parent, 'NetworkRegion', {
          description: 'Region of the networking stack; empty for this one', default: '', allowedPattern: '^([a-z]{2,}(-[a-z]+)+-\\d+)?$',
        }),
        externalId: this.parameter(parent, 'ExternalId', { ...OPTIONAL_ID, description: 'The external id that the role asks for; empty for none' }),
      },
    }));
  }
}

class ApplicationTemplate extends SubdomainTemplate {
  public constructor(scope: App, id: string) {
    super(scope, id, 'zone-delegation: a subdomain of a zone in the same account, with a certificate');
    this.finish(new DelegatedSubdomain(this, 'Delegated', {
      ...this.subdomain,
      parentZone: route53.HostedZone.fromHostedZoneAttributes(this, 'Parent', {
        hostedZoneId: this.parameter('The parent zone', 'ParentHostedZoneId', {
          description: 'Id of the parent zone, e.g. of a consumer stack', type: 'AWS::Route53::HostedZone::Id',
        }),
        zoneName: UNUSED_NAME,
      }),
    }));
  }
}
