/** Values of the vocabulary of Kamailio's pua_json. Senders are old programs: numbers and truth may come as texts. */
import { z } from 'zod';
import { must, text } from '../entries/fields.js';

/** A whole number, or its decimal digits. */
export const count = (most: number) => {
  const range = `a whole number from 0 to ${most}`;
  return z.union([z.number(), z.string()], must(range)).transform((value, context) => {
    const number = typeof value === 'number' || /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isInteger(number) && number >= 0 && number <= most) return number;
    context.issues.push({ code: 'custom', input: value, message: `must be ${range}` });
    return z.NEVER;
  });
};

/** A word in any case. */
export const anyCase = <const T extends readonly string[]>(words: T) =>
  z
    .string(must('a text'))
    .transform((value) => value.toLowerCase())
    .pipe(z.enum(words, must(`one of ${words.join(', ')}`)));

const YES = ['yes', 'true', '1'];
const NO = ['no', 'false', '0'];

/** true, false, or a word that says so. */
export const yesOrNo = z.union([z.boolean(), z.string()], must('yes or no')).transform((value, context) => {
  const word = String(value).toLowerCase();
  if (YES.includes(word)) return true;
  if (NO.includes(word)) return false;
  context.issues.push({ code: 'custom', input: value, message: 'must be yes or no' });
  return z.NEVER;
});

/** A URI; `user@host` stands for a SIP URI. */
export const address = text(1024)
  .transform((value) => (/^(?:sips?|tel|pres|im|urn):/i.test(value) ? value : `sip:${value}`))
  .refine(
    (value) => /^[a-z]+:[^\s<>"]+$/i.test(value),
    'must be a URI or user@host, without brackets and display name',
  );

export const user = text(255);
export const realm = text(255).refine(
  (value) => /^(?:[\w.-]+|\[[0-9a-f:.]+\])$/i.test(value),
  'must be a domain such as example.com',
);

/** SIP URI of a user (RFC 3261 25.1: what must not stand in one, is escaped). */
export function uriOf(name: string, domain: string): string {
  const escaped = name.replace(/[^\w.!~*'()&=+$,;?/-]/gu, (char) => encodeURIComponent(char));
  return `sip:${escaped}@${domain}`;
}
