/** Requests that a port takes. */
import assert from 'node:assert/strict';
import { PuaError } from '@pua/core';
import type { SipCase } from './sip.js';
import type { Scene } from './sip-scene.js';
import type { WireMessage } from './wire-peer.js';

let calls = 0;

function message(s: Scene, given: Partial<WireMessage> = {}): WireMessage {
  return {
    method: 'NOTIFY',
    uri: s.contact('user'),
    callId: `incoming-${++calls}`,
    to: '<sip:alice@example.com>',
    headers: ['Event: presence', 'Subscription-State: active'],
    ...given,
  };
}

export const incomingCases: readonly SipCase[] = [
  [
    'a request comes in with method, URI, headers, body and source',
    async (s) => {
      const body = '<a note="Grüße"/>';
      const branch = s.peer.send(
        message(s, {
          headers: ['o: presence;id=4', 'c: application/pidf+xml', 'X-Own: one', 'X-Own: two,\r\n three'],
          cseq: 77,
          body,
        }),
      );
      const request = await s.incoming.take();
      assert.equal(request.method, 'NOTIFY');
      assert.equal(request.uri, s.contact('user'));
      assert.deepEqual(request.source, s.peer.source(request.uri));
      assert.equal(request.headers.get('CSeq'), '77 NOTIFY');
      assert.equal(request.headers.get('Event'), 'presence;id=4');
      assert.deepEqual(request.headers.all('x-own'), ['one', 'two, three']);
      assert.equal(request.body?.type, 'application/pidf+xml');
      assert.equal(request.body?.text(), body);
      assert.deepEqual(Buffer.from(request.body?.bytes ?? []), Buffer.from(body));
      request.reply(200);
      await s.peer.response(branch);
    },
  ],
  [
    'the answer has status, reason, headers and a To tag; the first one counts',
    async (s) => {
      const branch = s.peer.send(message(s));
      const request = await s.incoming.take();
      request.reply(489, [['Allow-Events', 'presence, dialog']], 'No Such Package');
      request.reply(200);
      request.pass();
      const answer = await s.peer.response(branch);
      assert.equal(answer.status, 489);
      assert.equal(answer.reason, 'No Such Package');
      assert.equal(answer.headers.get('Allow-Events'), 'presence, dialog');
      assert.match(answer.headers.get('To')!, /^<sip:alice@example\.com>;tag=[^;]+$/);
    },
  ],
  [
    'an answer that could break out of its line is refused, and another one can still be given',
    async (s) => {
      const branch = s.peer.send(message(s));
      const request = await s.incoming.take();
      const refused = (error: unknown) => error instanceof PuaError && error.code === 'PUA_ERR_INVALID_MESSAGE';
      assert.throws(() => request.reply(200, [['X-One', 'a\r\nX-Two: b']]), refused);
      assert.throws(() => request.reply(200, [], 'OK\r\nX-Two: b'), refused);
      assert.throws(
        () => request.reply(180),
        (error) => error instanceof PuaError && error.code === 'PUA_ERR_ARGUMENT',
      );
      request.reply(200);
      assert.equal((await s.peer.response(branch)).status, 200);
    },
  ],
  [
    'a handler that throws is a 500',
    async (s) => {
      s.handler = () => {
        throw new Error('thrown by the compliance suite');
      };
      const branch = s.peer.send(message(s));
      assert.equal((await s.peer.response(branch)).status, 500);
    },
  ],
  [
    'a handler that says nothing for 10 s is a 500',
    async (s) => {
      const branch = s.peer.send(message(s));
      const request = await s.incoming.take();
      assert.equal((await s.peer.response(branch)).status, 500);
      // Too late, and no harm done.
      request.reply(200);
    },
    50,
  ],
  [
    'what the handler passes is answered nevertheless',
    async (s) => {
      s.handler = (request) => request.pass();
      const notify = s.peer.send(message(s));
      assert.equal((await s.peer.response(notify)).status, s.traits.passed.NOTIFY);
      const other = s.peer.send(message(s, { method: 'MESSAGE' }));
      assert.equal((await s.peer.response(other)).status, s.traits.passed.MESSAGE);
    },
  ],
];

/** Where messages get lost. */
export const retransmissionCases: readonly SipCase[] = [
  [
    'a retransmission gets the same answer; the handler runs once',
    async (s) => {
      const first = message(s, { branch: `z9hG4bKagain${++calls}` });
      s.peer.send(first);
      const request = await s.incoming.take();
      s.peer.send(first);
      request.reply(204);
      const answer = await s.peer.response(first.branch!);
      s.peer.send(first);
      const again = await s.peer.response(first.branch!);
      assert.equal(again.status, 204);
      assert.equal(again.headers.get('To'), answer.headers.get('To'));
      assert.deepEqual(s.events, ['NOTIFY']);
    },
  ],
];
