/** Start and stop, and the port's own addresses. */
import assert from 'node:assert/strict';
import { PuaError } from '@pua/core';
import type { SipCase } from './sip.js';
import { response } from './sip-scene.js';

export const lifeCases: readonly SipCase[] = [
  [
    'contact() leads to the port, whatever the user part is',
    async (s) => {
      const uri = s.contact('a b@c');
      assert.match(uri, /^sip:a%20b%40c@127\.0\.0\.1:\d+(?:;transport=tcp)?$/);
      const branch = s.peer.send({ method: 'NOTIFY', uri, callId: 'to-contact', to: `<${uri}>` });
      const request = await s.incoming.take();
      assert.equal(request.uri, uri);
      request.reply(200);
      assert.equal((await s.peer.response(branch)).status, 200);
    },
  ],
  [
    'isOwnContact() knows the contacts of today',
    async (s) => {
      const uri = s.contact('one');
      const [, port] = /:(\d+)(?:;|$)/.exec(uri)!;
      assert.equal(s.port.isOwnContact(uri), true);
      assert.equal(s.port.isOwnContact(s.contact('two')), true);
      assert.equal(s.port.isOwnContact(uri.replace(port!, '1')), false);
      assert.equal(s.port.isOwnContact(uri.replace('127.0.0.1', '192.0.2.1')), false);
      assert.equal(s.port.isOwnContact(`sip:one@127.0.0.1:${port};transport=tls`), false);
      assert.equal(s.port.isOwnContact('sip:one@'), false);
      assert.equal(s.port.isOwnContact('tel:+4912345'), false);
      assert.equal(s.port.isOwnContact(''), false);
    },
  ],
  [
    'resolve() gives the hop of an address at once, and throws for what is no SIP URI',
    async (s) => {
      const { host, port } = s.peer.hop;
      assert.deepEqual(s.port.resolve(`sip:alice@${host}:${port};lr`), [{ transport: 'udp', host, port }]);
      assert.deepEqual(s.port.resolve('sip:192.0.2.1:5070;transport=TCP'), [
        { transport: 'tcp', host: '192.0.2.1', port: 5070 },
      ]);
      assert.deepEqual(s.port.resolve('sip:a@[2001:db8::1]:5070'), [
        { transport: 'udp', host: '2001:db8::1', port: 5070 },
      ]);
      for (const uri of ['', 'alice', 'tel:+4912345', 'sip:', 'sip:a@b:99999', 'mailto:a@b']) {
        assert.throws(() => s.port.resolve(uri), PuaError, uri);
      }
    },
  ],
  [
    'a port starts once',
    async (s) => {
      await assert.rejects(
        s.port.start(() => undefined),
        (error) => error instanceof PuaError && error.code === 'PUA_ERR_STATE',
      );
    },
  ],
  [
    'stop() waits for what runs, and takes nothing new',
    async (s) => {
      const running = s.send({ callId: 'runs' });
      const request = await s.peer.requests.take();
      const stopped = s.port.stop(5_000);
      const refused = await s.send({ callId: 'too-late' });
      assert.ok(refused.kind === 'unreachable' && !refused.sent);
      s.peer.answer(request, 200);
      assert.equal(response(await running).status, 200);
      await stopped;
      assert.deepEqual(s.events, ['unreachable', '200']);
    },
  ],
  [
    'stop() ends what does not end by itself; then nothing can be sent',
    async (s) => {
      const running = s.send();
      await s.peer.requests.take();
      await s.port.stop(30);
      const ended = await running;
      assert.ok(ended.kind === 'unreachable' && ended.sent);
      const refused = await s.send();
      assert.ok(refused.kind === 'unreachable' && !refused.sent);
    },
  ],
  [
    'a stopped port starts again',
    async (s) => {
      await s.port.stop(0);
      await s.port.start((request) => s.handler(request));
      const sent = s.send();
      s.peer.answer(await s.peer.requests.take(), 200);
      assert.equal(response(await sent).status, 200);
    },
  ],
];
