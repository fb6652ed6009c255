/** What the first lines of an app say must become of it. */
export interface Header {
  /** Whether it synthesizes. */
  readonly succeeds: boolean;
  /** Otherwise, the sentence that it is refused with. */
  readonly refused: string;
  /** What its templates have, as JSON without white space. */
  readonly texts: string[];
}

/** Reads `Succeeds: why`, with a line `A template has: TEXT` for each text, or `Refused: SENTENCE`, from the comment at the start of an app. */
export function headerOf(source: string): Header {
  const lines = /^(?:(?:\/\/|#) .*\n)+/.exec(source)![0].trim().split('\n').map((line) => line.replace(/^(?:\/\/|#) /, ''));
  const [first, ...others] = lines;
  const [, verdict, text] = /^(Succeeds|Refused): (.+)$/.exec(first!)!;
  return { succeeds: verdict === 'Succeeds', refused: text!, texts: others.map((line) => /^A template has: (.+)$/.exec(line)![1]!) };
}
