/** Checks of simple values that both directions share; each takes the place for its error and gives back the value. */
import { isNcName } from './chars.js';
import { documentError, quote } from './errors.js';

const dateTimePattern = /^(\d{4,9})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,30})?(?:Z|[+-](\d\d):(\d\d))?$/;
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** xs:dateTime; RFC 3339 asks for a zone on top, which many peers leave out. */
export function checkDateTime(value: string, place: string): string {
  const match = dateTimePattern.exec(value);
  if (match && isDay(Number(match[1]), Number(match[2]), Number(match[3])) && isTime(match)) return value;
  throw documentError(place, `${quote(String(value))} is no date and time; expected 2024-05-17T09:30:47Z`);
}

function isDay(year: number, month: number, day: number): boolean {
  const leapDay = month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return year > 0 && day > 0 && (leapDay || day <= (monthDays[month - 1] ?? 0));
}

function isTime([, , , , hour, minute, second, zoneHour = '00', zoneMinute = '00']: RegExpExecArray): boolean {
  const inDay = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  return inDay && Number(zoneMinute) < 60 && Number(zoneHour) * 60 + Number(zoneMinute) <= 14 * 60;
}

/** A URI as far as XML is concerned: something, and no white space. */
export function checkUri(value: string, place: string): string {
  if (typeof value !== 'string' || value === '' || /\s/.test(value))
    throw documentError(place, `${quote(String(value))} is no URI`);
  return value;
}

/** Language tag (BCP 47 in outline). */
export function checkLanguage(value: string, place: string): string {
  if (/^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/.test(value)) return value;
  throw documentError(place, `${quote(value)} is no language tag; expected en or de-CH`);
}

/** Whole number (xs:integer) that a JavaScript number holds exactly. */
export function readInteger(
  text: string,
  place: string,
  least = Number.MIN_SAFE_INTEGER,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const value = /^\s*[+-]?[0-9]+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (isIntegerBetween(value, least, most)) return value;
  throw documentError(place, `${quote(text)} is no ${integerBetween(least, most)}`);
}

export function checkInteger(
  value: number,
  place: string,
  least = Number.MIN_SAFE_INTEGER,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (isIntegerBetween(value, least, most)) return value;
  throw documentError(place, `${value} is no ${integerBetween(least, most)}`);
}

function isIntegerBetween(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}

function integerBetween(least: number, most: number): string {
  if (most !== Number.MAX_SAFE_INTEGER) return `whole number from ${least} to ${most}`;
  return least === Number.MIN_SAFE_INTEGER ? 'whole number' : `whole number of ${least} or more`;
}

/** RFC 3261 section 25.1: 0 to 1, at most three decimals; undefined when it is none. */
export function readQvalue(text: string): number | undefined {
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : undefined;
}

/** As `readQvalue` reads it, rounded to three decimals. */
export function writeQvalue(value: number, place: string): string {
  if (value >= 0 && value <= 1) return String(Math.round(value * 1000) / 1000);
  throw documentError(place, `${value} is not between 0 and 1`);
}

/** Name of a parameter: something, and no white space. */
export function checkWord(value: string, place: string): string {
  if (typeof value === 'string' && /^\S+$/.test(value)) return value;
  throw documentError(place, `${quote(String(value))} must be one word`);
}

/** xs:token in the form that is read back. */
export function checkToken(value: string, place: string): string {
  if (/^\S+(?: \S+)*$/.test(value)) return value;
  throw documentError(place, `${quote(String(value))} must be words with one blank between them`);
}

export function checkOneOf<const V extends string>(value: string, known: readonly V[], place: string): V {
  if ((known as readonly string[]).includes(value)) return value as V;
  throw documentError(place, `${quote(String(value))} is none of ${known.join(', ')}`);
}

/** Name of an element without prefix. */
export function checkName(value: string, place: string): string {
  if (typeof value === 'string' && isNcName(value)) return value;
  throw documentError(place, `${quote(String(value))} is no name of an element`);
}

/** What must be there only once in a document; `what` names it in the error. */
export class UniqueTexts {
  readonly #places = new Map<string, string>();

  constructor(readonly what: string) {}

  check(text: string, place: string): string {
    if (typeof text !== 'string' || text === '') throw documentError(place, `has no ${this.what}`);
    const first = this.#places.get(text);
    if (first !== undefined) throw documentError(place, `the ${this.what} ${quote(text)} is that of ${first} already`);
    this.#places.set(text, place);
    return text;
  }
}

/** Ids (xs:ID) of one document: each a name, each only once. */
export class IdRegister {
  readonly #ids = new UniqueTexts('id');

  check(id: string, place: string): string {
    if (isNcName(id)) return this.#ids.check(id, place);
    throw documentError(place, `the id ${quote(id)} must start with a letter or "_" and be one word`);
  }
}
