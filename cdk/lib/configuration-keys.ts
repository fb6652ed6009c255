/** The keys of each part of the configuration. A part has the name that sentences use for it. */
export const KEYS = {
  'the top level': [
    'instance', 'baseDomain', 'baseHostedZoneId', 'subDomain', 'networkingAccount', 'region', 'networkingRegion', 'organizationId', 'consumers',
    'architecture', 'functionZips', 'functionEnvironment', 'logRetentionDays', 'alarmTopicArn', 'terminationProtection', 'retainZones',
    'pipeline',
  ],
  'an entry of consumers': [
    'account', 'region', 'names', 'retiredNames', 'stackName', 'applications', 'certificateRegion', 'externalId', 'ttlSeconds', 'drainSeconds', 'alarmTopicArn',
    'retainZones',
  ],
  pipeline: ['account', 'region', 'repository', 'branch', 'connectionArn', 'notify'],
};

/** A part of the configuration. */
export type Part = keyof typeof KEYS;

/** Returns what is wrong with a key that its part of the configuration does not have: where it belongs, or which key it may be meant to be. */
export function problemOfUnknownKey(key: string, part: Part): string {
  const others = Object.entries(KEYS).filter(([, keys]) => keys.includes(key)).map(([other]) => other);
  const near = nearestWord(key, KEYS[part]);
  const hint = others.length > 0 ? ` here: it is a key of ${others.join(' and of ')}.` : near === undefined ? '.' : `: did you mean ${near}?`;
  return `is unknown${hint} The keys are ${KEYS[part].join(', ')}`;
}

/** Returns the word that differs from the written one in the fewest letters, if they are few; the first of several. */
function nearestWord(written: string, words: readonly string[]): string | undefined {
  const distances = words.map((word) => distance(written.toLowerCase(), word.toLowerCase()));
  const least = Math.min(...distances);
  return least <= Math.max(1, written.length / 4) ? words[distances.indexOf(least)] : undefined;
}

// Levenshtein's, row by row: https://en.wikipedia.org/wiki/Levenshtein_distance
function distance(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [row, letter] of [...one].entries()) {
    const current = [row + 1];
    for (const [column, otherLetter] of [...other].entries()) {
      current.push(Math.min(above[column + 1]! + 1, current[column]! + 1, above[column]! + (letter === otherLetter ? 0 : 1)));
    }
    above = current;
  }
  return above.at(-1)!;
}
