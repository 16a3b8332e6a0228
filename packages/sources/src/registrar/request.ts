/** What a REGISTER says, read once; the first thing that is malformed ends it (400). */
import type { HeaderView, IncomingRequest } from '@pua/core';
import { canonicalAor } from '../location/index.js';
import { AddressReader } from './address.js';
import { type ContactValue, readContacts, secondsOf } from './contact.js';

export interface RegisterRequest {
  readonly request: IncomingRequest;
  /** To: canonical, with its domain. */
  readonly aor: string;
  /** Domain of To, in lower case; empty for a `tel:` URI. */
  readonly domain: string;
  readonly toUri: string;
  readonly fromUri: string;
  readonly callId: string;
  readonly cseq: number;
  readonly contacts: readonly ContactValue[] | '*';
  /** Seconds of the Expires header field. */
  readonly expires: number | undefined;
  /** As it stands there, comma separated. */
  readonly path: string | undefined;
}

/** A final answer other than 200. */
export interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: readonly (readonly [string, string])[];
}

export const isRefusal = (value: object | string): value is Refusal => typeof value === 'object' && 'status' in value;

const malformed = (reason: string): Refusal => ({ status: 400, reason });

/** Tags of an option list such as Require, in lower case. */
export function optionTags(headers: HeaderView, name: string): readonly string[] {
  const lines = headers.all(name);
  if (lines.length === 0) return [];
  return lines.flatMap((line) => line.toLowerCase().match(/[^\s,]+/g) ?? []);
}

/** Domain of a canonical AOR: `alice@example.com`, `example.com` -> `example.com`; empty for a URI of another scheme. */
export const domainOf = (aor: string): string =>
  /^[a-z][a-z0-9+.-]*:/.test(aor) ? '' : aor.slice(aor.lastIndexOf('@') + 1);

/** The URI of From or To: exactly one address. */
function uriOf(line: string | undefined): string | undefined {
  if (line === undefined) return undefined;
  const reader = new AddressReader(line);
  if (!reader.next() || reader.uri === '*') return undefined;
  const { uri } = reader;
  while (reader.parameter());
  return reader.next() || reader.malformed ? undefined : uri;
}

function pathOf(headers: HeaderView): string | undefined | Refusal {
  const lines = headers.all('Path');
  if (lines.length === 0) return undefined;
  const path = lines.join(', ');
  const reader = new AddressReader(path);
  while (reader.next()) {
    if (reader.uri === '*') return malformed('Malformed Path');
    while (reader.parameter());
  }
  return reader.malformed ? malformed('Malformed Path') : path;
}

export function readRegister(request: IncomingRequest): RegisterRequest | Refusal {
  const { headers } = request;
  const toUri = uriOf(headers.get('To'));
  const aor = toUri === undefined ? undefined : canonicalAor(toUri);
  if (toUri === undefined || aor === undefined) return malformed('Malformed To');
  const fromUri = uriOf(headers.get('From'));
  if (fromUri === undefined) return malformed('Malformed From');
  const callId = headers.get('Call-ID');
  if (callId === undefined || callId === '') return malformed('Missing Call-ID');
  const cseq = Number(/^([0-9]{1,10})\s/.exec(headers.get('CSeq') ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(cseq)) return malformed('Malformed CSeq');
  const contacts = readContacts(headers.all('Contact'));
  if (typeof contacts === 'string' && contacts !== '*') return malformed(contacts);
  const given = headers.get('Expires');
  const expires = given === undefined ? undefined : secondsOf(given);
  if (contacts === '*' && expires !== 0) return malformed('Contact * Needs Expires 0');
  const path = pathOf(headers);
  if (typeof path === 'object') return path;
  return { request, aor, domain: domainOf(aor), toUri, fromUri, callId, cseq, contacts, expires, path };
}
