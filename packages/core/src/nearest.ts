/** Which known name somebody may have meant. */

/** Levenshtein: insertions, deletions and replacements from one to the other. */
function distance(a: string, b: string): number {
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

export interface Near {
  readonly name: string;
  /** Letters that differ; capital or small is no difference. */
  readonly far: number;
}

/** The known name with the least distance; `known` has at least one. */
export function nearest(name: string, known: readonly string[]): Near {
  const given = name.slice(0, 64).toLowerCase();
  const all = known.map((candidate) => ({ name: candidate, far: distance(given, candidate.toLowerCase()) }));
  return all.reduce((best, next) => (next.far < best.far ? next : best));
}
