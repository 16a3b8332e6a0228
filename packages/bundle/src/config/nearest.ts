/** Which known name somebody may have meant. */

/** Levenshtein: insertions, deletions and replacements from one to the other. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The known name with the least distance; undefined when there are none. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const given = name.slice(0, 64).toLowerCase();
  let best: { readonly name: string; readonly far: number } | undefined;
  for (const candidate of known) {
    const far = distance(given, candidate.toLowerCase());
    if (!best || far < best.far) best = { name: candidate, far };
  }
  return best?.name;
}
