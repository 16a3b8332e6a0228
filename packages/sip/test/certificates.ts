/** Certificates of a test, made by openssl in a temporary folder: an authority, what it has signed, and a stranger. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Signed {
  /** Paths of PEM files. */
  readonly cert: string;
  readonly key: string;
}

export interface Certificates {
  readonly folder: string;
  readonly ca: string;
  /** For DNS:sip.example.com and IP:127.0.0.1, ::1. */
  readonly server: Signed;
  /** For URI:sip:example.org only: its DNS name is not one of SIP. */
  readonly domain: Signed;
  readonly client: Signed;
  /** For DNS:sip.example.com, until yesterday. */
  readonly expired: Signed;
  /** Signed by nobody. */
  readonly stranger: Signed;
  remove(): void;
}

/** It is there, or must be. Without it the tests that need certificates are left out. */
export const hasOpenssl = spawnSync('openssl', ['version']).error === undefined || process.env.CI === 'true';
if (!hasOpenssl) console.warn('openssl is not installed (apt-get install openssl): tests with TLS left out');

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'sip-tls-'));
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const DAYS = ['-days', '2'];
  const selfSigned = (name: string): Signed => {
    openssl('req', '-x509', ...KEY, ...DAYS, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
    return { cert: path(`${name}.pem`), key: path(`${name}.key`) };
  };
  const ca = selfSigned('authority');
  const signed = (name: string, alternativeNames: string, days = DAYS): Signed => {
    openssl('req', ...KEY, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(path(`${name}.ext`), `subjectAltName=${alternativeNames}\n`);
    const authority = ['-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-extfile', `${name}.ext`];
    openssl('x509', '-req', '-in', `${name}.csr`, ...authority, ...days, '-out', `${name}.pem`);
    return { cert: path(`${name}.pem`), key: path(`${name}.key`) };
  };
  return {
    folder,
    ca: ca.cert,
    server: signed('server', 'DNS:sip.example.com,IP:127.0.0.1,IP:::1'),
    domain: signed(
      'domain',
      'URI:sip:example.org,URI:sips:secure.example.org,URI:sip:alice@example.net,DNS:host.example.org',
    ),
    client: signed('client', 'URI:sip:pua.example.com'),
    expired: signed('expired', 'DNS:sip.example.com', ['-days', '-1']),
    stranger: selfSigned('stranger'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const read = (path: string): string => readFileSync(path, 'utf8');
