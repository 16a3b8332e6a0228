/** What a real Kamailio writes while phones register and call, as a Pua that uses the sources is told. */
import { type BindingEvent, createPua, type DialogEvent, type Pua } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { kamailioDialogs, kamailioLocation } from '@pua/sources';
import {
  type KamailioProxyOptions,
  type LaunchedKamailioProxy,
  type LaunchedMariadb,
  launchKamailioProxy,
  launchMariadb,
  Phone,
  peersReady,
} from '@pua/testkit';
import { all, Inbox } from './support';

jest.setTimeout(60_000);

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('a real Kamailio', () => {
  let mariadb: LaunchedMariadb;
  beforeAll(async () => {
    mariadb = await launchMariadb();
  });
  afterAll(() => mariadb.stop());

  const opened: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

  const launch = async (options: Partial<KamailioProxyOptions> = {}): Promise<LaunchedKamailioProxy> => {
    const kamailio = await launchKamailioProxy({ mariadb, ...options });
    opened.push(() => kamailio.stop());
    return kamailio;
  };
  const phone = async (user: string, server: string): Promise<Phone> => {
    const started = await Phone.start({ aor: `sip:${user}@example.com`, server });
    opened.push(() => started.stop());
    return started;
  };
  const watching = async ({ database: { url } }: LaunchedKamailioProxy) => {
    const location = kamailioLocation({ dbUrl: url, pollInterval: 20, createIndex: 1 });
    const dialogs = kamailioDialogs({ dbUrl: url, pollInterval: 20 });
    const [bindings, calls] = [new Inbox<BindingEvent>(), new Inbox<DialogEvent>()];
    location.onEvent(bindings.put);
    dialogs.onEvent(calls.put);
    const pua: Pua = createPua({ sip: embeddedSip({ listen: ['udp:127.0.0.1:0'] }) });
    pua.use(location);
    pua.use(dialogs);
    await pua.start();
    opened.push(() => pua.stop());
    return { location, dialogs, bindings, calls };
  };

  test.each([1, 3] as const)(
    'usrloc db_mode %i: REGISTER, refresh, another Call-ID, unregister, expiry',
    async (usrlocMode) => {
      const kamailio = await launch({ usrlocMode });
      const alice = await phone('alice', kamailio.uri);
      const bob = await phone('bob', kamailio.uri);
      await bob.register();
      const { location, bindings } = await watching(kamailio);
      expect((await all(location.snapshot!())).map(({ aor }) => aor)).toEqual(['bob@example.com']);

      await alice.register({ expires: 600, contactParams: ';q=0.3' });
      const [insert] = await bindings.take();
      expect(insert).toMatchObject({
        kind: 'insert',
        binding: { aor: 'alice@example.com', contact: alice.contact, q: 0.3, cseq: 1, table: 'location' },
      });
      const { expiresAt, bindingId } = insert!.binding;
      expect(Math.abs(expiresAt - Date.now() - 600_000)).toBeLessThan(5000);

      await alice.register({ expires: 900, callId: 'another' });
      const [update] = await bindings.take();
      expect(update).toMatchObject({
        kind: 'update',
        binding: { bindingId, callId: 'another' },
        previous: { bindingId, callId: insert!.binding.callId },
      });
      expect(await location.bindings!('sip:alice@example.com')).toEqual([update!.binding]);

      await alice.unregister({ callId: 'another' });
      expect(await bindings.take()).toEqual([{ kind: 'delete', binding: update!.binding }]);

      await alice.register({ expires: 2 });
      const [again] = await bindings.take();
      expect(again!.kind).toBe('insert');
      expect(again!.binding.bindingId).not.toBe(bindingId);
      expect(await bindings.take()).toEqual([{ kind: 'expire', binding: again!.binding }]);
    },
  );

  test('a call is told when it is answered, and when it is over; one that is too long has expired', async () => {
    // A dialog is removed with the transaction that ended it: after 5 s by default.
    const kamailio = await launch({ callTimeout: 3, modparams: [['tm', 'wt_timer', 500]] });
    const [alice, bob] = [await phone('alice', kamailio.uri), await phone('bob', kamailio.uri)];
    await bob.register();
    const { dialogs, calls } = await watching(kamailio);
    const talk = async () => {
      const call = alice.call(bob.aor);
      const callee = await bob.nextCall();
      callee.pickUp();
      await call.reaches('answered');
      const [confirmed] = await calls.take();
      expect(confirmed).toMatchObject({
        kind: 'confirmed',
        dialog: {
          ...{ callId: call.callId, state: 'confirmed', requestUri: bob.aor, key: expect.stringMatching(/^\d+:\d+$/) },
          caller: { uri: alice.aor, tag: call.localTag, contact: alice.contact },
          callee: { uri: bob.aor, tag: callee.localTag, contact: bob.contact },
        },
      });
      return { callee, dialog: confirmed!.dialog };
    };
    const first = await talk();
    expect(Math.abs(first.dialog.answeredAt! - Date.now())).toBeLessThan(5000);
    expect((await all(dialogs.live!())).map(({ key }) => key)).toEqual([first.dialog.key]);
    await first.callee.hangUp();
    const [ended] = await calls.take();
    expect([ended!.kind, ended!.dialog.key, ended!.dialog.state]).toEqual([
      'terminated',
      first.dialog.key,
      'terminated',
    ]);
    expect(await all(dialogs.live!())).toEqual([]);

    const second = await talk();
    const [expired] = await calls.take();
    expect([expired!.kind, expired!.dialog.key, expired!.dialog.reason]).toEqual([
      'expired',
      second.dialog.key,
      { event: 'timeout' },
    ]);
  });

  test('Kamailio goes down in the middle of a call and comes back: nothing has changed', async () => {
    const kamailio = await launch({ modparams: [['tm', 'wt_timer', 500]] });
    const [alice, bob] = [await phone('alice', kamailio.uri), await phone('bob', kamailio.uri)];
    await bob.register();
    const call = alice.call(bob.aor);
    (await bob.nextCall()).pickUp();
    await call.reaches('answered');
    await kamailio.waitForRows('dialog', ({ length }) => length === 1, 5000);
    const { location, dialogs, bindings, calls } = await watching(kamailio);
    await kamailio.restart('kill');
    await call.hangUp();
    expect((await calls.take())[0]).toMatchObject({ kind: 'terminated', dialog: { callId: call.callId } });
    expect(bindings.items).toEqual([]);
    expect(await all(location.snapshot!())).toHaveLength(1);
    expect(await all(dialogs.live!())).toEqual([]);
  });
});
