import { KEYS, type Part, problemOfUnknownKey } from './configuration-keys';
import { AS_WRITTEN, type NumberRule, type Rule } from './configuration-rules';
import { normalized } from './domain-name';

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

/** The CDK app's context, or an object in it. */
export interface Context {
  readonly [key: string]: unknown;
}

/** A part of the configuration. A method notes what is wrong and returns something harmless, so that all problems are found at once. */
export class Section {
  public constructor(
    /** What the part's keys begin with, e.g. `consumers[0].`. */
    public readonly prefix: string,
    private readonly context: Context,
    private readonly problems: ConfigurationProblem[],
  ) {}

  /** Notes keys that this part of the configuration does not have. A misspelled key would be ignored silently. */
  public only(part: Part, given = Object.keys(this.context)): void {
    for (const unknown of given.filter((key) => !KEYS[part].includes(key))) {
      this.wrong(unknown, problemOfUnknownKey(unknown, part));
    }
  }

  /** Notes that something is wrong with a key. */
  public wrong(key: string, what: string, value?: unknown): void {
    const name = `${this.prefix}${key}`;
    const shown = value === undefined ? '' : `, but it is ${JSON.stringify(value)}`;
    this.problems.push({ key: name, message: `${name} ${what}${shown}.` });
  }

  /** Whether a key is given. */
  public has(key: string): boolean {
    return this.context[key] !== undefined;
  }

  public text(key: string, rule: Rule): string {
    this.requires(key);
    return this.optionalText(key, rule) ?? '';
  }

  public optionalText(key: string, rule: Rule): string | undefined {
    const value = this.context[key];
    if (value === '') {
      this.wrong(key, 'is empty');
      return undefined;
    }
    return value === undefined ? undefined : this.checked(key, value, rule);
  }

  /** True or false. The command line's `-c` gives strings only. */
  public optionalFlag(key: string): boolean | undefined {
    const value = this.context[key];
    const flag = value === 'true' ? true : value === 'false' ? false : value;
    if (flag === undefined || typeof flag === 'boolean') {
      return flag;
    }
    this.wrong(key, 'must be true or false', value);
    return undefined;
  }

  /** A whole number. The command line's `-c` gives strings only. */
  public optionalNumber(key: string, rule: NumberRule): number | undefined {
    const value = this.context[key];
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
    const problem = typeof number === 'number' && Number.isInteger(number) ? rule(number) : 'must be a whole number';
    if (value === undefined || problem === undefined) {
      return number as number | undefined;
    }
    this.wrong(key, problem, value);
    return undefined;
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
    return [...new Set(texts)];
  }

  /** An object of strings, of which each is checked with its name. */
  public texts(key: string, rule: (name: string, value: unknown) => string | undefined): { [name: string]: string } {
    const value = this.parsed(key) ?? {};
    if (!isObject(value)) {
      this.wrong(key, 'must be an object of strings', value);
      return {};
    }
    for (const [name, text] of Object.entries(value)) {
      const problem = rule(name, text);
      if (problem !== undefined) {
        this.wrong(`${key}.${name}`, problem, text);
      }
    }
    return value as { [name: string]: string };
  }

  public section(key: string, part: Part): Section | undefined {
    this.requires(key);
    const value = this.parsed(key);
    return value === undefined ? undefined : this.part(key, value, part);
  }

  public sections(key: string, part: Part): Section[] {
    this.requires(key);
    const value = this.parsed(key);
    if (value === undefined) {
      return [];
    }
    if (!Array.isArray(value) || value.length === 0) {
      this.wrong(key, 'must be a list with at least one entry', value);
      return [];
    }
    return value.flatMap((item: unknown, index) => this.part(`${key}[${index}]`, item, part) ?? []);
  }

  private requires(key: string): void {
    if (!this.has(key)) {
      this.wrong(key, 'is missing');
    }
  }

  private part(name: string, value: unknown, part: Part): Section | undefined {
    if (!isObject(value)) {
      this.wrong(name, `must be an object with ${KEYS[part].join(', ')}`, value);
      return undefined;
    }
    const section = new Section(`${this.prefix}${name}.`, value, this.problems);
    section.only(part);
    return section;
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
    return AS_WRITTEN.has(rule) ? value : normalized(value);
  }

  /** Returns a value, parsed if it is JSON: the command line's `-c` gives strings only. A text that is not JSON is noted, and then counts as not given. */
  private parsed(key: string): unknown {
    const value = this.context[key];
    if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) {
      return value;
    }
    try {
      return JSON.parse(value);
    } catch (error) {
      this.wrong(key, `is not JSON: ${(error as Error).message}`);
      return undefined;
    }
  }
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is Context {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
