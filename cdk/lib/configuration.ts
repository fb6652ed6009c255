import { normalised, problemOfName, relation } from './domain-name';
import { type Format, FORMATS } from './prop-checks';

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

/** A key of the configuration and what is wrong with it, as one sentence. */
export interface ConfigurationProblem {
  /** The key, e.g. `consumers[0].names`. */
  readonly key: string;
  /** The sentence; it names the key. */
  readonly message: string;
}

/** The configuration is wrong; the message is the first problem's. */
export class ConfigurationError extends Error {
  public constructor(public readonly problems: ConfigurationProblem[]) {
    super(problems[0]?.message);
    this.name = 'ConfigurationError';
  }
}

/** Reads the value of a context key; undefined where there is none. */
export type ContextReader = (key: string) => unknown;

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

/** CONTRACT.md, section 8: whoever holds a name could capture all below it; and each account has one delegation role. */
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

/** What a value must be: what is wrong with it, to follow the key, or undefined. */
type Rule = (value: string) => string | undefined;

function matching({ pattern, rule }: Format): Rule {
  return (value) => (pattern.test(value) ? undefined : rule);
}

const LABEL: Rule = (value) => (value.includes('.') ? 'must be one label' : problemOfName(value));
const NAME: Rule = problemOfName;
const ACCOUNT = matching(FORMATS.account);
const REGION = matching(FORMATS.region);
const HOSTED_ZONE_ID = matching(FORMATS.hostedZoneId);
const ORGANIZATION_ID = matching(FORMATS.organizationId);
const EXTERNAL_ID = matching(FORMATS.externalId);
const ARCHITECTURE = matching({ pattern: /^(arm64|x86_64)$/, rule: 'must be "arm64" or "x86_64"' });

function nameBelow(zoneName: string): Rule {
  return (value) => problemOfName(value)
    ?? (value.length + 1 + zoneName.length > 253 ? `must leave room for ".${zoneName}" within 253 characters` : undefined);
}

/** A part of the configuration. What is wrong is noted and something harmless is returned, so that all of it is found at once. */
class Section {
  public constructor(
    private readonly prefix: string,
    private readonly context: ContextReader,
    private readonly problems: ConfigurationProblem[],
  ) {}

  public text(key: string, rule: Rule): string {
    const value = this.optionalText(key, rule);
    if (value === undefined && this.context(key) === undefined) {
      this.wrong(key, 'is missing');
    }
    return value ?? '';
  }

  public optionalText(key: string, rule: Rule): string | undefined {
    const value = this.context(key);
    return value === undefined ? undefined : this.checked(key, value, rule);
  }

  public list(key: string, rule: Rule, standard: string[]): string[] {
    const value = this.parsed(key);
    if (value === undefined) {
      return standard;
    }
    if (!Array.isArray(value)) {
      this.wrong(key, 'must be a list', value);
      return standard;
    }
    const texts = value.map((item) => this.checked(key, item, rule)).filter((text) => text !== undefined);
    const twice = texts.find((text, index) => texts.indexOf(text) !== index);
    if (twice !== undefined) {
      this.wrong(key, `must have "${twice}" once`, value);
    }
    if (value.length === 0 && standard.length > 0) {
      this.wrong(key, 'must have at least one name', value);
    }
    return texts;
  }

  public texts(key: string): { [name: string]: string } {
    const value = this.parsed(key) ?? {};
    if (!isObject(value) || Object.values(value).some((text) => typeof text !== 'string')) {
      this.wrong(key, 'must be an object of strings', value);
      return {};
    }
    return value as { [name: string]: string };
  }

  public sections(key: string, keys: string[]): Section[] {
    const value = this.parsed(key);
    if (!Array.isArray(value) || value.length === 0) {
      this.wrong(key, value === undefined ? 'is missing' : 'must be a list with at least one entry', value);
      return [];
    }
    return value.flatMap((item: unknown, index) => {
      const name = `${key}[${index}]`;
      if (!isObject(item)) {
        this.wrong(name, `must be an object with ${keys.join(', ')}`, item);
        return [];
      }
      for (const unknown of Object.keys(item).filter((other) => !keys.includes(other))) {
        this.wrong(`${name}.${unknown}`, `is unknown: the keys are ${keys.join(', ')}`);
      }
      return [new Section(`${this.prefix}${name}.`, (itemKey) => item[itemKey], this.problems)];
    });
  }

  private checked(key: string, value: unknown, rule: Rule): string | undefined {
    if (typeof value !== 'string') {
      this.wrong(key, 'must be a string', value);
      return undefined;
    }
    const problem = rule(value);
    if (problem !== undefined) {
      this.wrong(key, problem, value);
      return undefined;
    }
    return rule === HOSTED_ZONE_ID || rule === EXTERNAL_ID ? value : normalised(value);
  }

  /** The command line's `-c` gives strings only: lists and objects come as JSON. */
  private parsed(key: string): unknown {
    const value = this.context(key);
    if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) {
      return value;
    }
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }

  private wrong(key: string, what: string, value?: unknown): void {
    const name = `${this.prefix}${key}`;
    const shown = value === undefined ? '' : `, but it is ${JSON.stringify(value)}`;
    this.problems.push({ key: name, message: `${name} ${what}${shown}.` });
  }
}

function isObject(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
