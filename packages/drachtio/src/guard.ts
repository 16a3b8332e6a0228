/**
 * What the application hands in must not be able to break out of its line, its brackets or the frame it travels in. What
 * drachtio-server would throw away or cut off without a word is refused too.
 */
import { type Body, type Headers, type OutgoingRequest, PuaError } from '@pua/core';

const LINE_END = /[\0\r\n]/;
const URI = /^[^\0-\x20\x7f<>]+$/;
const TAG = /^[^\0-\x20\x7f<>;,"|]+$/;
const ID = /^[^\0-\x20\x7f|]+$/;
const METHOD = /^[A-Z]+$/i;
/** The server drops fields whose names have other characters. */
const NAME = /^[A-Za-z0-9_-]+$/;
/** Written by drachtio-server or here; it drops some of them, others would stand twice. */
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
  'route',
  'record-route',
  'rseq',
]);

function refuse(what: string, value: string, why: string): never {
  const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  throw new PuaError('PUA_ERR_INVALID_MESSAGE', `${what} ${shown} ${why}`);
}

function check(what: string, value: string, pattern: RegExp, why: string): void {
  if (!pattern.test(value)) refuse(what, value, why);
}

function checkLine(what: string, value: string): void {
  if (LINE_END.test(value)) refuse(what, value, 'contains CR, LF or NUL');
}

/** @throws PuaError `PUA_ERR_INVALID_MESSAGE` */
export function checkHeaders(headers: Headers): void {
  for (const [name, value] of headers) {
    check('header name', name, NAME, 'has characters other than letters, digits, - and _, which drachtio-server drops');
    if (OWNED.has(name.toLowerCase())) refuse('header', name, 'is written by drachtio-server; leave it out');
    checkLine(`header ${name}`, value);
  }
}

export function checkReason(reason: string): void {
  checkLine('reason phrase', reason);
}

/** @throws PuaError `PUA_ERR_INVALID_MESSAGE` naming the field */
export function checkRequest(r: OutgoingRequest): void {
  check('method', r.method, METHOD, 'is not a method');
  const inUri = 'is empty or contains a space, a control character or an angle bracket; escape it as %XX';
  check('uri', r.uri, URI, inUri);
  check('from.uri', r.from.uri, URI, inUri);
  check('to.uri', r.to.uri, URI, inUri);
  if (r.contact !== undefined) check('contact', r.contact, URI, inUri);
  check('from.tag', r.from.tag, TAG, 'is empty or not a tag');
  if (r.to.tag !== undefined) check('to.tag', r.to.tag, TAG, 'is empty or not a tag');
  check('callId', r.callId, ID, 'is empty or contains white space, a control character or |');
  if (!(Number.isInteger(r.cseq) && r.cseq >= 0 && r.cseq < 2 ** 31)) {
    refuse('cseq', String(r.cseq), 'is not an integer from 0 to 2^31 - 1');
  }
  for (const route of r.routes) checkLine('route', route);
  if (r.body) checkLine('body.type', r.body.type);
  checkHeaders(r.headers);
}

/**
 * The body as the text that a frame can carry; undefined without one.
 * @throws PuaError `PUA_ERR_INVALID_MESSAGE` for bytes that are not UTF-8 and for a NUL, which ends the body at the server
 */
export function bodyText(body: Body | undefined): string | undefined {
  if (!body) return undefined;
  let text: string;
  try {
    text =
      typeof body.content === 'string'
        ? body.content
        : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body.content);
  } catch {
    refuse('body', body.type, 'is not UTF-8 text, and drachtio-srf carries nothing else');
  }
  if (text.includes('\0')) refuse('body', body.type, 'contains NUL, where drachtio-server cuts it off');
  return text;
}
