/** Checks of simple values that both directions share; each takes the place for its error and gives back the value. */
import { isNcName } from './chars.js';
import { documentError, quote } from './errors.js';

const dateTimePattern = /^(\d{4,9})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d{1,30})?(?:Z|[+-](\d\d):(\d\d))?$/;

/** xs:dateTime; RFC 3339 asks for a zone on top, which many peers leave out. */
export function checkDateTime(value: string, place: string): string {
  const match = dateTimePattern.exec(value);
  if (match) {
    const [year, month, day, hour, minute, second, zoneHour, zoneMinute] = match.slice(1).map((n) => Number(n ?? 0));
    const days = new Date(Date.UTC(2000 + (year! % 400), month!, 0)).getUTCDate();
    const inRange =
      year! > 0 &&
      month! >= 1 &&
      month! <= 12 &&
      day! >= 1 &&
      day! <= days &&
      hour! < 24 &&
      minute! < 60 &&
      second! < 60;
    if (inRange && zoneMinute! < 60 && zoneHour! * 60 + zoneMinute! <= 14 * 60) return value;
  }
  throw documentError(place, `${quote(String(value))} is no date and time; expected 2024-05-17T09:30:47Z`);
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
