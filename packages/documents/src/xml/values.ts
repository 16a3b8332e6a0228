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
export function readInteger(text: string, place: string, least = Number.MIN_SAFE_INTEGER): number {
  const value = /^\s*[+-]?[0-9]+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw documentError(place, `${quote(text)} is no ${integerAbove(least)}`);
}

export function checkInteger(value: number, place: string, least = Number.MIN_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw documentError(place, `${value} is no ${integerAbove(least)}`);
}

function integerAbove(least: number): string {
  return least === Number.MIN_SAFE_INTEGER ? 'whole number' : `whole number of ${least} or more`;
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

/** Ids (xs:ID) of one document: each a name, each only once. */
export class IdRegister {
  readonly #places = new Map<string, string>();

  check(id: string, place: string): string {
    if (!isNcName(id))
      throw documentError(place, `the id ${quote(id)} must start with a letter or "_" and be one word`);
    const first = this.#places.get(id);
    if (first !== undefined) throw documentError(place, `the id ${quote(id)} is that of ${first} already`);
    this.#places.set(id, place);
    return id;
  }
}
