/** Which known name was meant. @module */

/**
 * The known name nearest to what was written: the same but for its case, or with at most two letters changed, added, left
 * out or swapped. Undefined where there is none.
 */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  let best: string | undefined, least = 3;
  for (const name of known) {
    const far = name.toLowerCase() === written.toLowerCase() ? 0 : distance(written, name);
    // A name of which everything was changed was not meant.
    if (far < least && far < name.length / 2) best = name, least = far;
  }
  return best;
}

/** What is added to the refusal of a name: the known one that may have been meant, or nothing. */
export function meant(written: string, known: readonly string[]): string {
  const near = nearestName(written, known);
  return near === undefined ? "" : `: was ${near} meant?`;
}

/** How many letters must be changed, added, left out, or swapped with their neighbour to come from one name to the other. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j));
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1, row = rows[i]!, above = rows[i - 1]!;
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
  }
  return rows[a.length]![b.length]!;
}
