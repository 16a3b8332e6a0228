/** drachtio-server binds dialogs to a link: what becomes of them when it is lost, or when the server forgets them. */
import type { Clock } from '@pua/core';
import { drachtioSip } from '@pua/drachtio';
import { responseOf, Setting, until } from './support';

let s: Setting;
beforeEach(async () => {
  s = await Setting.open();
});
afterEach(() => s.close());

const subscriptions = () => s.presence.server.subscriptions.length;

async function lose(): Promise<void> {
  await until('every NOTIFY is answered', () =>
    s.presence.server.notifies.every(({ outcome }) => outcome !== undefined),
  );
  s.server.cut();
  await until('the link is down', () => s.sip.addresses.length === 0);
  await until('the link is back', () => s.sip.addresses.length > 0);
}

test('after a loss each subscription is told to be deactivated, and ended at the notifier', async () => {
  const first = await s.subscribe();
  const second = await s.subscribe();
  await s.send(first);
  await until('three NOTIFYs', () => s.incoming.length === 3);
  s.incoming.length = 0;

  await lose();
  await until('both are told', () => s.incoming.length === 2);
  // The one that was refreshed last is told last.
  const [one, other] = s.incoming;
  expect(one!.headers.get('Call-ID')).toBe(second.callId);
  expect(other!.headers.get('Call-ID')).toBe(first.callId);
  expect(other!.headers.get('Subscription-State')).toBe('terminated;reason=deactivated');
  expect(other!.headers.get('From')).toBe(`<sip:alice@example.com>;tag=${first.to.tag}`);
  expect(other!.headers.get('To')).toBe(`<sip:alice@example.com>;tag=${first.from.tag}`);
  expect(other!.headers.get('Event')).toBe('presence');
  expect(other!.headers.get('CSeq')).toBe('2147483647 NOTIFY');
  expect(other!.toTag).toBe(first.from.tag);
  await until('the notifier has none', () => subscriptions() === 0);
  await until('the server has none', () => s.server.dialogs === 0);
  expect(s.server.leaks).toBe(0);

  // A new one is heard of again.
  await s.subscribe();
  expect(s.states.at(-1)).toMatch(/^active/);
});

test('many are ended some at a time', async () => {
  await Promise.all(Array.from({ length: 70 }, () => s.subscribe()));
  s.incoming.length = 0;
  await lose();
  await until('the notifier has none', () => subscriptions() === 0);
  expect(s.incoming).toHaveLength(70);
  expect(new Set(s.incoming.map(({ headers }) => headers.get('Call-ID'))).size).toBe(70);
});

test('what ended before is not told again', async () => {
  const ended = await s.subscribe();
  await s.send({ ...ended, headers: [...ended.headers.slice(0, 1), ['Expires', '0']] });
  await s.subscribe();
  s.presence.server.terminate(s.presence.server.subscriptions[0]!, { reason: 'noresource' });
  await until('the notifier has none', () => subscriptions() === 0);
  await until('both ends have come', () => s.states.filter((state) => state.startsWith('terminated')).length === 2);
  s.incoming.length = 0;
  await lose();
  await s.subscribe();
  expect(s.states).toEqual([expect.stringMatching(/^active/)]);
});

test('a server that forgot its dialogs: the refresh names everything itself, and the subscription lives on', async () => {
  const dialog = await s.subscribe();
  s.server.forget();
  const refreshed = responseOf(await s.send({ ...dialog, cseq: 40 }));
  expect(refreshed).toMatchObject({ status: 200, cseq: 40, binding: expect.any(String) });
  expect(s.server.dialogs).toBe(1);
  expect(subscriptions()).toBe(1);
  // From here on it is a dialog like any other: the server counts.
  expect(responseOf(await s.send({ ...dialog, cseq: 90 })).cseq).toBe(41);
  await until('the NOTIFYs of all three', () => s.incoming.length === 3);
  expect(s.states.every((state) => state.startsWith('active'))).toBe(true);
});

test('a refresh in a dialog of an earlier run is accepted, but no NOTIFY would come: deactivated', async () => {
  const dialog = await s.subscribe();
  await s.sip.stop(0);
  const next = drachtioSip({ port: s.server.port });
  await s.start(next);
  s.incoming.length = 0;
  const refreshed = responseOf(await s.send({ ...dialog, cseq: 1002 }, next));
  expect(refreshed.status).toBe(200);
  expect(refreshed.cseq).toBe(2);
  expect(refreshed.binding).toBeUndefined();
  expect(s.states).toEqual(['terminated;reason=deactivated']);
  await until('the notifier has none', () => subscriptions() === 0);
  expect(s.server.leaks).toBe(0);
  await next.stop(0);
});

test('what nobody refreshed has run out and is not told', async () => {
  let shift = 0;
  const clock: Clock = {
    now: () => performance.now() + shift,
    wall: () => Date.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return { cancel: () => clearTimeout(timer) };
    },
  };
  await s.close();
  s = await Setting.open({ clock });
  await s.subscribe(60);
  shift = 61_000;
  await s.subscribe(60);
  s.incoming.length = 0;
  await lose();
  await until('the living one is told', () => s.incoming.length > 0);
  await s.subscribe(60);
  expect(s.incoming).toHaveLength(2);
});
