/** Arguments of the commands: their schemas, the names they go by, and Kamailio's positional form. */
import { z } from 'zod';
import { Fault } from './faults.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f]/;
const SIP_URI = /^(?:sips?|tel|pres|im):[^\s<>"]+$/i;

const isUri = (text: string) => text.length <= 1024 && SIP_URI.test(text) && !CONTROL.test(text);

/** Presentity or watcher. */
export const uri = z.string('must be a text').refine(isUri, 'must be a SIP URI such as sip:alice@example.com');
/** Next hop. */
export const hopUri = z
  .string('must be a text')
  .refine((text) => isUri(text) && /^sips?:/i.test(text), 'must be a sip: or sips: URI');
export const line = (max: number) =>
  z
    .string('must be a text')
    .min(1, 'must not be empty')
    .max(max, `must have at most ${max} characters`)
    .refine((text) => !CONTROL.test(text), 'must not hold control characters');
const SECONDS = 'must be a whole number of seconds (negative: the default, kept alive for ever; 0: remove)';
export const expires = z.int(SECONDS).min(-0x80000000, SECONDS).max(0x7fffffff, SECONDS);
export const headers = z.union(
  [z.string(), z.array(z.tuple([z.string(), z.string()]))],
  'must be complete header lines, or a list of [name, value] pairs',
);

/** OpenSIPS' names (pua_mi) and the ones they stand for. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['presentity_uri', 'uri'],
  ['watcher_uri', 'watcher'],
  ['event_package', 'event'],
  ['etag', 'ifMatch'],
  ['extra_headers', 'headers'],
  ['content_type', 'contentType'],
  ['outbound_proxy', 'outboundProxy'],
]);

export interface Named {
  readonly values: Record<string, unknown>;
  /** Some were given by OpenSIPS' names. */
  readonly opensips: boolean;
}

/** @throws Fault `invalid-params` when one argument comes under both its names */
export function canonicalNames(params: Readonly<Record<string, unknown>>): Named {
  const values: Record<string, unknown> = Object.create(null);
  let opensips = false;
  for (const [name, value] of Object.entries(params)) {
    const canonical = OTHER_NAMES.get(name) ?? name;
    if (canonical in values) {
      throw new Fault('invalid-params', `${name}: given twice, as ${canonical} and under its other name`);
    }
    if (canonical !== name) opensips = true;
    values[canonical] = value;
  }
  return { values, opensips };
}

/** @throws Fault `invalid-params` that lists everything that is wrong */
export function checked<S extends z.ZodType>(schema: S, values: unknown, known: readonly string[]): z.infer<S> {
  const parsed = schema.safeParse(values);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => `${key.slice(0, 80)}: unknown; known are ${known.join(', ')}`);
    }
    const path = issue.path.map(String).join('.');
    const missing = issue.path.length === 1 && (values as Record<string, unknown>)[path] === undefined;
    return [`${path}: ${missing ? 'is missing' : issue.message}`];
  });
  throw new Fault('invalid-params', problems.join('; '), { problems });
}

/** Kamailio's decimal text; anything else stays for the schema to refuse. */
export function seconds(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value;
}

/** A single dot means "none". */
export const dotted = (value: unknown): unknown => (value === '.' ? undefined : value);

/** @throws Fault `invalid-params` */
export function checkCount(given: readonly unknown[], names: readonly string[], least: number): void {
  if (given.length >= least && given.length <= names.length) return;
  const optional = names.slice(least);
  const list = [...names.slice(0, least), ...optional.map((name) => `[${name}]`)].join(', ');
  throw new Fault(
    'invalid-params',
    `${given.length} arguments given; the order is ${list}${least > 4 ? ' (a single dot means none)' : ''}`,
  );
}
