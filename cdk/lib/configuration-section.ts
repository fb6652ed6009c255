import { normalised, problemOfName } from './domain-name';
import { type Format, FORMATS } from './prop-checks';

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

/** What a value must be: what is wrong with it, to follow the key, or undefined. */
export type Rule = (value: string) => string | undefined;

function matching({ pattern, rule }: Format): Rule {
  return (value) => (pattern.test(value) ? undefined : rule);
}

export const LABEL: Rule = (value) => (value.includes('.') ? 'must be one label' : problemOfName(value));
export const NAME: Rule = problemOfName;
export const ACCOUNT = matching(FORMATS.account);
export const REGION = matching(FORMATS.region);
export const HOSTED_ZONE_ID = matching(FORMATS.hostedZoneId);
export const ORGANIZATION_ID = matching(FORMATS.organizationId);
export const EXTERNAL_ID = matching(FORMATS.externalId);
export const ARCHITECTURE = matching({ pattern: /^(arm64|x86_64)$/, rule: 'must be "arm64" or "x86_64"' });
export const BRANCH = matching({ pattern: /^[\w./-]+$/, rule: 'must be the name of a branch' });
export const REPOSITORY = matching({ pattern: /^[\w.-]+(\/[\w.-]+)*$/, rule: 'must be the name of a repository, such as "owner/name"' });
export const CONNECTION_ARN = matching({
  pattern: /^arn:[\w-]+:(codeconnections|codestar-connections):[\w-]+:\d{12}:connection\/.+$/, rule: 'must be the ARN of a connection of CodeConnections',
});
export const EMAIL = matching({ pattern: /^[^@\s]+@[^@\s]+$/, rule: 'must be an e-mail address' });

// What is not a name, and so keeps its case.
const AS_WRITTEN = new Set([HOSTED_ZONE_ID, EXTERNAL_ID, BRANCH, REPOSITORY, CONNECTION_ARN, EMAIL]);

/** A part of the configuration. What is wrong is noted and something harmless is returned, so that all of it is found at once. */
export class Section {
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

  public section(key: string, keys: string[]): Section | undefined {
    const value = this.parsed(key);
    if (value === undefined) {
      this.wrong(key, 'is missing');
      return undefined;
    }
    return this.part(key, value, keys);
  }

  public sections(key: string, keys: string[]): Section[] {
    const value = this.parsed(key);
    if (!Array.isArray(value) || value.length === 0) {
      this.wrong(key, value === undefined ? 'is missing' : 'must be a list with at least one entry', value);
      return [];
    }
    return value.flatMap((item: unknown, index) => this.part(`${key}[${index}]`, item, keys) ?? []);
  }

  private part(name: string, value: unknown, keys: string[]): Section | undefined {
    if (!isObject(value)) {
      this.wrong(name, `must be an object with ${keys.join(', ')}`, value);
      return undefined;
    }
    for (const unknown of Object.keys(value).filter((other) => !keys.includes(other))) {
      this.wrong(`${name}.${unknown}`, `is unknown: the keys are ${keys.join(', ')}`);
    }
    return new Section(`${this.prefix}${name}.`, (key) => value[key], this.problems);
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
    return AS_WRITTEN.has(rule) ? value : normalised(value);
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
