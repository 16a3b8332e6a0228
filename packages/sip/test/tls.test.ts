/** Certificates: what is verified, what is refused, and errors that say which file. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import type { Hop, Outcome } from '@pua/core';
import { type EmbeddedSip, embeddedSip, type SipTlsOptions } from '@pua/sip';
import { checkSipIdentity } from '../dist/transport/tls';
import { type Certificates, hasOpenssl, makeCertificates, read } from './certificates';
import { publish, until } from './support';

const describeTls = hasOpenssl ? describe : describe.skip;
let certificates: Certificates;
beforeAll(() => {
  if (hasOpenssl) certificates = makeCertificates();
});
afterAll(() => certificates?.remove());

const running: EmbeddedSip[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((sip) => sip.stop(0)));
});

async function engine(listen: string, tls: SipTlsOptions): Promise<EmbeddedSip> {
  const sip = embeddedSip({ listen: [listen], tls });
  await sip.start((request) => request.reply(200));
  running.push(sip);
  return sip;
}

async function ask(server: SipTlsOptions, client: SipTlsOptions, serverName?: string) {
  const to = await engine('tls:127.0.0.1:0', server);
  const from = await engine('udp:127.0.0.1:0', client);
  const { port } = to.addresses[0]!;
  const hop: Hop = { transport: 'tls', host: '127.0.0.1', port, ...(serverName === undefined ? {} : { serverName }) };
  const outcome = await new Promise<Outcome>((resolve) => from.request(publish({ hop }), resolve));
  return { outcome, to };
}

const ok = { kind: 'response', status: 200 };
const refused = (why: RegExp) => ({
  kind: 'unreachable',
  sent: false,
  cause: { message: expect.stringMatching(why) },
});

describeTls('the certificate of a server', () => {
  test.each([
    ['its domain', 'sip.example.com', ok],
    ['without case and with the final dot', 'SIP.Example.COM.', ok],
    ['its address', undefined, ok],
    ['another domain', 'example.com', refused(/^tls:127\.0\.0\.1:\d+: Hostname\/IP does not match/)],
  ])('of %s', async (_what, serverName, expected) => {
    const { ca } = certificates;
    expect((await ask(certificates.server, { ca }, serverName)).outcome).toMatchObject(expected);
  });

  test.each([
    ['example.org', ok],
    ['secure.example.org', refused(/does not match/)],
    ['example.net', refused(/does not match/)],
    ['domain', refused(/does not match/)],
    ['host.example.org', refused(/does not match: it is of sip:example\.org, not of host\.example\.org$/)],
  ])('with sip: URIs, asked for %s', async (serverName, expected) => {
    const { ca } = certificates;
    expect((await ask(certificates.domain, { ca }, serverName)).outcome).toMatchObject(expected);
  });

  test('that has expired', async () => {
    const { outcome } = await ask(certificates.expired, { ca: certificates.ca }, 'sip.example.com');
    expect(outcome).toMatchObject(refused(/certificate has expired/));
  });

  test('of nobody known', async () => {
    const { outcome } = await ask(certificates.stranger, { ca: certificates.ca }, 'stranger');
    expect(outcome).toMatchObject(refused(/self-signed certificate/));
    const { outcome: unknown } = await ask(certificates.server, {}, 'sip.example.com');
    expect(unknown).toMatchObject(refused(/certificate/));
  });

  test('names that look like others', () => {
    const of = (subjectaltname: string) =>
      checkSipIdentity('good.example', { subject: { CN: 'x' }, subjectaltname } as unknown as PeerCertificate);
    expect(of('DNS:a.example, URI:sip:GOOD.example')).toBeUndefined();
    expect(of('URI:sip:good.example;transport=tls')).toBeUndefined();
    expect(of('URI:"sip:evil.example, URI:sip:good.example"')).toMatchObject({
      message: expect.stringContaining('does not match'),
    });
    expect(of('URI:http:good.example')).toMatchObject({ message: expect.stringContaining('does not match') });
    expect(of('URI:sip:good.example.evil.example')).toMatchObject({
      message: expect.stringContaining('does not match'),
    });
    expect(of('email:sip:good.example')).toMatchObject({ message: expect.stringContaining('does not match') });
  });
});

describeTls('the certificate of a client', () => {
  const server = () => ({ ...certificates.server, ca: certificates.ca, requireCertificate: true });

  test('is shown to a server that asks for it', async () => {
    const { outcome } = await ask(server(), { ca: certificates.ca, ...certificates.client }, 'sip.example.com');
    expect(outcome).toMatchObject(ok);
  });

  test.each([
    ['none', () => ({})],
    ["a stranger's", () => certificates.stranger],
  ])('%s', async (_what, own) => {
    const { outcome, to } = await ask(server(), { ca: certificates.ca, ...own() }, 'sip.example.com');
    // With TLS 1.3 the client's part is over before the server has looked.
    expect(outcome).toMatchObject({ kind: 'unreachable' });
    await until(() => to.stats().connections.accepted === 0);
    expect(to.stats()).toMatchObject({ received: 0, connections: { broken: 1 } });
  });
});

describeTls('options', () => {
  const path = (name: string) => join(certificates.folder, name);
  const file = (name: string, text: string) => {
    writeFileSync(path(name), text);
    return path(name);
  };

  test('take text as well as paths', async () => {
    const { cert, key } = certificates.server;
    const { outcome } = await ask(
      { cert: read(cert), key: read(key) },
      { ca: read(certificates.ca), cert: null, key: null },
      'sip.example.com',
    );
    expect(outcome).toMatchObject(ok);
  });

  test.each<[string, () => SipTlsOptions, RegExp]>([
    [
      'a file that is not there',
      () => ({ ca: path('no.pem') }),
      /^tls\.ca: ".*no\.pem" can't be read: there is no such file; give/,
    ],
    ['a folder', () => ({ cert: certificates.folder, key: 'x' }), /^tls\.cert: ".*" can't be read: EISDIR/],
    [
      'a file without a certificate',
      () => ({ ca: file('empty.pem', 'hello') }),
      /^tls\.ca: ".*empty\.pem" holds no certificate/,
    ],
    [
      'a key for a certificate',
      () => ({ cert: certificates.server.key, key: 'x' }),
      /^tls\.cert: ".*" holds no certificate/,
    ],
    [
      'a certificate for a key',
      () => ({ cert: certificates.server.cert, key: certificates.server.cert }),
      /^tls\.key: ".*" holds no private key/,
    ],
    [
      'a certificate that is none',
      () => ({ ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }),
      /^tls\.ca: /,
    ],
    [
      'a key of another certificate',
      () => ({ cert: certificates.server.cert, key: certificates.client.key }),
      /^tls\.key: .*key values mismatch/,
    ],
    ['a certificate alone', () => ({ cert: certificates.server.cert }), /^tls\.key: is missing/],
    ['a key alone', () => ({ key: certificates.server.key }), /^tls\.cert: is missing/],
    [
      'nobody to sign what is required',
      () => ({ ...certificates.server, requireCertificate: true }),
      /^tls\.ca: is missing/,
    ],
  ])('%s', (_what, tls, message) => {
    const make = () => embeddedSip({ listen: ['udp:127.0.0.1:0'], tls: tls() });
    expect(make).toThrow(expect.objectContaining({ code: 'PUA_ERR_OPTION', message: expect.stringMatching(message) }));
  });

  test.each([
    ['a key that is none', (key: string) => key.replace(/[A-Z]/g, 'x'), /^tls\.key: the text holds no private key/],
    [
      'a damaged key',
      (key: string) => key.replace(/\n[^-]{20}/, `\n${'A'.repeat(20)}`),
      /^tls\.key: .*without a passphrase/,
    ],
  ])('%s, without showing it', (_what, damage, message) => {
    const key = damage(read(certificates.server.key));
    const make = () => embeddedSip({ listen: ['udp:127.0.0.1:0'], tls: { cert: certificates.server.cert, key } });
    expect(make).toThrow(message);
    expect(make).not.toThrow(key.split('\n')[1]!.slice(0, 20));
  });
});
