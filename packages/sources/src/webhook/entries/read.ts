/** The body of a request: one entry or a list of them, checked as a whole. */
import type { HttpAnswer } from '@pua/core';
import type { z } from 'zod';

/** So many entries may come in one request. */
export const MAX_ENTRIES = 10_000;
/** So many problems are told; who sees them mends the others, too. */
const MAX_PROBLEMS = 20;

/** A request that is answered without anything having been done. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  get answer(): HttpAnswer {
    return { status: this.status, body: { error: this.message, ...this.details } };
  }
}

/** What is wrong with one entry: the place in it, such as `.dialog.callee.uri`, and words. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

export type Read<T> = (entry: unknown) => { readonly value: T } | { readonly problems: readonly Problem[] };

/**
 * All entries, or none.
 * @throws Refused 400 that names the places: `[3].dialog.callee.uri: must be a URI`
 */
export function readEntries<T>(body: unknown, read: Read<T>): T[] {
  const several = Array.isArray(body);
  const given: unknown[] = several ? body : [body];
  if (given.length > MAX_ENTRIES) {
    throw new Refused(400, `the list may have ${MAX_ENTRIES} entries, not ${given.length}; send it in parts`);
  }
  const values: T[] = [];
  const problems: string[] = [];
  for (const [i, entry] of given.entries()) {
    const result = read(entry);
    if ('value' in result) values.push(result.value);
    else
      problems.push(...result.problems.map(({ path, message }) => placed(several ? `[${i}]${path}` : path, message)));
    if (problems.length >= MAX_PROBLEMS) break;
  }
  if (problems.length === 0) return values;
  const told = problems.slice(0, MAX_PROBLEMS);
  throw new Refused(400, `nothing was taken: ${told.join('; ')}`, { problems: told });
}

const placed = (path: string, message: string) => {
  const place = path.replace(/^\./, '');
  return place === '' ? message : `${place}: ${message}`;
};

/** Reads by a schema. */
export function reader<T>(schema: z.ZodType<T>): Read<T> {
  return (entry) => {
    const parsed = schema.safeParse(entry);
    if (parsed.success) return { value: parsed.data };
    return { problems: parsed.error.issues.map(({ path, message }) => ({ path: pathText(path), message })) };
  };
}

/** `.dialog.callee.uri`, `.siblings[2].aor` */
function pathText(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key).slice(0, 80)}`)).join('');
}
