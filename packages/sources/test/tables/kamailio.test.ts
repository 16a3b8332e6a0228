/** What a real Kamailio writes while phones register and call, as a Pua that uses the sources is told. */
import { type BindingEvent, createPua, type DialogEvent, type Pua } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { kamailioDialogs, kamailioLocation } from '@pua/sources';
import {
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
  /** By `db_mode` of usrloc. */
  let kamailios: Record<1 | 3, LaunchedKamailioProxy>;
  beforeAll(async () => {
    mariadb = await launchMariadb();
    // A dialog is removed with the transaction that ended it: after 5 s by default.
    const common = { mariadb, modparams: [['tm', 'wt_timer', 500]] } as const;
    const [memory, tableOnly] = await Promise.all([
      launchKamailioProxy({ ...common, usrlocMode: 1, callTimeout: 2 }),
      launchKamailioProxy({ ...common, usrlocMode: 3 }),
    ]);
    kamailios = { 1: memory, 3: tableOnly };
  });
  afterAll(async () => {
    for (const kamailio of Object.values(kamailios)) await kamailio.stop();
    await mariadb.stop();
  });

  const opened: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).reverse()) await close();
  });

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
      const kamailio = kamailios[usrlocMode];
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

      await alice.register({ expires: 1 });
      const [again] = await bindings.take();
      expect(again!.kind).toBe('insert');
      expect(again!.binding.bindingId).not.toBe(bindingId);
      expect(await bindings.take()).toEqual([{ kind: 'expire', binding: again!.binding }]);
    },
  );

  /** A call that is told as soon as it is answered. */
  const talk = async (kamailio: LaunchedKamailioProxy) => {
    const [alice, bob] = [await phone('carol', kamailio.uri), await phone('dave', kamailio.uri)];
    await bob.register();
    const { dialogs, calls } = await watching(kamailio);
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
    return { dialogs, calls, callee, dialog: confirmed!.dialog };
  };

  test('a call is told when it is answered, and when it is over', async () => {
    const { dialogs, calls, callee, dialog } = await talk(kamailios[3]);
    expect(Math.abs(dialog.answeredAt! - Date.now())).toBeLessThan(5000);
    expect((await all(dialogs.live!())).map(({ key }) => key)).toEqual([dialog.key]);
    await callee.hangUp();
    const { kind, dialog: ended } = (await calls.take())[0]!;
    expect([kind, ended.key, ended.state]).toEqual(['terminated', dialog.key, 'terminated']);
    expect(await all(dialogs.live!())).toEqual([]);
  });

  test('a call that is too long has expired', async () => {
    const { calls, dialog } = await talk(kamailios[1]);
    const { kind, dialog: ended } = (await calls.take())[0]!;
    expect([kind, ended.key, ended.reason]).toEqual(['expired', dialog.key, { event: 'timeout' }]);
  });

  test('Kamailio goes down in the middle of a call and comes back: nothing has changed', async () => {
    const kamailio = kamailios[3];
    const [alice, bob] = [await phone('erin', kamailio.uri), await phone('frank', kamailio.uri)];
    await bob.register();
    const call = alice.call(bob.aor);
    (await bob.nextCall()).pickUp();
    await call.reaches('answered');
    await kamailio.waitForRows('dialog', (rows) => rows.some(({ callid }) => callid === call.callId), 5000);
    const { location, dialogs, bindings, calls } = await watching(kamailio);
    await kamailio.restart('kill');
    await call.hangUp();
    expect((await calls.take())[0]).toMatchObject({ kind: 'terminated', dialog: { callId: call.callId } });
    expect(bindings.items).toEqual([]);
    expect((await all(location.snapshot!())).map(({ contact }) => contact)).toContain(bob.contact);
    expect(await all(dialogs.live!())).toEqual([]);
  });
});
