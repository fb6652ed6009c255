/** A wrong prop: one sentence with its name, its value and the rule. */
export class PropError extends Error {
  public constructor(prop: string, value: unknown, rule: string) {
    super(value === undefined ? `${prop} ${rule}.` : `${prop} ${rule}, but it is ${JSON.stringify(value)}.`);
    this.name = 'PropError';
  }
}
