import { type App, Aws, CfnCondition, type CfnResource, Duration, Fn, Token } from 'aws-cdk-lib';
import { addExpiryAlarm } from './alarm-topic';
import { LONGEST_DRAIN, LONGEST_TTL } from './configuration-rules';
import type { DelegatedSubdomain } from './delegated-subdomain';
import type { DelegatedSubdomainProps } from './delegated-subdomain-props';
import { PlainTemplate } from './plain-template';
import { LABELS } from './plain-template-parameters';
import { LONGEST_STACK_NAME } from './waiter';

// CloudFormation has no function for the length of a name, so the description of a template says it. StackSets name their stacks.
const LONGEST_STACK_SET_NAME = LONGEST_STACK_NAME - 'StackSet-NAME-00000000-0000-0000-0000-000000000000'.length + 'NAME'.length;

/** A template of one subdomain, with a certificate if it is wanted. */
export abstract class SubdomainTemplate extends PlainTemplate {
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
      description: `On delete, the seconds between the deletion of its NS record set in the parent zone and that of its zone, ${LONGEST_DRAIN} at most; empty for Ttl, the time for which resolvers cache the NS record set`,
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
      description: 'Whether to create a certificate for the name and its wildcard', default: 'true', allowedValues: ['true', 'false'],
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
