/** Requests that a port sends, and what their answers become. */
import assert from 'node:assert/strict';
import { type OutgoingRequest, PuaError } from '@pua/core';
import type { SipCase } from './sip.js';
import { response, type Scene } from './sip-scene.js';

const PIDF = '<?xml version="1.0"?>\r\n<presence note="Grüße, 世界 🙂"/>\r\n\r\n<!-- behind an empty line -->';

const UNFIT: readonly (readonly [what: string, Partial<OutgoingRequest>])[] = [
  ['a header value with CR LF', { headers: [['X-One', 'a\r\nX-Two: b']] }],
  ['a header value with LF', { headers: [['X-One', 'a\nX-Two: b']] }],
  ['a header value with NUL', { headers: [['X-One', 'a\0b']] }],
  ['a header name with more than a name', { headers: [['X-One: a\r\nX-Two', 'b']] }],
  ['a header that the engine writes', { headers: [['Call-ID', 'other']] }],
  ['a Request-URI with a space', { uri: 'sip:alice@example.com SIP/2.0\r\nX-Two: b' }],
  ['a From URI with a bracket', { from: { uri: 'sip:a@b>;tag=x', tag: 'local' } }],
  ['a From tag with a semicolon', { from: { uri: 'sip:a@b', tag: 'local;x=y' } }],
  ['a To URI with CR', { to: { uri: 'sip:a@b\r' } }],
  ['a Contact with CR LF', { contact: 'sip:a@b\r\nX-Two: b' }],
  ['a Call-ID with white space', { callId: 'a b' }],
  ['a CSeq of 2^31', { cseq: 2 ** 31 }],
  ['a route with CR LF', { routes: ['<sip:a;lr>\r\nX-Two: b'] }],
  ['a body type with CR LF', { body: { type: 'text/plain\r\nX-Two: b', content: '' } }],
];

/** Sends a request that the peer answers 200; gives it as the peer saw it. */
async function delivered(s: Scene, given: Partial<OutgoingRequest>) {
  const sent = s.send(given);
  const request = await s.peer.requests.take();
  s.peer.answer(request, 200);
  response(await sent);
  return request;
}

