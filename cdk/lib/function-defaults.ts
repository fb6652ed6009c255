import type { IConstruct } from 'constructs';
import type { FunctionSettings } from './function-settings';
import { checkFunctionSettings } from './function-settings-checks';

const DEFAULTS = new WeakMap<IConstruct, FunctionSettings>();

/** Settings of the functions, once for all stacks of an app or a stage. */
export class FunctionDefaults {
  /**
   * Sets the defaults of `functionSettings` in a scope, such as the app. Call it before you create the constructs.
   *
   * If several scopes have a setting, the innermost one is used.
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
    // Only one of these settings can say where the functions are.
    const { functionZips, functionBucket, functionPrefix, manifestPath, ...others } = defaults;
    const hasSource = ['functionZips', 'functionBucket', 'manifestPath'].some((source) => source in given);
    return { ...(!hasSource && { functionZips, functionBucket, functionPrefix, manifestPath }), ...others, ...given };
  }

  private constructor() {
    // The class has no instances.
  }
}
