/** What the server makes of the SIP text that an application hands it. */
import type { Headers } from '@pua/core';
import type { Field } from '../phone/message.js';
import { parseAddress, splitList } from '../sip/headers.js';
import type { Command } from './frames.js';

/** Thrown away without a word. */
const DROPPED = new Set(['via', 'route', 'record-route', 'rseq', 'content-length']);
/** Written by the SIP engine, or read here. */
const OWN = new Set(['call-id', 'from', 'to', 'cseq', 'contact', 'content-type', 'max-forwards']);

export interface Draft {
  readonly method: string;
  readonly uri: string;
  readonly routes: readonly string[];
  readonly callId: string | undefined;
  readonly cseq: number | undefined;
  readonly from: { readonly uri: string; readonly tag: string | undefined } | undefined;
  readonly to: { readonly uri: string; readonly tag: string | undefined } | undefined;
  readonly contact: string | undefined;
  readonly contentType: string | undefined;
  readonly headers: Headers;
}

export function readDraft(command: Command): Draft {
  const { startLine, headers } = command;
  const [method = '', target = ''] = startLine.split(' ');
  const [uri = '', query = ''] = target.split('?');
  const own = (name: string) => headers.find(([given]) => given.toLowerCase() === name)?.[1];
  const address = (name: string) => {
    const value = own(name);
    return value === undefined ? undefined : parseAddress(value);
  };
  const cseq = own('cseq');
  return {
    method,
    uri,
    // Header fields of the Request-URI become header fields of the request.
    routes: [...new URLSearchParams(query).entries()]
      .filter(([name]) => name.toLowerCase() === 'route')
      .flatMap(([, value]) => splitList(value)),
    callId: own('call-id'),
    cseq: cseq === undefined ? undefined : Number.parseInt(cseq, 10),
    from: address('from'),
    to: address('to'),
    contact: address('contact')?.uri,
    contentType: bodyType(command)[0]?.[1],
    headers: passedOn(headers),
  };
}

/** Content-Type of the body, when it has one; SDP is known by its first line. */
export function bodyType({ headers, body }: Command): Field[] {
  const given = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  const type = given ?? (body.startsWith('v=0') ? 'application/sdp' : undefined);
  return type === undefined ? [] : [['Content-Type', type]];
}

/** The fields that go out, under the names under which they do. */
export function passedOn(headers: Headers): Headers {
  return headers
    .filter(([name]) => /^[\w-]+$/.test(name))
    .filter(([name]) => !DROPPED.has(name.toLowerCase()) && !OWN.has(name.toLowerCase()))
    .map(([name, value]) => [capitalized(name), value]);
}

/** The same of an answer, which may have a Contact of its own. */
export function passedBack(headers: Headers, host: string, port: number): Headers {
  const contacts = headers.filter(([name]) => name.toLowerCase() === 'contact');
  const own = contacts.map(([, value]) => ['Contact', value.replace('@localhost', `@${host}:${port}`)] as const);
  return [...passedOn(headers), ...own];
}

function capitalized(name: string): string {
  return name.startsWith('X-') ? name : name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** A Contact with another IPv4 address, or with `localhost`, gets the server's own; a URI or a name-addr. */
export function ownContact(contact: string, host: string, port: number): string {
  return contact.replace(
    /((?:^|<)sips?:(?:[^@<>]*@)?)(?:\d+\.\d+\.\d+\.\d+|localhost)(?::\d+)?(?=[;?>]|$)/,
    (address, before: string) =>
      address === `${before}${host}` || address.startsWith(`${before}${host}:`) ? address : `${before}${host}:${port}`,
  );
}

/** A From or To as a name-addr without its parameters; `localhost` in it is the server. */
export function nameAddr(value: string, host: string, port: number): string {
  const { uri } = parseAddress(value);
  const display = value.includes(`<`) ? value.slice(0, value.lastIndexOf('<')) : '';
  return `${display}<${uri.replace(/@localhost$/, `@${host}:${port}`)}>`;
}

/** A final answer that the server's own stack makes: with what the request had, so without a To tag of its own. */
export function stackAnswer(status: number, reason: string, request: string): string {
  const kept = request.split('\r\n').filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/.test(line));
  return [`SIP/2.0 ${status} ${reason}`, ...kept, 'Content-Length: 0', '', ''].join('\r\n');
}
