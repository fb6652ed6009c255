import {
  ACCOUNT, ARCHITECTURE, DRAIN_SECONDS, EXTERNAL_ID, FUNCTION_ZIPS, HOSTED_ZONE_ID, INSTANCE, LOG_RETENTION_DAYS, LONGEST_DRAIN, NAME, ORGANIZATION_ID, REGION, type Rule, TOPIC_ARN,
  TTL_SECONDS,
} from './configuration-rules';
import { ConfigurationError, type ConfigurationProblem, type Context, Section } from './configuration-section';
import type { Consumer } from './consumer';
import { rejectClashes } from './consumer-clashes';
import { problemOfName, problemOfRelativeName } from './domain-name';
import { problemOfVariable } from './function-environment';
import { rejectExcess } from './stack-limits';

/** What the app deploys. */
export interface Configuration {
  /** This deployment of the app: `dev`. */
  readonly instance: string;
  /** The domain that exists already: `example.com`. */
  readonly baseDomain: string;
  /** Id of its hosted zone in the networking account. */
  readonly baseHostedZoneId: string;
  /** The delegated zone's name: `build.example.com`. */
  readonly zoneName: string;
  /** Where the zone is published: `/zone-delegation/dev`. */
  readonly parameterPrefix: string;
  /** The account that has the base domain. */
  readonly networkingAccount: string;
  /** Region of the networking stack. */
  readonly networkingRegion: string;
  /** Name of the networking stack. */
  readonly networkingStackName: string;
  /** The organization that all consumers belong to. */
  readonly organizationId?: string;
  /** The consumers. */
  readonly consumers: Consumer[];
  /** The processor of the functions. */
  readonly architecture: 'arm64' | 'x86_64';
  /** Folder with the prebuilt functions. */
  readonly functionZips?: string;
  /** Further environment variables of the functions. */
  readonly functionEnvironment: { readonly [name: string]: string };
  /** How long the logs are kept. */
  readonly logRetentionDays?: number;
  /** The topic that the networking stack's alarms notify, in its Region. */
  readonly alarmTopicArn?: string;
  /** Whether CloudFormation refuses to delete the stacks. */
  readonly terminationProtection: boolean;
  /** Whether the delegated zone stays, with all that the consumers need, if it leaves the template or the stack is deleted. */
  readonly retainZones: boolean;
}

// Keys of the CDK itself, beside keys such as `@aws-cdk/core:...`, `aws:cdk:...` and `hosted-zone:account=...`.
const KEYS_OF_CDK = ['acknowledged-issue-numbers', 'cdk-migrate', 'cli-telemetry'];
// RFC 1035, section 2.3.4, without the dot at the end. RFC 5280, appendix A: the common name of a certificate.
const LONGEST_NAME = 253;
const LONGEST_COMMON_NAME = 64;
// https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
const LONGEST_STACK_NAME = 128;

/** Returns the configuration in the CDK app's context. Throws a `ConfigurationError` with all problems. */
export function readConfiguration(context: Context): Configuration {
  const problems: ConfigurationProblem[] = [];
  const root = new Section('', context, problems);
  root.only('the top level', Object.keys(context).filter((key) => !/[@:]/.test(key) && !KEYS_OF_CDK.includes(key)));
  const instance = root.text('instance', INSTANCE);
  const baseDomain = root.text('baseDomain', NAME);
  const baseHostedZoneId = root.text('baseHostedZoneId', HOSTED_ZONE_ID);
  const subDomain = root.text('subDomain', nameBelow(baseDomain));
  const networkingAccount = root.text('networkingAccount', ACCOUNT);
  const region = root.text('region', REGION);
  const networkingRegion = root.optionalText('networkingRegion', REGION) ?? region;
  const organizationId = root.optionalText('organizationId', ORGANIZATION_ID);
  const architecture = root.optionalText('architecture', ARCHITECTURE) ?? 'arm64';
  const functionZips = root.optionalText('functionZips', FUNCTION_ZIPS);
  const functionEnvironment = root.texts('functionEnvironment', problemOfVariable);
  const logRetentionDays = root.optionalNumber('logRetentionDays', LOG_RETENTION_DAYS);
  const alarmTopicArn = readAlarmTopic(root, networkingRegion);
  const terminationProtection = root.optionalFlag('terminationProtection') ?? false;
  const retainZones = root.optionalFlag('retainZones') ?? false;
  const sections = root.sections('consumers', 'an entry of consumers');
  const consumers = sections.map((section) => readConsumer(section, { instance, region, zoneName: `${subDomain}.${baseDomain}`, retainZones }));
  rejectClashes(sections, consumers);
  rejectExcess(root, sections, consumers);
  if (problems.length > 0) {
    throw new ConfigurationError(problems);
  }
  return {
    instance,
    baseDomain,
    baseHostedZoneId,
    zoneName: `${subDomain}.${baseDomain}`,
    parameterPrefix: `/zone-delegation/${instance}`,
    networkingAccount,
    networkingRegion,
    networkingStackName: `zone-delegation-networking-${instance}`,
    organizationId,
    consumers,
    architecture: architecture as Configuration['architecture'],
    functionZips,
    functionEnvironment,
    logRetentionDays,
    alarmTopicArn,
    terminationProtection,
    retainZones,
  };
}

