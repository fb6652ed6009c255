const KEY = 'route53:ChangeResourceRecordSets';

/** What all changes of one request must be, for a statement to allow the request. */
export interface Changes {
  /** The actions. */
  readonly actions: ('CREATE' | 'DELETE' | 'UPSERT')[];
  /** The types of the record sets; any where there are none. */
  readonly types?: string[];
  /** The names of the record sets, lower case and without a final dot, which may be a list token; any where there are none. */
  readonly names?: unknown;
  /** The same as patterns. */
  readonly namesLike?: string[];
}

/**
 * The conditions under which a statement allows a request that changes record sets.
 *
 * Each key has the values of all changes of the request. So one statement has to fit all of them, which is why one statement allows one kind
 * of change: a DELETE of one type beside a CREATE of another is allowed by none.
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
    // ForAllValues holds where the key is missing, so each key must be there too.
    Null: Object.fromEntries(Object.keys({ ...equal, ...like }).map((key) => [key, 'false'])),
  };
}
