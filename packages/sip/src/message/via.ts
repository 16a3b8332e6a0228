/** The topmost Via value (RFC 3261 20.42, 18.2.2; rport: RFC 3581): what finds a transaction and where an answer goes. */
import { unfolded } from './fields.js';
import { spells } from './names.js';
import { ParameterCursor, skipSpace } from './parameters.js';
import { portOf } from './uri.js';

export interface Via {
  /** As written: UDP, TCP, ... */
  readonly transport: string;
  /** sent-by as written, without white space: `host`, `host:port`, `[v6]:port`. */
  readonly sentBy: string;
  /** Host of sent-by, an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number | undefined;
  readonly branch: string | undefined;
  /** -1: absent; 0: present without value. */
  readonly rport: number;
  /** Where `rport` without a value ends; -1 otherwise. */
  readonly rportEnd: number;
  readonly received: string | undefined;
  readonly maddr: string | undefined;
  /** Where sent-by ends, and where this value ends: at the comma before the next one, or at the end of the field. */
  readonly parametersAt: number;
  readonly end: number;
}

const SLASH = 0x2f;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const COMMA = 0x2c;

// Scanning never suspends, so one cursor serves all.
const cursor = new ParameterCursor();

/** End of a run without separators or white space. */
function word(text: string, at: number, end: number): number {
  for (; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code <= 0x20 || code === SLASH || code === COLON || code === SEMICOLON || code === COMMA) break;
  }
  return at;
}

/** Index after the slash that must come next; -1 when something else does. */
function afterSlash(text: string, at: number, end: number): number {
  const slash = skipSpace(text, at, end);
  return slash < end && text.charCodeAt(slash) === SLASH ? skipSpace(text, slash + 1, end) : -1;
}

/** Reads the first value of a Via field; undefined when it can't be used. */
export function scanVia(text: string, start: number, end: number): Via | undefined {
  let at = skipSpace(text, start, end);
  if (!spells(text, at, 'sip')) return undefined;
  at = afterSlash(text, at + 3, end);
  if (at < 0 || !text.startsWith('2.0', at)) return undefined;
  const transportStart = afterSlash(text, at + 3, end);
  if (transportStart < 0) return undefined;
  const transportEnd = word(text, transportStart, end);
  const hostStart = skipSpace(text, transportEnd, end);
  if (transportEnd === transportStart || hostStart === transportEnd) return undefined;

  let hostEnd: number;
  const v6 = text.charCodeAt(hostStart) === 0x5b;
  if (v6) {
    const close = text.indexOf(']', hostStart);
    if (close < 0 || close >= end) return undefined;
    hostEnd = close + 1;
  } else hostEnd = word(text, hostStart, end);
  if (hostEnd === hostStart) return undefined;
  const written = text.slice(hostStart, hostEnd);

  at = skipSpace(text, hostEnd, end);
  let port: number | undefined;
  let sentBy = written;
  if (at < end && text.charCodeAt(at) === COLON) {
    const portStart = skipSpace(text, at + 1, end);
    at = word(text, portStart, end);
    const digits = text.slice(portStart, at);
    port = portOf(digits);
    if (port === undefined) return undefined;
    sentBy = `${written}:${digits}`;
    at = skipSpace(text, at, end);
  }
  if (at < end && text.charCodeAt(at) !== SEMICOLON && text.charCodeAt(at) !== COMMA) return undefined;

  let branch: string | undefined;
  let rport = -1;
  let rportEnd = -1;
  let received: string | undefined;
  let maddr: string | undefined;
  cursor.over(text, at, end);
  while (cursor.next()) {
    const { nameStart, nameEnd, valueStart, valueEnd } = cursor;
    const length = nameEnd - nameStart;
    if (length === 6 && spells(text, nameStart, 'branch')) {
      if (valueEnd > valueStart) branch = text.slice(valueStart, valueEnd);
    } else if (length === 5 && spells(text, nameStart, 'rport')) {
      rport = valueEnd > valueStart ? (portOf(text.slice(valueStart, valueEnd)) ?? 0) : 0;
      if (valueStart < 0) rportEnd = nameEnd;
    } else if (length === 5 && spells(text, nameStart, 'maddr')) {
      maddr = text.slice(valueStart, valueEnd);
    } else if (length === 8 && spells(text, nameStart, 'received')) {
      received = text.slice(valueStart, valueEnd);
    }
  }
  return {
    transport: text.slice(transportStart, transportEnd),
    sentBy,
    host: v6 ? written.slice(1, -1) : written,
    port,
    branch,
    rport,
    rportEnd,
    received,
    maddr,
    parametersAt: at,
    end: cursor.at,
  };
}

/**
 * The Via field of an answer, out of `text` from `start` to `end`: `received` and `rport` of the first value say where
 * the request came from, whatever the sender wrote there; the rest is kept as it came (RFC 3261 18.2.1, RFC 3581 4).
 */
export function stampedVia(text: string, start: number, end: number, via: Via, host: string, port: number): string {
  const wanted = via.rport >= 0;
  const moved = wanted || via.host !== host;
  if (!moved && via.received === undefined) return unfolded(text.slice(start, end));
  if (via.rportEnd >= 0 && via.received === undefined) {
    const stamp = `=${port};received=${host}`;
    return unfolded(text.slice(start, via.rportEnd) + stamp + text.slice(via.rportEnd, end));
  }
  let parameters = '';
  cursor.over(text, via.parametersAt, via.end);
  while (cursor.next()) {
    const name = text.slice(cursor.nameStart, cursor.nameEnd);
    if (/^(?:rport|received)$/i.test(name)) continue;
    parameters += cursor.valueStart < 0 ? `;${name}` : `;${name}=${text.slice(cursor.valueStart, cursor.valueEnd)}`;
  }
  if (moved) parameters += `;received=${host}`;
  if (wanted) parameters += `;rport=${port}`;
  return unfolded(text.slice(start, via.parametersAt) + parameters + text.slice(via.end, end));
}
