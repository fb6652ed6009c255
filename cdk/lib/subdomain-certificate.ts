import { CustomResource, Duration, type ITaggableV2, type RemovalPolicy, Resource, Stack, type TagManager } from 'aws-cdk-lib';
import type * as acm from 'aws-cdk-lib/aws-certificatemanager';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { CertificateReference } from 'aws-cdk-lib/aws-certificatemanager';
import type * as route53 from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { DelegateSubdomainFunction } from './delegate-subdomain-function';
import { normalized, problemOfCertificateName, relation } from './domain-name';
import type { FunctionSettings } from './function-settings';
import { checkFormat, checkIs, checkList, checkLogicalIds, checkOneOf, checkSeconds, FORMATS, PropError } from './prop-checks';
import { checkedTags, checkTags, TAG_CHARACTERS } from './tag-checks';
import { isUnknown } from './unknown';
import { checkOwnZone, checkRequiredZone, knownNameOf } from './zone-checks';

const RESOURCE_TYPE = 'Custom::SubdomainCertificate';
// https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html
const KEY_ALGORITHMS = ['RSA_2048', 'EC_prime256v1', 'EC_secp384r1'];
// X.509: the upper bound of a common name, RFC 5280, appendix A.
const LONGEST_COMMON_NAME = 64;

/** What happens on delete to the CNAMEs that validate a certificate. */
export enum ValidationRecordsOnDelete {
  /** They stay as long as the zone exists: other certificates of the same names share them. */
  KEEP = 'Keep',
  /** Those are deleted that no other certificate of the account lists, in any Region. Use it for a zone that something else deletes. */
  DELETE = 'Delete',
}

/** Options of a certificate, apart from its zone. */
export interface CertificateOptions {
  /**
   * The certificate's name, in one of the zones; `*.` allowed.
   *
   * @default - the zone's name
   */
  readonly domainName?: string;

  /**
   * Further names, each in one of the zones; `*.` allowed.
   *
   * @default - none
   */
  readonly subjectAlternativeNames?: string[];

  /**
   * Further public zones of this account. Each name is validated in the zone with the longest name that contains it.
   *
   * @default - none
   */
  readonly additionalZones?: route53.IHostedZone[];

  /**
   * Region of the certificate, e.g. `us-east-1` for CloudFront.
   *
   * @default - the stack's Region
   */
  readonly region?: string;

  /**
   * The kind of key.
   *
   * @default KeyAlgorithm.RSA_2048
   */
  readonly keyAlgorithm?: acm.KeyAlgorithm;

  /**
   * Whether the certificate can be exported with its key. ACM charges for it.
   *
   * @default false
   */
  readonly export?: boolean;

  /**
   * Earlier logical ids of the certificate in this stack, if it was renamed in the template. The certificate is transferred to the new logical id.
   *
   * @default - none
   */
  readonly formerLogicalIds?: string[];

  /**
   * What happens on delete to the CNAMEs that validate the certificate.
   *
   * @default ValidationRecordsOnDelete.KEEP
   */
  readonly validationRecordsOnDelete?: ValidationRecordsOnDelete;

  /**
   * Tags of the certificate.
   *
   * @default - none
   */
  readonly tags?: { readonly [key: string]: string };

  /**
   * How long CloudFormation waits for the certificate, at most one hour.
   *
   * @default Duration.hours(1)
   */
  readonly serviceTimeout?: Duration;
}

/** Properties of a `SubdomainCertificate`. */
export interface SubdomainCertificateProps extends CertificateOptions {
  /** The public zone of this account in which the names are validated. */
  readonly zone: route53.IHostedZone;

  /**
   * Settings of the stack's function.
   *
   * @default - see `FunctionSettings`
   */
  readonly functionSettings?: FunctionSettings;
}

/** A certificate of ACM. It is issued when CloudFormation says that the resource is complete. */
export class SubdomainCertificate extends Resource implements acm.ICertificate, ITaggableV2 {
  /** The certificate's ARN. */
  public readonly certificateArn: string;
  /** Region of the certificate. */
  public readonly region: string;
  /** The certificate's tags; `Tags.of()` sets them too. */
  public readonly cdkTagManager: TagManager;
  private readonly resource: CustomResource;

