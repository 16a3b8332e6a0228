/** Subscriptions: requests in a dialog, and the order in which things are told. */
import assert from 'node:assert/strict';
import type { OutgoingRequest } from '@pua/core';
import type { SipCase } from './sip.js';
import { response, type Scene } from './sip-scene.js';
import type { WireRequest } from './wire-peer.js';

interface Established {
  readonly request: OutgoingRequest;
  /** The SUBSCRIBE as the peer saw it. */
  readonly seen: WireRequest;
}

const TARGET = 'sip:notifier@192.0.2.7:5999';

/** Opens a dialog with the peer, which is its only proxy too. */
async function subscribed(s: Scene): Promise<Established> {
  const request = s.subscription();
  const sent = s.send(request);
  const seen = await s.peer.requests.take();
  const { host, port } = s.peer.hop;
  const record = [`Record-Route: <sip:far.example.com;lr>`, `Record-Route: <sip:${host}:${port};lr>`];
  s.peer.answer(seen, 200, { headers: [`Contact: <${TARGET}>`, 'Expires: 600', ...record], tag: 'remote' });
  assert.equal(response(await sent).headers.get('To'), '<sip:alice@example.com>;tag=remote');
  return { request, seen };
}

/** The next request of that dialog, as core makes it. */
function within(s: Scene, { request }: Established, given: Partial<OutgoingRequest> = {}): OutgoingRequest {
  const { host, port } = s.peer.hop;
  return {
    ...request,
    uri: TARGET,
    cseq: request.cseq + 1,
    to: { uri: request.to.uri, tag: 'remote' },
    routes: [`<sip:${host}:${port};lr>`, '<sip:far.example.com;lr>'],
    ...given,
  };
}

function notify(s: Scene, { seen }: Established, cseq: number, state: string): string {
  return s.peer.send({
    method: 'NOTIFY',
    uri: /<(.*)>/.exec(seen.headers.get('Contact')!)![1]!,
    callId: seen.callId,
    cseq,
    from: '<sip:alice@example.com>;tag=remote',
    to: seen.headers.get('From')!,
    headers: ['Event: presence', `Subscription-State: ${state}`, 'Contact: <sip:notifier@127.0.0.1>'],
  });
}

export const dialogCases: readonly SipCase[] = [
  [
    'a refresh keeps Call-ID, tags and route set, goes to the remote target, and says which CSeq it had',
    async (s) => {
      const dialog = await subscribed(s);
      let last = dialog.seen.cseq.number;
      for (const cseq of [5, 9]) {
        const sent = s.send(within(s, dialog, { cseq }));
        const seen = await s.peer.requests.take();
        s.peer.answer(seen, 200, { headers: [`Contact: <${TARGET}>`, 'Expires: 600'] });
        assert.equal(seen.method, 'SUBSCRIBE');
        assert.equal(seen.uri, TARGET);
        assert.equal(seen.callId, dialog.seen.callId);
        assert.equal(seen.headers.get('From'), dialog.seen.headers.get('From'));
        assert.equal(seen.headers.get('To'), '<sip:alice@example.com>;tag=remote');
        assert.equal(seen.headers.get('Contact'), dialog.seen.headers.get('Contact'));
        assert.equal(seen.headers.get('Event'), 'presence');
        assert.equal(seen.headers.get('Expires'), '600');
        assert.deepEqual(
          seen.headers.all('Route').flatMap((line) => line.split(/, */)),
          within(s, dialog).routes,
        );
        if (s.traits.countsCseq) assert.ok(seen.cseq.number > last);
        else assert.equal(seen.cseq.number, cseq);
        last = seen.cseq.number;
        assert.equal(response(await sent).cseq, last);
      }
    },
  ],
  [
    'a request in a dialog that the engine has never heard of, as after a restart, names it all the same',
    async (s) => {
      const request = s.subscription({ callId: 'of-an-earlier-run', cseq: 1007, from: { uri: 'sip:w@b', tag: 'old' } });
      const dialog = { request, seen: undefined as never };
      const sent = s.send(within(s, dialog));
      const seen = await s.peer.requests.take();
      s.peer.answer(seen, 481);
      assert.equal(response(await sent).status, 481);
      assert.equal(seen.uri, TARGET);
      assert.equal(seen.callId, 'of-an-earlier-run');
      assert.equal(seen.headers.get('From'), '<sip:w@b>;tag=old');
      assert.equal(seen.headers.get('To'), '<sip:alice@example.com>;tag=remote');
      assert.equal(seen.cseq.number, 1008);
      assert.deepEqual(
        seen.headers.all('Route').flatMap((line) => line.split(/, */)),
        within(s, dialog).routes,
      );
    },
  ],
  [
    'a NOTIFY in the dialog comes in, and the answer goes back',
    async (s) => {
      const dialog = await subscribed(s);
      const branch = notify(s, dialog, 1, 'active;expires=600');
      const request = await s.incoming.take();
      assert.equal(request.headers.get('Subscription-State'), 'active;expires=600');
      assert.equal(request.toTag, dialog.request.from.tag);
      request.reply(200);
      const answer = await s.peer.response(branch);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('To'), dialog.seen.headers.get('From'));
    },
  ],
  [
    'a NOTIFY that overtakes the 2xx is told first',
    async (s) => {
      const sent = s.send(s.subscription());
      const seen = await s.peer.requests.take();
      const branch = notify(s, { request: s.subscription(), seen }, 1, 'active;expires=600');
      const notified = s.incoming.take();
      // What comes on two connections has no order of its own.
      if (s.traits.transport === 'tcp') await notified;
      s.peer.answer(seen, 200, { headers: [`Contact: <${TARGET}>`, 'Expires: 600'], tag: 'remote' });
      response(await sent);
      (await notified).reply(200);
      assert.equal((await s.peer.response(branch)).status, s.traits.answersByItself ? 500 : 200);
      assert.deepEqual(s.events, ['NOTIFY', '200']);
    },
  ],
  [
    'the 2xx is told before the NOTIFY that follows it at once',
    async (s) => {
      const sent = s.send(s.subscription());
      const seen = await s.peer.requests.take();
      s.peer.answer(seen, 200, { headers: [`Contact: <${TARGET}>`, 'Expires: 600'], tag: 'remote' });
      if (s.traits.transport === 'tcp') await sent;
      notify(s, { request: s.subscription(), seen }, 1, 'active;expires=600');
      (await s.incoming.take()).reply(200);
      response(await sent);
      assert.deepEqual(s.events, ['200', 'NOTIFY']);
    },
  ],
  [
    'the NOTIFY that ends a subscription comes in',
    async (s) => {
      const dialog = await subscribed(s);
      const branch = notify(s, dialog, 1, 'terminated;reason=noresource');
      const request = await s.incoming.take();
      assert.equal(request.headers.get('Subscription-State'), 'terminated;reason=noresource');
      request.reply(200);
      assert.equal((await s.peer.response(branch)).status, s.traits.answersByItself ? 500 : 200);
    },
  ],
];
