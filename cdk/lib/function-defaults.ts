import type { IConstruct } from 'constructs';
import type { FunctionSettings } from './function-settings';
import { checkFunctionSettings } from './function-settings-checks';

const DEFAULTS = new WeakMap<IConstruct, FunctionSettings>();

/** Settings of the functions, once for all stacks of an app or a stage. */
export class FunctionDefaults {
  /**
   * Sets what `functionSettings` are in a scope, such as the app, wherever they are not given. Call it before the constructs are made.
   *
   * Of a setting that several scopes have, the innermost one holds.
   */
  public static set(scope: IConstruct, settings: FunctionSettings): void {
    checkFunctionSettings(settings);
    DEFAULTS.set(scope, { ...DEFAULTS.get(scope), ...settings });
  }

  /**
   * Returns settings with the defaults of a scope.
   *
   * @internal
   */
  public static _merged(scope: IConstruct, settings: FunctionSettings = {}): FunctionSettings {
    const defaults: FunctionSettings = Object.assign({}, ...scope.node.scopes.map((one) => DEFAULTS.get(one)));
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    // They are ways to say one thing.
    const { functionZips, functionBucket, functionPrefix, manifestPath, ...others } = defaults;
    const hasSource = ['functionZips', 'functionBucket', 'manifestPath'].some((source) => source in given);
    return { ...(!hasSource && { functionZips, functionBucket, functionPrefix, manifestPath }), ...others, ...given };
  }

  private constructor() {
    // There are no objects of it.
  }
}
