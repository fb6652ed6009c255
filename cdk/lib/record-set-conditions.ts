const KEY = 'route53:ChangeResourceRecordSets';

/** What all changes of one request must be, for a statement to allow the request. */
export interface Changes {
  /** The actions. */
  readonly actions: ('CREATE' | 'DELETE' | 'UPSERT')[];
  /** The types of the record sets; by default any. */
  readonly types?: string[];
  /** The names of the record sets, in lower case and without a final dot. They may be a list token; by default any. */
  readonly names?: unknown;
  /** The same as patterns. */
  readonly namesLike?: string[];
}

/**
 * Returns the conditions under which a statement allows a request that changes record sets.
 *
 * Each key has the values of all changes of the request, so one statement has to match all of them. One statement allows one kind of change: no
 * statement allows a DELETE of one type beside a CREATE of another.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
 */
export function onlyChanges({ actions, types, names, namesLike }: Changes): { [operator: string]: { [key: string]: unknown } } {
  const equal = {
    [`${KEY}Actions`]: actions,
    ...(names !== undefined && { [`${KEY}NormalizedRecordNames`]: names }),
    ...(types !== undefined && { [`${KEY}RecordTypes`]: types }),
  };
  const like = namesLike && { [`${KEY}NormalizedRecordNames`]: namesLike };
  return {
    'ForAllValues:StringEquals': equal,
    ...(like && { 'ForAllValues:StringLike': like }),
    // ForAllValues is true if the key is missing, so each key must exist too.
    Null: Object.fromEntries(Object.keys({ ...equal, ...like }).map((key) => [key, 'false'])),
  };
}
