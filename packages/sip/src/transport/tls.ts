/** Certificates and their verification (RFC 3261 26.3.1, RFC 5922). */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  type TlsOptions,
} from 'node:tls';
import { type Hop, PuaError } from '@pua/core';
import { parseUri } from '../message/uri.js';

export interface SipTlsOptions {
  /** Certificate with its chain, PEM text or the path of a PEM file: to listen, and for servers that ask. */
  readonly cert?: string | null;
  /** Its private key, PEM text or path, without a passphrase. */
  readonly key?: string | null;
  /** Who is trusted instead of the well-known authorities: PEM text or path. */
  readonly ca?: string | null;
  /** Whether peers that connect must show a certificate of `ca`; default false. */
  readonly requireCertificate?: boolean;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

function refuse(name: string, why: string): never {
  throw new PuaError('PUA_ERR_OPTION', `tls.${name}: ${why}`);
}

function why(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no such file' : message;
}

/** What the option says: itself, or what the file holds that it names. Text of a key never shows up in an error. */
function pem(name: 'cert' | 'key' | 'ca', value: string | null | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  // What could be a key by mistake is not taken for a path, as paths are shown.
  const given = /\n|-----BEGIN /.test(value);
  const place = given ? 'the text' : JSON.stringify(value);
  let text = value;
  try {
    if (!given) text = readFileSync(value, 'utf8');
  } catch (error) {
    refuse(name, `${place} can't be read: ${why(error)}; give the path of a PEM file`);
  }
  const blocks = text.match(name === 'key' ? KEY : CERTIFICATE);
  if (!blocks)
    refuse(name, `${place} holds no ${name === 'key' ? 'private key' : 'certificate'}; give one in PEM form`);
  try {
    if (name !== 'key') for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    refuse(name, `a certificate in ${place} can't be read: ${why(error)}; give one in PEM form`);
  }
  return text;
}

/** With a certificate and its key, if there are any. */
function context(options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (error) {
    return refuse('key', `${why(error)}; give the private key of tls.cert in PEM form, without a passphrase`);
  }
}

export class TlsSettings {
  /** Made when it is needed: it holds the well-known authorities. */
  private secureContext: SecureContext | undefined;
  private readonly options: SecureContextOptions;
  private readonly requireCertificate: boolean;

  /** @throws PuaError `PUA_ERR_OPTION` naming the option and the file */
  constructor(options: SipTlsOptions = {}) {
    const cert = pem('cert', options.cert);
    const key = pem('key', options.key);
    const ca = pem('ca', options.ca);
    this.requireCertificate = options.requireCertificate ?? false;
    if (cert !== undefined && key === undefined) refuse('key', 'is missing; tls.cert needs its private key');
    if (key !== undefined && cert === undefined) refuse('cert', 'is missing; tls.key needs its certificate');
    if (this.requireCertificate && ca === undefined) {
      refuse('ca', 'is missing; requireCertificate needs the authority that has signed them');
    }
    this.options = { ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }) };
    if (key !== undefined) this.secureContext = context(this.options);
  }

  /** Whether there is a certificate to listen with. */
  get canListen(): boolean {
    return this.options.cert !== undefined;
  }

  /** For a connection to that hop: its certificate must be of the domain that was asked for, else of its address. */
  toward({ host, serverName = host }: Hop): ConnectionOptions {
    const name = serverName.replace(/\.$/, '');
    this.secureContext ??= context(this.options);
    return {
      secureContext: this.secureContext,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_name, certificate) => checkSipIdentity(name, certificate),
    };
  }

  /** For accepted connections. */
  get listening(): TlsOptions {
    const { requireCertificate } = this;
    return { ...this.options, requestCert: requireCertificate, rejectUnauthorized: requireCertificate };
  }
}

/** Entries of node's form `DNS:a, URI:"sip:b, c"`: what could be mistaken for a border stands in quotes. */
const ALTERNATIVE_NAME = /([^:,]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/y;

function sipDomains(alternativeNames: string): string[] {
  const domains: string[] = [];
  ALTERNATIVE_NAME.lastIndex = 0;
  for (let found = ALTERNATIVE_NAME.exec(alternativeNames); found; found = ALTERNATIVE_NAME.exec(alternativeNames)) {
    const [, kind, value] = found as unknown as [string, string, string];
    // A sips URI or one with a user is no domain (RFC 5922 7.1).
    const uri = kind === 'URI' && !value.startsWith('"') ? parseUri(value) : undefined;
    if (uri?.scheme === 'sip' && uri.user === undefined) domains.push(uri.host.toLowerCase());
  }
  return domains;
}

/**
 * RFC 5922 7.1: a `sip:` URI among the alternative names is a domain, and where there is one, DNS names are none; else it
 * must be what HTTPS would accept. The common name counts only where there are no alternative names.
 */
export function checkSipIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  const { subjectaltname } = certificate;
  if (subjectaltname === undefined) return checkServerIdentity(name, certificate);
  const domains = sipDomains(subjectaltname);
  if (domains.includes(name.toLowerCase())) return undefined;
  if (domains.length > 0 && isIP(name) === 0) {
    return new Error(`the certificate does not match: it is of sip:${domains.join(', sip:')}, not of ${name}`);
  }
  return checkServerIdentity(name, { ...certificate, subject: {} as PeerCertificate['subject'] });
}
