/** The expected result of an app, from its first lines. */
export interface Header {
  /** Whether it synthesizes. */
  readonly succeeds: boolean;
  /** Otherwise, the sentence of the error. */
  readonly refused: string;
  /** Texts that its templates contain, as JSON without white space. */
  readonly texts: string[];
}

/** Reads `Succeeds: why`, with a line `A template has: TEXT` for each text, or `Refused: SENTENCE`, from the comment at the start of an app. */
export function headerOf(source: string): Header {
  const lines = /^(?:(?:\/\/|#) .*\n)+/.exec(source)![0].trim().split('\n').map((line) => line.replace(/^(?:\/\/|#) /, ''));
  const [first, ...others] = lines;
  const [, verdict, text] = /^(Succeeds|Refused): (.+)$/.exec(first!)!;
  return { succeeds: verdict === 'Succeeds', refused: text!, texts: others.map((line) => /^A template has: (.+)$/.exec(line)![1]!) };
}
