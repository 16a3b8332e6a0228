/** What the application hands in must not be able to break out of its line or its brackets (header injection). */
import { type Headers, type OutgoingRequest, PuaError } from '@pua/core';

/** Would end a URI or what it stands in. */
const UNFIT_URI = /[\0-\x20<>\x7f]/;
const UNFIT_ID = /[\0-\x20\x7f]/;
const UNFIT_TAG = /[\0-\x20;,<>"\x7f]/;
const UNFIT_VALUE = /[\0\r\n]/;
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

function refuse(what: string, value: string, why: string): never {
  const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  throw new PuaError('PUA_ERR_INVALID_MESSAGE', `${what} ${shown} ${why}`);
}

export function checkName(name: string): void {
  if (goodNames.has(name)) return;
  if (!TOKEN.test(name)) refuse('header name', name, 'is not a token (RFC 3261 25.1)');
  if (OWNED.has(name.toLowerCase())) refuse('header', name, 'is written by the engine; leave it out');
  if (goodNames.size < KNOWN_NAMES) goodNames.add(name);
}

export function checkHeaders(headers: Headers): void {
  for (const [name, value] of headers) {
    checkName(name);
    if (UNFIT_VALUE.test(value)) refuse(`header ${name}`, value, 'contains CR, LF or NUL');
  }
}

export function checkReason(reason: string): void {
  if (UNFIT_VALUE.test(reason)) refuse('reason phrase', reason, 'contains CR, LF or NUL');
}

/** @throws PuaError `PUA_ERR_INVALID_MESSAGE` naming the field */
export function checkRequest(r: OutgoingRequest): void {
  // One test for each kind of field; which one it was is looked up only when there is something to report.
  const { headers, routes } = r;
  let values = '';
  for (let i = 0; i < headers.length; i++) {
    const header = headers[i]!;
    if (!goodNames.has(header[0])) checkName(header[0]);
    values += header[1];
  }
  for (let i = 0; i < routes.length; i++) values += routes[i];
  if (r.body) values += r.body.type;
  const uris = r.uri + r.from.uri + r.to.uri + (r.contact ?? '');
  if (UNFIT_VALUE.test(values) || UNFIT_URI.test(uris)) name(r);
  if (!r.uri || !r.from.uri || !r.to.uri) name(r);
  if (UNFIT_ID.test(r.callId) || !r.callId) refuse('callId', r.callId, 'is empty or contains white space or controls');
  if (UNFIT_TAG.test(r.from.tag) || !r.from.tag) refuse('from.tag', r.from.tag, 'is empty or not a tag');
  if (r.to.tag !== undefined && (UNFIT_TAG.test(r.to.tag) || !r.to.tag)) {
    refuse('to.tag', r.to.tag, 'is empty or not a tag');
  }
  if (!TOKEN.test(r.method)) refuse('method', r.method, 'is not a token');
  if (!(Number.isInteger(r.cseq) && r.cseq >= 0 && r.cseq < 2 ** 31)) {
    refuse('cseq', String(r.cseq), 'is not an integer from 0 to 2^31 - 1');
  }
}

function name(r: OutgoingRequest): void {
  const uris: readonly [string, string | undefined][] = [
    ['uri', r.uri],
    ['from.uri', r.from.uri],
    ['to.uri', r.to.uri],
    ['contact', r.contact],
  ];
  for (const [what, uri] of uris) {
    if (uri === '') refuse(what, uri, 'is empty');
    if (uri !== undefined && UNFIT_URI.test(uri)) {
      refuse(what, uri, 'contains CR, LF, NUL, a space or an angle bracket; escape it as %XX');
    }
  }
  for (const route of r.routes) if (UNFIT_VALUE.test(route)) refuse('route', route, 'contains CR, LF or NUL');
  checkHeaders(r.headers);
  if (r.body && UNFIT_VALUE.test(r.body.type)) refuse('body.type', r.body.type, 'contains CR, LF or NUL');
}
