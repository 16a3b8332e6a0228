/** The topmost Via value (RFC 3261 20.42, 18.2.2; rport: RFC 3581): what finds a transaction and where an answer goes. */
import { unfolded } from './head.js';
import { spells } from './names.js';
import { ParameterCursor, skipSpace } from './parameters.js';
import { parseHostPort, portOf } from './uri.js';

export class Via {
  /** -1: absent; 0: present without value. */
  rport = -1;
  /** Where `rport` without a value ends; -1 otherwise. */
  rportEnd = -1;
  port: number | undefined = undefined;
  branch: string | undefined = undefined;
  received: string | undefined = undefined;
  maddr: string | undefined = undefined;
  /** Where the parameters begin, and where this value ends: at the comma before the next one, or with the field. */
  parametersAt = 0;
  end = 0;
  /** Semicolons without a parameter between them. */
  gaps = false;

  constructor(
    private readonly text: string,
    private readonly transportStart: number,
    private readonly transportEnd: number,
    private readonly hostStart: number,
    private readonly hostEnd: number,
  ) {}

  /** As written: UDP, TCP, ... */
  get transport(): string {
    return this.text.slice(this.transportStart, this.transportEnd);
  }
  /** Host of sent-by, an IPv6 address without brackets. */
  get host(): string {
    const { text, hostStart, hostEnd } = this;
    return text.charCodeAt(hostStart) === BRACKET
      ? text.slice(hostStart + 1, hostEnd - 1)
      : text.slice(hostStart, hostEnd);
  }
  /** sent-by without white space: `host`, `host:port`, `[v6]:port`. */
  get sentBy(): string {
    const written = this.text.slice(this.hostStart, this.hostEnd);
    return this.port === undefined ? written : `${written}:${this.port}`;
  }

  /** Byte for byte as a rule; some servers change the case or leave the default port out (RFC 3261 18.1.2). */
  isSentBy(ours: string): boolean {
    const { text, hostStart, parametersAt } = this;
    if (parametersAt - hostStart === ours.length && text.startsWith(ours, hostStart)) return true;
    const own = parseHostPort(ours);
    return this.host.toLowerCase() === own?.host.toLowerCase() && (this.port ?? 5060) === (own?.port ?? 5060);
  }
}

const BRACKET = 0x5b;
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
  if (at < 0) return undefined;
  // Whatever version: a request of another one has to be answered, too (505).
  const transportStart = afterSlash(text, word(text, at, end), end);
  if (transportStart < 0) return undefined;
  const transportEnd = word(text, transportStart, end);
  const hostStart = skipSpace(text, transportEnd, end);
  if (transportEnd === transportStart || hostStart === transportEnd) return undefined;

  let hostEnd: number;
  if (text.charCodeAt(hostStart) === BRACKET) {
    const close = text.indexOf(']', hostStart);
    if (close < 0 || close >= end) return undefined;
    hostEnd = close + 1;
  } else hostEnd = word(text, hostStart, end);
  if (hostEnd === hostStart) return undefined;

  const via = new Via(text, transportStart, transportEnd, hostStart, hostEnd);
  at = skipSpace(text, hostEnd, end);
  if (at < end && text.charCodeAt(at) === COLON) {
    const portStart = skipSpace(text, at + 1, end);
    at = word(text, portStart, end);
    via.port = portOf(text, portStart, at);
    if (via.port === undefined) return undefined;
    at = skipSpace(text, at, end);
  }
  if (at < end && text.charCodeAt(at) !== SEMICOLON && text.charCodeAt(at) !== COMMA) return undefined;
  via.parametersAt = at;

  cursor.over(text, at, end);
  while (cursor.next()) {
    const { nameStart, nameEnd, valueStart, valueEnd } = cursor;
    switch (nameEnd - nameStart) {
      case 6:
        if (valueEnd > valueStart && spells(text, nameStart, 'branch')) via.branch = text.slice(valueStart, valueEnd);
        break;
      case 5:
        if (spells(text, nameStart, 'rport')) {
          via.rport = (valueEnd > valueStart && portOf(text, valueStart, valueEnd)) || 0;
          if (valueStart < 0) via.rportEnd = nameEnd;
        } else if (spells(text, nameStart, 'maddr')) via.maddr = text.slice(valueStart, valueEnd);
        break;
      case 8:
        if (spells(text, nameStart, 'received')) via.received = text.slice(valueStart, valueEnd);
    }
  }
  via.end = cursor.at;
  via.gaps = cursor.gaps;
  return via;
}

/**
 * The Via field of an answer, out of `text` from `start` to `end`: `received` and `rport` of the first value say where
 * the request came from, whatever the sender wrote there; the rest is kept as it came (RFC 3261 18.2.1, RFC 3581 4).
 */
export function stampedVia(text: string, start: number, end: number, via: Via, source: string, port: number): string {
  // The zone of a link-local address (fe80::1%eth0) means something on this host only.
  const zone = source.indexOf('%');
  const host = zone < 0 ? source : source.slice(0, zone);
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