function readConsumer(
  section: Section, { instance, region, zoneName, retainZones: isRetained }: Pick<Configuration, 'instance' | 'zoneName' | 'retainZones'> & { readonly region: string },
): Consumer {
  const account = section.text('account', ACCOUNT);
  const ownRegion = section.optionalText('region', REGION) ?? region;
  const names = section.list('names', nameBelow(zoneName), [instance]);
  const retired = section.list('retiredNames', nameBelow(zoneName), []);
  const createdNames = names.filter((name) => !retired.includes(name));
  const stackName = section.optionalText('stackName', consumerStackNameOf(instance)) ?? consumerStackName(instance, names[0] ?? '');
  rejectRetired(section, names, retired, stackName);
  const retainZones = section.optionalFlag('retainZones') ?? isRetained;
  if (retainZones && retired.length > 0) {
    section.wrong('retiredNames', `has "${retired[0]}", whose zone retainZones keeps: set retainZones of the entry to false and deploy, then retire the name`);
  }
  if (!section.has('stackName') && stackName.length > LONGEST_STACK_NAME) {
    section.wrong('names', `begins with a name that gives the stack the name ${stackName}, which is longer than ${LONGEST_STACK_NAME} characters`);
  }
  const ttlSeconds = section.optionalNumber('ttlSeconds', TTL_SECONDS);
  if (ttlSeconds !== undefined && ttlSeconds > LONGEST_DRAIN && !section.has('drainSeconds')) {
    section.wrong('drainSeconds', `must be given, ${LONGEST_DRAIN.toLocaleString('en')} at most: it is ttlSeconds otherwise, which is ${ttlSeconds.toLocaleString('en')}`);
  }
  return {
    account,
    region: ownRegion,
    names,
    createdNames,
    applications: section.list('applications', certifiedBelow(createdNames.map((name) => `${name}.${zoneName}`)), []),
    certificateRegion: section.optionalText('certificateRegion', REGION) ?? ownRegion,
    externalId: section.optionalText('externalId', EXTERNAL_ID),
    stackName,
    ttlSeconds,
    drainSeconds: section.optionalNumber('drainSeconds', DRAIN_SECONDS),
    alarmTopicArn: readAlarmTopic(section, ownRegion),
    retainZones,
  };
}

/** Returns the topic of alarms. CloudWatch refuses an alarm that notifies a topic of another Region; a topic of another account may allow it. */
function readAlarmTopic(section: Section, region: string): string | undefined {
  const arn = section.optionalText('alarmTopicArn', TOPIC_ARN);
  if (arn !== undefined && region !== '' && arn.split(':')[3] !== region) {
    section.wrong('alarmTopicArn', `must be of a topic in ${region}, since alarms notify only topics of their own Region`, arn);
  }
  return arn;
}

/**
 * Notes retired names that the entry no longer has, or whose removal would change the name of the stack. A retired name remains one of the
 * names, so that the delegation role keeps the permission to delete it, and so that no other consumer may have it yet.
 */
function rejectRetired(section: Section, names: readonly string[], retired: readonly string[], stackName: string): void {
  const stranger = retired.find((name) => !names.includes(name));
  if (stranger !== undefined) {
    section.wrong('retiredNames', `has "${stranger}", which is not in names: leave it there until the consumer's stack has deleted it`);
  }
  const [first, ...others] = names;
  if (!section.has('stackName') && first !== undefined && retired.includes(first) && others.some((name) => !retired.includes(name))) {
    section.wrong('retiredNames', `has "${first}", after which the stack is named: set stackName "${stackName}" and keep it, so that the other names stay in that stack after "${first}" is removed`);
  }
}

// The stack of the consumer with the instance's own name is named after the instance alone. The name of any other consumer is added.
function consumerStackName(instance: string, name: string): string {
  const own = name === instance ? '' : `-${name.replaceAll(/[._]/g, '-')}`;
  return `zone-delegation-consumer-${instance}${own}`;
}

/** Returns the rule of `stackName`, which contains the instance: settings that are deployed as another instance must not change this one's stack. */
function consumerStackNameOf(instance: string): Rule {
  const standard = consumerStackName(instance, instance);
  const isRight = (value: string) => value === standard || (value.startsWith(`${standard}-`) && /^[a-z0-9-]+$/.test(value) && value.length <= LONGEST_STACK_NAME);
  return (value) => (instance === '' || isRight(value)
    ? undefined
    : `must be "${standard}", or that and "-" and lower-case letters, digits and "-", ${LONGEST_STACK_NAME} characters at most`);
}

function nameBelow(zoneName: string): Rule {
  return (value) => problemOfRelativeName(value, zoneName) ?? problemOfLength(value, zoneName, LONGEST_NAME);
}

/** Returns the rule of names below each of some zones that have a certificate each. */
function certifiedBelow(zoneNames: readonly string[]): Rule {
  return (value) => problemOfName(value)
    ?? zoneNames.map((zoneName) => problemOfRelativeName(value, zoneName) ?? problemOfLength(value, zoneName, LONGEST_COMMON_NAME)).find((problem) => problem !== undefined)
    ?? (`${value}.${zoneNames.join('.')}`.includes('_') ? 'must give names without "_", which no certificate can have' : undefined);
}

function problemOfLength(name: string, zoneName: string, most: number): string | undefined {
  return name.length + 1 + zoneName.length > most ? `must leave room for ".${zoneName}" within ${most} characters` : undefined;
}
