/** The word that takes the fewest letters left out, added or changed to become the one written; the first of several. */
export function nearestWord(written: string, words: readonly string[]): string {
  const distances = words.map((word) => distance(written.toLowerCase(), word.toLowerCase()));
  return words[distances.indexOf(Math.min(...distances))] ?? '';
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
