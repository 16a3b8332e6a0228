/** What the application hands in must not be able to break out of its line or its brackets (header injection). */
import { type Headers, type OutgoingRequest, PuaError } from '@pua/core';
import { ParameterCursor, skipQuoted } from './parameters.js';
import { addressSpan } from './uri.js';

/** Kinds of text by what must not be in them; bits of UNFIT. */
const VALUE = 1;
const ID = 2;
const TAG = 4;
const URI = 8;

/** For each ASCII character the kinds that it is unfit for. */
const UNFIT = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const control = code <= 0x20 || code === 0x7f;
  if (code === 0x00 || code === 0x0a || code === 0x0d) UNFIT[code]! |= VALUE;
  if (control) UNFIT[code]! |= ID | TAG | URI;
  // Would end the URI, or what it stands in.
  if (code === 0x3c || code === 0x3e) UNFIT[code]! |= URI | TAG;
  if (code === 0x3b || code === 0x2c || code === 0x22) UNFIT[code]! |= TAG;
}

const BROKEN = 'is no text of one line: it contains CR, LF or NUL';
const UNFIT_TEXT = -1;
const ASCII = 0;
const MORE = 1;

/** One loop instead of a regular expression per field: this runs for every field of every request. */
function look(text: string, kind: number): number {
  // Types end where JavaScript begins, and whatever is no text says what it likes when it is written.
  if (typeof text !== 'string') return UNFIT_TEXT;
  let found = ASCII;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) found = MORE;
    else if ((UNFIT[code]! & kind) !== 0) return UNFIT_TEXT;
  }
  return found;
}

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** Fields that the engine writes itself; a second one would change what the message says. */
const OWNED = new Set([
  'via',
  'v',
  'from',
  'f',
  'to',
  't',
  'call-id',
  'i',
  'cseq',
  'max-forwards',
  'content-length',
  'l',
  'content-type',
  'c',
]);

/** Names are few and come again; the bound is for a caller that makes them up. */
const KNOWN_NAMES = 1024;
const goodNames = new Set<string>();
const goodMethods = new Set<string>();

function refuse(what: string, value: unknown, why: string): never {
  const long = typeof value === 'string' && value.length > 60;
  const shown = typeof value === 'string' ? JSON.stringify(long ? `${value.slice(0, 60)}...` : value) : typeof value;
  throw new PuaError('PUA_ERR_INVALID_MESSAGE', `${what} ${shown} ${why}`);
}

export function checkName(name: string): void {
  if (goodNames.has(name)) return;
  if (typeof name !== 'string' || !TOKEN.test(name)) refuse('header name', name, 'is not a token (RFC 3261 25.1)');
  if (OWNED.has(name.toLowerCase())) refuse('header', name, 'is written by the engine; leave it out');
  if (goodNames.size < KNOWN_NAMES) goodNames.add(name);
}

/** Whether all of it is ASCII. */
export function checkHeaders(headers: Headers): boolean {
  let seen = ASCII;
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    if (!goodNames.has(header[0])) checkName(header[0]);
    const found = look(header[1], VALUE);
    if (found < 0) refuse(`header ${header[0]}`, header[1], BROKEN);
    seen |= found;
  }
  return seen === ASCII;
}

export function checkReason(reason: string): void {
  if (look(reason, VALUE) < 0) refuse('reason phrase', reason, BROKEN);
}

function checkUri(what: string, uri: string): number {
  const found = look(uri, URI);
  if (uri === '') refuse(what, uri, 'is empty');
  if (found < 0) refuse(what, uri, 'contains CR, LF, NUL, a space or an angle bracket; escape it as %XX');
  return found;
}

function checkTag(what: string, tag: string): number {
  const found = look(tag, TAG);
  if (found < 0 || tag === '') refuse(what, tag, 'is empty or not a tag');
  return found;
}

// Scanning never suspends, so one cursor serves all.
const cursor = new ParameterCursor();

/** One address and nothing else: a second one, or what another reader takes for it, would be one more stop on the way. */
function isOneAddress(text: string): boolean {
  const span = addressSpan(text, 0, text.length);
  if (!span || look(text.slice(span.uriStart, span.uriEnd), URI) < 0) return false;
  const display = text.slice(0, span.displayEnd).trimStart();
  const quoted = display.startsWith('"') && skipQuoted(display, 0, display.length) === display.length;
  if (!quoted && /[",]/.test(display)) return false;
  // Outside of brackets a comma ends the address.
  const bare = !text.includes('<');
  if (bare && text.includes(',')) return false;
  cursor.over(text, span.parameters, text.length);
  while (cursor.next());
  return cursor.at === text.length && !/[<>]/.test(text.slice(span.parameters));
}

function checkRoute(route: string): number {
  const found = look(route, VALUE);
  if (found < 0) refuse('route', route, BROKEN);
  if (!isOneAddress(route)) refuse('route', route, 'is not one address, such as <sip:proxy.example.com;lr>');
  return found;
}

function checkMethod(method: string): void {
  if (typeof method !== 'string' || !TOKEN.test(method)) refuse('method', method, 'is not a token');
  if (goodMethods.size < KNOWN_NAMES) goodMethods.add(method);
}

/**
 * Whether all fields of the request are ASCII; the content of the body is not looked at.
 * @throws PuaError `PUA_ERR_INVALID_MESSAGE` naming the field
 */
export function checkRequest(r: OutgoingRequest): boolean {
  const { callId, cseq, routes, timeoutMs } = r;
  if (!goodMethods.has(r.method)) checkMethod(r.method);
  let seen = checkUri('uri', r.uri) | checkUri('from.uri', r.from.uri) | checkUri('to.uri', r.to.uri);
  seen |= checkTag('from.tag', r.from.tag);
  if (r.to.tag !== undefined) seen |= checkTag('to.tag', r.to.tag);
  if (r.contact !== undefined) seen |= checkUri('contact', r.contact);
  const id = look(callId, ID);
  if (id < 0 || callId === '') refuse('callId', callId, 'is empty or contains white space or controls');
  if (!(Number.isInteger(cseq) && cseq >= 0 && cseq < 2 ** 31)) {
    refuse('cseq', String(cseq), 'is not an integer from 0 to 2^31 - 1');
  }
  // Without end a transaction would be there for ever.
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs < Number.POSITIVE_INFINITY)) {
    refuse('timeoutMs', String(timeoutMs), 'is not a number of milliseconds above 0; leave it out for 64*T1');
  }
  for (let i = 0; i < routes.length; i++) seen |= checkRoute(routes[i]!);
  if (r.body) {
    const type = look(r.body.type, VALUE);
    if (type < 0 || r.body.type === '') refuse('body.type', r.body.type, `is empty or ${BROKEN}`);
    seen |= type;
  }
  return checkHeaders(r.headers) && (seen | id) === ASCII;
}
