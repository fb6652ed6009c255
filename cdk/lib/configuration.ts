import {
  ACCOUNT, ARCHITECTURE, ConfigurationError, type ConfigurationProblem, type ContextReader, EXTERNAL_ID, HOSTED_ZONE_ID, LABEL, NAME,
  ORGANIZATION_ID, REGION, type Rule, Section,
} from './configuration-section';
import { problemOfName, relation } from './domain-name';

/** A consumer account, as the configuration names it. */
export interface Consumer {
  /** Account of the consumer. */
  readonly account: string;
  /** Region of its stack. */
  readonly region: string;
  /** Its names, relative to the delegated zone. */
  readonly names: string[];
  /** Application subdomains, made below each of its names. */
  readonly applications: string[];
  /** Region of the applications' certificates. */
  readonly certificateRegion: string;
  /** External id of its delegation role. */
  readonly externalId?: string;
  /** Name of its stack. */
  readonly stackName: string;
}

/** What the app deploys. */
export interface Configuration {
  /** This deployment of the app: `dev`. */
  readonly instance: string;
  /** The domain that exists before: `example.com`. */
  readonly baseDomain: string;
  /** Id of its hosted zone in the networking account. */
  readonly baseHostedZoneId: string;
  /** The delegated zone's name: `build.example.com`. */
  readonly zoneName: string;
  /** Where the zone is published: `/zone-delegation/dev`. */
  readonly parameterPrefix: string;
  /** The account that holds the base domain. */
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
  /** Further environment variables of the functions. */
  readonly functionEnvironment: { readonly [name: string]: string };
}

/** The configuration in the CDK app's context, or a `ConfigurationError` with all that is wrong. */
export function readConfiguration(context: ContextReader): Configuration {
  const problems: ConfigurationProblem[] = [];
  const root = new Section('', context, problems);
  const instance = root.text('instance', LABEL);
  const baseDomain = root.text('baseDomain', NAME);
  const baseHostedZoneId = root.text('baseHostedZoneId', HOSTED_ZONE_ID);
  const subDomain = root.text('subDomain', NAME);
  const networkingAccount = root.text('networkingAccount', ACCOUNT);
  const region = root.text('region', REGION);
  const networkingRegion = root.optionalText('networkingRegion', REGION) ?? region;
  const organizationId = root.optionalText('organizationId', ORGANIZATION_ID);
  const architecture = root.optionalText('architecture', ARCHITECTURE) ?? 'arm64';
  const functionEnvironment = root.texts('functionEnvironment');
  const consumers = root.sections('consumers', CONSUMER_KEYS)
    .map((section) => readConsumer(section, instance, region, `${subDomain}.${baseDomain}`));
  rejectSharedNames(consumers, problems);
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
    functionEnvironment,
  };
}

const CONSUMER_KEYS = ['account', 'region', 'names', 'applications', 'certificateRegion', 'externalId'];

function readConsumer(section: Section, instance: string, region: string, zoneName: string): Consumer {
  const account = section.text('account', ACCOUNT);
  const ownRegion = section.optionalText('region', REGION) ?? region;
  const names = section.list('names', nameBelow(zoneName), [instance]);
  return {
    account,
    region: ownRegion,
    names,
    applications: section.list('applications', nameBelow(`${longest(names)}.${zoneName}`), []),
    certificateRegion: section.optionalText('certificateRegion', REGION) ?? ownRegion,
    externalId: section.optionalText('externalId', EXTERNAL_ID),
    stackName: consumerStackName(instance, names[0] ?? ''),
  };
}

function longest(names: string[]): string {
  return names.reduce((one, other) => (other.length > one.length ? other : one), '');
}

// The consumer with the instance's own name is called after it alone; any other has its name added.
function consumerStackName(instance: string, name: string): string {
  const own = name === instance ? '' : `-${name.replaceAll(/[._]/g, '-')}`;
  return `zone-delegation-consumer-${instance}${own}`;
}

/** Whoever holds a name could capture all below it; and each account has one delegation role. */
function rejectSharedNames(consumers: Consumer[], problems: ConfigurationProblem[]): void {
  consumers.forEach((consumer, index) => {
    consumers.slice(0, index).forEach((earlier, earlierIndex) => {
      if (consumer.account === earlier.account && consumer.account !== '') {
        problems.push({
          key: `consumers[${index}].account`,
          message: `consumers[${index}].account is ${consumer.account} like consumers[${earlierIndex}].account: ` +
            'give all names of an account in one entry.',
        });
      }
      for (const name of consumer.names) {
        for (const other of earlier.names) {
          const how = relation(name, other);
          if (how !== undefined) {
            problems.push({
              key: `consumers[${index}].names`,
              message: `consumers[${index}].names has "${name}", which is ${how} "${other}" of consumers[${earlierIndex}].names: ` +
                'whoever holds a name could capture all below it.',
            });
          }
        }
      }
    });
  });
}

function nameBelow(zoneName: string): Rule {
  return (value) => problemOfName(value)
    ?? (value.length + 1 + zoneName.length > 253 ? `must leave room for ".${zoneName}" within 253 characters` : undefined);
}
