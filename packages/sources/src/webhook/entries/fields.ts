/** Values in the JSON of a webhook, bounded; what is wrong with one is said in words. */

import { nearest } from '@pua/core';
import { z } from 'zod';

/** What is said of a value that is missing or of a wrong type. */
const said = (be: string, input: unknown) => (input === undefined ? 'is missing' : `must be ${be}`);
export const must = (be: string) => ({ error: ({ input }: { readonly input?: unknown }) => said(be, input) });

// Control characters and those that XML has no way to carry.
const ILLEGAL = /[\p{Cc}\p{Cs}\uFFFE\uFFFF]/u;

/** One line of text, as it goes into headers and documents. */
export const text = (max: number) =>
  z
    .string(must('a text'))
    .min(1, 'must not be empty')
    .max(max, `may have ${max} characters`)
    .refine((value) => !ILLEGAL.test(value), 'must not hold control characters or halves of characters');

/** RFC 3986 in outline; without the angle brackets that may stand around it in a header. */
export const uri = (max = 1024) =>
  text(max).refine(
    (value) => /^[a-z][a-z0-9+.-]*:[^\s<>"]+$/i.test(value),
    'must be a URI such as sip:alice@example.com, without brackets and display name',
  );

/** Who something is published for. */
export const sipUri = text(1024).refine(
  (value) => /^sips?:[^\s<>"]+$/i.test(value),
  'must be a SIP URI such as sip:alice@example.com',
);

export const flag = z.boolean(must('true or false'));
export const whole = (min: number, max: number) =>
  z
    .int(must(`a whole number from ${min} to ${max}`))
    .min(min, `must be ${min} or more`)
    .max(max, `must be ${max} or less`);
/** Bits of Kamailio's flags. */
export const bits = whole(0, 0xffffffff);
export const word = <const T extends readonly [string, ...string[]]>(words: T) =>
  z.enum(words, must(`one of ${words.join(', ')}`));
export const list = <T extends z.ZodType>(of: T, max: number) =>
  z.array(of, must('a list')).max(max, `may have ${max} entries`);

/** What names the values are, is up to the sender. */
export const table = <T extends z.ZodType>(of: T, max: number) =>
  z
    .record(z.string().max(128, 'its name may have 128 characters'), of, must('an object'))
    .refine((value) => Object.keys(value).length <= max, `may have ${max} entries`);

/** Of a Contact header field. */
export const parameters = table(
  z.union([text(1024), z.literal(true)], 'must be a text, or true when it has no value'),
  64,
);

/** An object with these keys and no others. */
export const strict = <S extends z.core.$ZodLooseShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return said('an object', issue.input);
      const known = Object.keys(shape);
      const remedies = issue.keys.map((key) => `"${key.slice(0, 80)}", did you mean "${nearest(key, known).name}"?`);
      return `unknown key ${remedies.join(' unknown key ')}`;
    },
  });

const EARLIEST = Date.UTC(2000, 0);
const LATEST = Date.UTC(2100, 0);
const TIME = 'milliseconds since 1970, or a date and time with zone such as 2026-01-31T08:00:00Z; years 2000 to 2099';

/** A point in time as milliseconds since 1970. `zero`: that it never comes can be said, too. */
export const time = (zero: 'or-never' | 'only' = 'only') =>
  z
    .union([z.number(), z.iso.datetime({ offset: true, error: `must be ${TIME}` })], must(TIME))
    .transform((value, context) => {
      const ms = typeof value === 'number' ? value : Date.parse(value);
      if ((ms === 0 && zero === 'or-never') || (Number.isInteger(ms) && ms >= EARLIEST && ms < LATEST)) return ms;
      const seconds = ms * 1000 >= EARLIEST && ms * 1000 < LATEST;
      context.issues.push({
        code: 'custom',
        input: value,
        message: `must be ${TIME}${seconds ? '; this looks like seconds' : ''}`,
      });
      return z.NEVER;
    });
