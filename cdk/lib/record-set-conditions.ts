const KEY = 'route53:ChangeResourceRecordSets';

/**
 * The conditions under which record sets may be changed: by CREATE and DELETE, never by UPSERT, and only those of the names and types,
 * where these are given.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
 */
export function createOrDelete({ names, types }: { readonly names?: unknown; readonly types?: string[] } = {}): { [operator: string]: { [key: string]: unknown } } {
  const keys = {
    [`${KEY}Actions`]: ['CREATE', 'DELETE'],
    ...(names !== undefined && { [`${KEY}NormalizedRecordNames`]: names }),
    ...(types !== undefined && { [`${KEY}RecordTypes`]: types }),
  };
  // ForAllValues holds where the key is missing, so each key must be there too.
  return { 'ForAllValues:StringEquals': keys, Null: Object.fromEntries(Object.keys(keys).map((key) => [key, 'false'])) };
}