export const requestCases: readonly SipCase[] = [
  [
    'a request goes out as it was given, byte for byte',
    async (s) => {
      const seen = await delivered(s, {
        uri: "sip:al%69ce;isub=1@Example.COM;user=phone;x-p='y'",
        callId: "a.B-c%d*e_f+g`h'i~j(k)l:m\\n/o[p]q?r{s}@t",
        cseq: 2_147_480_000,
        from: { uri: 'sip:From@Example.com;x=1', tag: 'fRom-tag.1' },
        to: { uri: 'sip:To@Example.com' },
        contact: s.contact('some body'),
        headers: [
          ['Event', 'dialog;sla;id=7'],
          ['Expires', '600'],
          ['SIP-If-Match', 'eTag;1~"x"'],
          ['X-Own', 'a, "b\\"c" ; d=<e>  Grüße'],
        ],
        body: { type: 'application/pidf+xml;charset="utf-8"', content: PIDF },
      });
      assert.equal(seen.method, 'PUBLISH');
      assert.equal(seen.uri, "sip:al%69ce;isub=1@Example.COM;user=phone;x-p='y'");
      assert.equal(seen.callId, "a.B-c%d*e_f+g`h'i~j(k)l:m\\n/o[p]q?r{s}@t");
      assert.deepEqual(seen.cseq, { number: 2_147_480_000, method: 'PUBLISH' });
      assert.equal(seen.headers.get('From'), '<sip:From@Example.com;x=1>;tag=fRom-tag.1');
      assert.equal(seen.headers.get('To'), '<sip:To@Example.com>');
      assert.equal(seen.headers.get('Contact'), `<${s.contact('some body')}>`);
      assert.equal(seen.headers.get('Max-Forwards'), '70');
      assert.equal(seen.headers.get('Event'), 'dialog;sla;id=7');
      assert.equal(seen.headers.get('Expires'), '600');
      assert.equal(seen.headers.get('SIP-If-Match'), 'eTag;1~"x"');
      assert.equal(seen.headers.get('X-Own'), 'a, "b\\"c" ; d=<e>  Grüße');
      assert.equal(seen.headers.get('Content-Type'), 'application/pidf+xml;charset="utf-8"');
      assert.equal(seen.body?.text(), PIDF);
      assert.equal(seen.headers.get('Content-Length'), String(Buffer.byteLength(PIDF)));
      assert.deepEqual(seen.headers.all('Route'), []);
      assert.equal(seen.headers.all('Via').length, 1);
    },
  ],
  [
    'a body may be bytes, or be absent',
    async (s) => {
      const withBytes = await delivered(s, { body: { type: 'text/plain', content: Buffer.from(PIDF) } });
      assert.equal(withBytes.body?.text(), PIDF);
      const without = await delivered(s, {});
      assert.equal(without.body, undefined);
      assert.equal(without.headers.get('Content-Type'), undefined);
      assert.equal(without.headers.get('Content-Length'), '0');
    },
  ],
  [
    'fields of one name stay apart, in their order',
    async (s) => {
      const values = ['Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2"', 'Digest realm="c", nonce="3"'];
      const seen = await delivered(s, {
        headers: [['Event', 'presence'], ...values.map((value) => ['Proxy-Authorization', value] as const)],
      });
      assert.deepEqual(seen.headers.all('Proxy-Authorization'), values);
    },
  ],
  [
    'the hop says where a request goes, whatever its URI says; a route set goes along in its order',
    async (s) => {
      const { port } = s.peer.hop;
      const routes = [
        `<sip:127.0.0.1:${port};lr;x="a,b">`,
        '<sip:second.example.com;lr>',
        '<sip:third.example.com;lr>',
      ];
      const seen = await delivered(s, { uri: 'sip:alice@192.0.2.1:5999', routes });
      assert.equal(seen.uri, 'sip:alice@192.0.2.1:5999');
      assert.deepEqual(
        seen.headers.all('Route').flatMap((line) => line.split(/, *(?=<)/)),
        routes,
      );
      assert.equal(seen.headers.get('To'), '<sip:alice@example.com>');
    },
  ],
  [
    'an answer of every class is a response, with its reason, headers and body',
    async (s) => {
      for (const status of [200, 202, 204, 302, 401, 404, 408, 412, 423, 489, 500, 503, 600]) {
        const sent = s.send({ cseq: status });
        const request = await s.peer.requests.take();
        s.peer.answer(request, status, {
          reason: `Reason ${status}: é`,
          headers: ['SIP-ETag: tag;1', 'X-Own: a, b', 'Expires: 60'],
          body: status === 302 ? PIDF : '',
        });
        const answer = response(await sent);
        assert.equal(answer.status, status);
        assert.equal(answer.reason, `Reason ${status}: é`);
        assert.equal(answer.cseq, status);
        assert.equal(answer.headers.get('sip-etag'), 'tag;1');
        assert.equal(answer.headers.get('X-OWN'), 'a, b');
        assert.equal(answer.headers.get('Absent'), undefined);
        assert.equal(answer.headers.get('To'), '<sip:alice@example.com>;tag=peer');
        assert.equal(answer.body?.text(), status === 302 ? PIDF : undefined);
      }
    },
  ],
  [
    'header fields of an answer are read in compact form, folded, and line by line',
    async (s) => {
      const sent = s.send();
      const request = await s.peer.requests.take();
      s.peer.answer(request, 401, {
        headers: [
          'm: <sip:compact@example.com>',
          'o: presence;id=1',
          'c: text/plain',
          'Warning: 399 a "one\r\n two"',
          'WWW-Authenticate: Digest realm="a", nonce="1", qop="auth,auth-int"',
          'WWW-Authenticate: Digest realm="b", nonce="2"',
        ],
        body: 'x',
      });
      const { headers, body } = response(await sent);
      assert.equal(headers.get('Contact'), '<sip:compact@example.com>');
      assert.equal(headers.get('Event'), 'presence;id=1');
      assert.equal(headers.get('o'), 'presence;id=1');
      assert.equal(body?.type, 'text/plain');
      assert.equal(headers.get('Warning'), '399 a "one two"');
      assert.deepEqual(headers.all('WWW-Authenticate'), [
        'Digest realm="a", nonce="1", qop="auth,auth-int"',
        'Digest realm="b", nonce="2"',
      ]);
    },
  ],
  [
    'provisional answers are waited out, a repeated final one is ignored',
    async (s) => {
      const sent = s.send();
      const request = await s.peer.requests.take();
      s.peer.answer(request, 100, { reason: 'Trying' });
      s.peer.answer(request, 183);
      s.peer.answer(request, 404);
      s.peer.answer(request, 404);
      s.peer.answer(request, 200);
      assert.equal(response(await sent).status, 404);
      // When another request has gone the same way, the repeated answers have come too.
      await delivered(s, {});
      assert.deepEqual(s.events, ['404', '200']);
    },
  ],
  [
    'many requests at once, long ones among them: each gets its own answer',
    async (s) => {
      const sizes = Array.from({ length: 120 }, (_, i) => (i % 3 === 0 ? 7000 + 10 * i : 300 + i));
      const sent = sizes.map((size, i) =>
        s.send({ cseq: i + 1, body: { type: 'text/plain', content: String(i).padEnd(size, '.') } }),
      );
      for (const _ of sizes) {
        const request = await s.peer.requests.take();
        const text = request.body!.text();
        assert.equal(text.length, sizes[request.cseq.number - 1]);
        assert.equal(Number.parseInt(text, 10), request.cseq.number - 1);
        s.peer.answer(request, 200, { headers: [`X-Number: ${request.cseq.number}`] });
      }
      for (const [i, outcome] of (await Promise.all(sent)).entries()) {
        assert.equal(response(outcome).headers.get('X-Number'), String(i + 1));
      }
    },
  ],
  [
    'a message of nearly maxMessageBytes goes out, a longer one is tooLarge and goes nowhere',
    async (s) => {
      const limit = s.port.maxMessageBytes;
      const body = (size: number) => ({ type: 'text/plain', content: 'x'.repeat(size) });
      // A stream may carry more than what is safe everywhere.
      if (s.traits.transport === 'udp') {
        assert.deepEqual(await s.send({ body: body(limit) }), { kind: 'tooLarge', limit });
      }
      const seen = await delivered(s, { cseq: 2, body: body(limit - 1500) });
      assert.equal(seen.body?.bytes.length, limit - 1500);
      assert.equal(seen.cseq.number, 2);
    },
  ],
  [
    'what could break out of its place is refused before anything is sent',
    async (s) => {
      for (const [what, given] of UNFIT) {
        assert.throws(
          () => s.port.request(s.draft(given), () => s.faults.push(`done was called for ${what}`)),
          (error) => error instanceof PuaError && error.code === 'PUA_ERR_INVALID_MESSAGE',
          what,
        );
      }
      const seen = await delivered(s, { callId: 'the-only-one' });
      assert.equal(seen.callId, 'the-only-one');
      assert.equal(s.peer.requests.size, 0);
    },
  ],
  [
    'a silent peer is a timeout, at timeoutMs if that is given',
    async (s) => {
      const outcome = await s.send({ cseq: 7, timeoutMs: 60 });
      assert.deepEqual(outcome, { kind: 'timeout', cseq: 7 });
      const late = await s.peer.requests.take();
      s.peer.answer(late, 200);
      await delivered(s, {});
      assert.deepEqual(s.events, ['timeout', '200']);
    },
  ],
  [
    'a hop that the engine has no transport for, or that takes no connection, is unreachable, and nothing was sent',
    async (s) => {
      const { hop } = s.peer;
      const outcome = await s.send({
        hop: hop.transport === 'udp' ? { ...hop, transport: 'wss' } : { ...hop, port: 1 },
      });
      assert.equal(outcome.kind, 'unreachable');
      assert.ok(outcome.kind === 'unreachable' && outcome.cause instanceof Error && !outcome.sent);
    },
  ],
];