  public constructor(scope: Construct, id: string, props: SubdomainCertificateProps) {
    checkProps(props, scope, id);
    const zones = [props.zone, ...props.additionalZones ?? []];
    const { domainName, alternatives } = checkedNames(props, zones);
    super(scope, id);
    this.cdkTagManager = checkedTags(this, RESOURCE_TYPE, props.tags, TAG_CHARACTERS);
    this.region = props.region ?? Stack.of(this).region;

    const delegateSubdomain = DelegateSubdomainFunction.of(this, props.functionSettings);
    const permissions = [delegateSubdomain.grantCertificates(this.region), ...zones.flatMap((zone) => delegateSubdomain.grantValidation(zone))];
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: RESOURCE_TYPE,
      serviceToken: delegateSubdomain.handler.function.functionArn,
      serviceTimeout: props.serviceTimeout,
      properties: {
        HostedZoneId: props.zone.hostedZoneId,
        AdditionalHostedZoneIds: props.additionalZones?.map((zone) => zone.hostedZoneId),
        DomainName: domainName,
        SubjectAlternativeNames: alternatives,
        Region: props.region,
        KeyAlgorithm: props.keyAlgorithm?.name,
        Export: props.export,
        FormerLogicalIds: props.formerLogicalIds,
        ValidationRecordsOnDelete: props.validationRecordsOnDelete,
        Tags: this.cdkTagManager.renderedTags,
      },
    });
    this.resource.node.addDependency(delegateSubdomain.handler.neededForDelete, ...permissions);
    this.certificateArn = this.resource.getAttString('CertificateArn');
  }

  /**
   * Sets what happens to the certificate and the CNAMEs that validate it if it leaves the template or the stack is deleted.
   *
   * `RemovalPolicy.RETAIN` keeps both. ACM renews the certificate only while its CNAMEs exist, and the delete of a `DelegatedSubdomain` deletes
   * them, so retain that one too. `RETAIN_ON_UPDATE_OR_DELETE` keeps the same, except after a create that fails.
   */
  public override applyRemovalPolicy(policy: RemovalPolicy): void {
    this.resource.applyRemovalPolicy(policy);
  }

  /** The certificate, for those parts of aws-cdk-lib that need its ARN only. */
  public get certificateRef(): CertificateReference {
    return { certificateArn: this.certificateArn };
  }

  /** Returns the metric of the days until the certificate expires, which ACM counts once a day in its Region. ACM renews it as long as its CNAMEs exist. */
  public metricDaysToExpiry(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      period: Duration.days(1),
      statistic: cloudwatch.Stats.MINIMUM,
      region: this.region,
      ...props,
      namespace: 'AWS/CertificateManager',
      metricName: 'DaysToExpiry',
      dimensionsMap: { CertificateArn: this.certificateArn },
    });
  }
}

function checkProps(props: SubdomainCertificateProps, scope: Construct, id: string): void {
  checkFormat('region', props.region, FORMATS.region);
  checkSeconds('serviceTimeout', props.serviceTimeout, 1, 3_600);
  checkIs('keyAlgorithm', props.keyAlgorithm, (value) => typeof (value as acm.KeyAlgorithm | null)?.name === 'string',
    'must be a KeyAlgorithm of aws-certificatemanager, such as KeyAlgorithm.EC_PRIME256V1');
  checkIs('keyAlgorithm', props.keyAlgorithm?.name, (value) => KEY_ALGORITHMS.includes(value as string), `must be ${KEY_ALGORITHMS.join(', ')}: ACM requests no other`);
  checkIs('export', props.export, (value) => typeof value === 'boolean', 'must be true or false');
  checkLogicalIds('formerLogicalIds', props.formerLogicalIds);
  checkOneOf('validationRecordsOnDelete', props.validationRecordsOnDelete, ValidationRecordsOnDelete);
  checkRequiredZone('zone', props.zone);
  checkOwnZone('zone', props.zone, scope, id);
  checkList('additionalZones', props.additionalZones, 'hosted zones');
  props.additionalZones?.forEach((zone, index) => {
    checkRequiredZone(`additionalZones[${index}]`, zone);
    checkOwnZone(`additionalZones[${index}]`, zone, scope, id);
  });
  checkList('subjectAlternativeNames', props.subjectAlternativeNames, 'names');
  checkTags(props.tags, TAG_CHARACTERS);
}

function checkedNames(props: SubdomainCertificateProps, zones: route53.IHostedZone[]): { readonly domainName: string; readonly alternatives?: string[] } {
  const domainName = checkedName('domainName', props.domainName ?? normalized(props.zone.zoneName), zones);
  const alternatives = isUnknown(props.subjectAlternativeNames)
    ? props.subjectAlternativeNames : props.subjectAlternativeNames?.map((name) => checkedName('subjectAlternativeNames', name, zones));
  if (!isUnknown(domainName) && domainName.length > LONGEST_COMMON_NAME) {
    const way = '(give a short one, and the long one in subjectAlternativeNames)';
    throw props.domainName === undefined
      ? new PropError('domainName', undefined, `must be given: the zone's name, ${domainName}, is longer than ${LONGEST_COMMON_NAME} characters ${way}`)
      : new PropError('domainName', domainName, `must not be longer than ${LONGEST_COMMON_NAME} characters ${way}`);
  }
  if (alternatives && alternatives.length > 99) {
    throw new PropError('subjectAlternativeNames', alternatives.length, 'must not be more than 99 names');
  }
  return { domainName, alternatives };
}

function checkedName(prop: string, name: string, zones: route53.IHostedZone[]): string {
  if (isUnknown(name)) {
    return name;
  }
  const problem = problemOfCertificateName(name);
  if (problem !== undefined) {
    throw new PropError(prop, name, problem);
  }
  const wanted = normalized(name);
  const bare = wanted.startsWith('*.') ? wanted.slice(2) : wanted;
  const zoneNames = zones.map(knownNameOf);
  if (zoneNames.every((zoneName) => zoneName !== undefined && !['equal to', 'below'].includes(relation(bare, zoneName) ?? ''))) {
    throw new PropError(prop, name, `must be in one of the zones ${zoneNames.join(', ')}`);
  }
  return wanted;
}
