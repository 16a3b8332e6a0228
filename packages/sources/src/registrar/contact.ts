/** The Contact header fields of a REGISTER (RFC 3261 10.3, steps 6 and 7; RFC 5626, RFC 5627). */
import type { ContactUpdate } from '../location/index.js';
import { AddressReader } from './address.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** One value; the registrar then decides on its lifetime. */
export interface ContactValue extends Writable<ContactUpdate> {
  /** Seconds; -1: it has no `expires` parameter. */
  expires: number;
  /** What Kamailio's `received` parameter says. */
  received?: string;
}

/** RFC 3261 10.2.1.1: for one that can't be read. */
const MALFORMED_EXPIRES = 3600;
const MAX_EXPIRES = 2 ** 31 - 1;
const MAX_VALUES = 100;
/** Characters of one line. */
const MAX_LINE = 8_192;

/** Seconds; a lifetime that can't be read is an hour. */
export function secondsOf(text: string): number {
  return /^[0-9]+$/.test(text) ? Math.min(Number(text), MAX_EXPIRES) : MALFORMED_EXPIRES;
}

/** A text: what is malformed, fit for a reason phrase. */
export function readContacts(lines: readonly string[]): readonly ContactValue[] | '*' | string {
  const values: ContactValue[] = [];
  let stars = 0;
  for (const line of lines) {
    if (line.length > MAX_LINE) return 'Contact Too Long';
    const reader = new AddressReader(line);
    while (reader.next()) {
      const value = readValue(reader);
      if (typeof value === 'string') return value;
      if (value.contact === '*') stars++;
      else if (values.push(value) > MAX_VALUES) return 'Too Many Contacts';
    }
    if (reader.malformed) return 'Malformed Contact';
  }
  if (stars === 0) return values;
  return stars === 1 && values.length === 0 ? '*' : 'Contact * Stands Alone';
}

function readValue(reader: AddressReader): ContactValue | string {
  const value: ContactValue = { contact: reader.uri, expires: -1 };
  let params: Record<string, string | true> | undefined;
  while (reader.parameter()) {
    const { name, value: given } = reader;
    const text = given === true ? '' : given;
    switch (name) {
      case 'expires':
        value.expires = secondsOf(text);
        break;
      case 'q':
        if (!/^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text)) return 'Malformed q Of Contact';
        value.q = Number(text);
        break;
      case '+sip.instance':
        if (text === '') return 'Malformed Instance Of Contact';
        value.instance = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
        break;
      case 'reg-id':
        if (!/^[1-9][0-9]{0,9}$/.test(text) || Number(text) > MAX_EXPIRES) return 'Malformed reg-id Of Contact';
        value.regId = Number(text);
        break;
      case 'pub-gruu':
        value.pubGruu = text;
        break;
      case 'temp-gruu':
        value.tempGruu = text;
        break;
      case 'received':
        value.received = text;
        break;
      default:
        // No prototype: the names are the peer's.
        params ??= Object.create(null) as Record<string, string | true>;
        params[name] = given;
    }
  }
  if (params) value.params = params;
  // RFC 5626 section 6: without an instance it says nothing.
  if (value.instance === undefined) delete value.regId;
  return value;
}
