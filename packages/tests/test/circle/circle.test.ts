/** Phones register and call; REGISTERs are copied to us and calls are posted to us; watchers see it all, in order. */
import { peersReady } from '@pua/testkit';
import { eventually } from '../kamailio/support/eventually';
import { OFF } from './support/lamp';
import { accepted, Scene, uriOf } from './support/scene';
import { describeSchemas } from './support/schemas';
import { goOn, SippPhones } from './support/sipp-phones';

jest.setTimeout(60_000);

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('the circle by tap and webhook', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open();
  });
  afterEach(() => scene.relay.release());
  afterAll(() => scene?.stop());

  test('a phone that registers is open, and offline when it is gone; its registration is told', async () => {
    const [presence, reg] = [await scene.lamp('alice', 'presence'), await scene.lamp('alice', 'reg')];
    const alice = await scene.registered('alice');
    expect((await presence.shows('open')).body).toContain('entity="sip:alice@example.com"');
    const [registration] = await reg.registrations('active:created');
    expect(registration).toMatchObject({
      aor: alice.aor,
      contacts: [{ uri: alice.contact, state: 'active', cseq: 1 }],
    });
    const [row] = await scene.publications('alice', 'presence', 1);

    // Switched off and on again: the same binding, though its Call-ID is another one.
    await accepted(alice.register({ callId: 'another-life' }));
    const [refreshed] = await reg.registrations('active:refreshed');
    expect(refreshed!.contacts).toMatchObject([{ id: registration!.contacts![0]!.id, callId: 'another-life' }]);
    const after = await eventually(
      'refresh',
      () => scene.publications('alice', 'presence', 1),
      ([now]) => now!.etag !== row!.etag,
    );
    expect(after[0]!.body).toBe(row!.body);

    await accepted(alice.unregister({ callId: 'another-life' }));
    await presence.shows('closed');
    await reg.shows('terminated:unregistered');
    await scene.off('presence', 'alice');
    await scene.off('reg', 'alice');
    expect(presence.history).toEqual([OFF, 'open', 'closed']);
    expect(reg.history.slice(0, 4)).toEqual([OFF, 'active:created', 'active:refreshed', 'terminated:unregistered']);
  });

  test('two phones of one user: offline when the second one has run out', async () => {
    const [presence, reg] = [await scene.lamp('twice', 'presence'), await scene.lamp('twice', 'reg')];
    const [first, second] = [await scene.registered('twice'), await scene.phone('twice')];
    await presence.shows('open');
    await accepted(second.register({ expires: 2 }));
    await presence.shows('open open');
    await accepted(first.unregister());
    // Kamailio says of what is removed that it is closed, and then no more of it.
    await presence.shows('closed open');
    await reg.shows('terminated:expired');
    await presence.shows('closed');
    await scene.off('presence', 'twice');
    await scene.off('reg', 'twice');
  });

  test('a call: trying, early, confirmed, terminated, off', async () => {
    const alice = await scene.registered('anna', { display: 'Anna' });
    const bob = await scene.registered('bert');
    const [caller, callee] = await scene.lamps('dialog', 'anna', 'bert');
    bob.onCall = () => undefined;
    const call = alice.call(bob.aor);
    expect(await caller!.dialogs('trying')).toMatchObject([
      {
        ...{ callId: call.callId, localTag: call.localTag, direction: 'initiator' },
        remote: { identity: { uri: bob.aor } },
      },
    ]);
    const incoming = await bob.nextCall();
    incoming.ring();
    // All that it takes to pick up the call from another phone (RFC 3891).
    const pickUp = {
      ...{ callId: call.callId, localTag: incoming.localTag, remoteTag: call.localTag, direction: 'recipient' },
      local: { identity: { uri: bob.aor }, target: { uri: bob.contact } },
      remote: { identity: { uri: alice.aor, display: 'Anna' }, target: { uri: alice.contact } },
    };
    expect(await callee!.dialogs('early')).toMatchObject([pickUp]);
    await caller!.shows('early');
    incoming.pickUp();
    expect(await callee!.dialogs('confirmed')).toMatchObject([pickUp]);
    await caller!.shows('confirmed');
    await incoming.hangUp();
    expect(await caller!.dialogs('terminated')).toMatchObject([{ event: 'remote-bye' }]);
    expect(await callee!.dialogs('terminated')).toMatchObject([{ ...pickUp, event: 'local-bye' }]);
    await scene.off('dialog', 'anna', 'bert');
    expect(caller!.history).toEqual([OFF, 'trying', 'early', 'confirmed', 'terminated']);
    expect(callee!.history).toEqual([OFF, 'early', 'confirmed', 'terminated']);
  });

  test('a call of two rings, an answer and a hang-up within one PUBLISH round trip leaves no lamp on', async () => {
    const [fay, finn] = [await scene.registered('fay'), await scene.registered('finn')];
    const [caller, callee] = await scene.lamps('dialog', 'fay', 'finn');
    for (const user of ['fay', 'finn']) {
      await scene.publications(user, 'presence', 1);
      await scene.publications(user, 'reg', 1);
    }
    await scene.answered();
    scene.relay.hold();
    const call = fay.call(finn.aor);
    const incoming = await finn.nextCall();
    await caller!.shows('trying');
    await callee!.shows('early');
    incoming.ring(183);
    incoming.pickUp();
    await call.reaches('answered');
    await call.hangUp();
    for (const user of ['fay', 'finn']) {
      await eventually(
        'the end is known',
        () => scene.wanted('dialog', user),
        ([body]) => body!.includes('>terminated<'),
      );
    }
    const before = scene.relay.publishes().length;
    scene.relay.release();
    await caller!.shows('terminated');
    await callee!.shows('terminated');
    await scene.off('dialog', 'fay', 'finn');
    // What was overtaken was not sent: the end, and its removal, of both sides.
    expect(scene.relay.publishes().slice(before)).toHaveLength(4);
    expect(caller!.history).toEqual([OFF, 'trying', 'terminated']);
    expect(callee!.history).toEqual([OFF, 'early', 'terminated']);
  });

  test('a call to two phones of a user: both ring, one answers, the other one is cancelled', async () => {
    const gina = await scene.registered('gina');
    const phones = [await scene.registered('hugo'), await scene.registered('hugo')];
    const [caller, callee] = await scene.lamps('dialog', 'gina', 'hugo');
    const call = gina.call(uriOf('hugo'));
    const [first, second] = await Promise.all(phones.map((phone) => phone.nextCall()));
    const ringing = await callee!.dialogs('early early');
    expect(new Set(ringing.map(({ localTag }) => localTag))).toEqual(new Set([first!.localTag, second!.localTag]));
    expect(new Set(ringing.map(({ id }) => id)).size).toBe(2);
    await caller!.shows('early early');
    // Rings again: nothing new.
    first!.ring();
    second!.pickUp();
    const answered = await callee!.dialogs('confirmed terminated');
    expect(answered.find(({ state }) => state === 'confirmed')).toMatchObject({ localTag: second!.localTag });
    expect(answered.find(({ state }) => state === 'terminated')).toMatchObject({
      ...{ localTag: first!.localTag, event: 'cancelled' },
    });
    await scene.publications('hugo', 'dialog', 1);
    await call.hangUp();
    await caller!.shows('terminated');
    await callee!.shows('terminated');
    await scene.off('dialog', 'gina', 'hugo');
  });

  test('calls that are cancelled, rejected, and to nobody', async () => {
    const [ines, jan] = [await scene.registered('ines'), await scene.registered('jan')];
    const [caller, callee] = await scene.lamps('dialog', 'ines', 'jan');
    const cancelled = ines.call(jan.aor);
    await caller!.shows('early');
    await callee!.shows('early');
    cancelled.cancel();
    expect(await callee!.dialogs('terminated')).toMatchObject([{ event: 'cancelled' }]);
    expect(await caller!.dialogs('terminated')).toMatchObject([{ event: 'cancelled' }]);
    await scene.off('dialog', 'ines', 'jan');

    // Kamailio tells of an end once more when it is removed: each call has watchers of its own.
    const rejected = await scene.lamp('ines', 'dialog');
    jan.onCall = (call) => call.reject(486);
    await ines.call(jan.aor).reaches('ended');
    expect(await rejected.dialogs('terminated')).toMatchObject([{ event: 'rejected', code: 486 }]);
    await scene.off('dialog', 'ines', 'jan');

    const lost = await scene.lamp('ines', 'dialog');
    await ines.call(uriOf('nobody')).reaches('ended');
    expect(await lost.dialogs('terminated')).toMatchObject([{ event: 'rejected', code: 404 }]);
    await scene.off('dialog', 'ines', 'nobody');
  });

  test('a call to oneself: both ends are shown, and none stays', async () => {
    const kim = await scene.registered('kim');
    const lamp = await scene.lamp('kim', 'dialog');
    const call = kim.call(kim.aor);
    const incoming = await kim.nextCall();
    const ends = await lamp.dialogs('early early');
    expect(ends.map(({ direction }) => direction).sort()).toEqual(['initiator', 'recipient']);
    incoming.pickUp();
    await lamp.shows('confirmed confirmed');
    await call.hangUp();
    await lamp.shows('terminated terminated');
    await scene.off('dialog', 'kim');
  });

  test('quotes, markup and letters that are not ASCII in Call-IDs, names and addresses', async () => {
    const names = { call: `a"b<c>&d'é@[::1]`, display: `Ünal "<b>" & 'Söhne' \\ 名` };
    const lea = await scene.registered('lea', { display: names.display });
    const max = await scene.phone('m&x');
    const presence = await scene.lamp('m&x', 'presence');
    const reg = await scene.lamp('m&x', 'reg');
    await accepted(max.register({ callId: names.call }));
    expect((await presence.shows('open')).body).toContain('entity="sip:m&amp;x@example.com"');
    const [registration] = await reg.registrations('active:created');
    expect(registration).toMatchObject({ aor: 'sip:m&x@example.com', contacts: [{ callId: names.call }] });

    const [caller, callee] = await scene.lamps('dialog', 'lea', 'm&x');
    const call = lea.call(max.aor, [], `call-${names.call}`);
    const incoming = await max.nextCall();
    const shown = {
      callId: `call-${names.call}`,
      remote: { identity: { uri: lea.aor, display: names.display } },
    };
    expect(await callee!.dialogs('early')).toMatchObject([shown]);
    incoming.pickUp();
    await caller!.shows('confirmed');
    await call.reaches('answered');
    await call.hangUp();
    expect(await callee!.dialogs('terminated')).toMatchObject([shown]);
    await caller!.shows('terminated');
    await scene.off('dialog', 'lea', 'm&x');
    await accepted(max.unregister({ callId: names.call }));
    await presence.shows('closed');
    await scene.off('presence', 'm&x');
  });

  (peersReady(['sipp']) ? test : test.skip)('phones of sipp', async () => {
    const sipp = new SippPhones(scene.proxy.port);
    try {
      const [port, other] = [await sipp.port(), await sipp.port()];
      const [presence, reg] = [await scene.lamp('uas', 'presence'), await scene.lamp('uas', 'reg')];
      const [caller, callee] = await scene.lamps('dialog', 'uac', 'uas');
      await sipp.register('uas', port);
      await presence.shows('open');
      await reg.shows('active:created');
      const uas = sipp.wait('uas', port);
      const uac = sipp.call('uac', uriOf('uas'), other);
      const [{ callId = '' } = {}] = await caller!.dialogs('trying');
      await goOn(port, callId);
      await callee!.shows('early');
      await caller!.shows('early');
      await goOn(port, callId);
      await callee!.shows('confirmed');
      await caller!.shows('confirmed');
      await goOn(other, callId);
      await callee!.shows('terminated');
      await caller!.shows('terminated');
      await Promise.all([uas.done(), uac.done()]);
      await sipp.register('uas', port, 0);
      await presence.shows('closed');
      await scene.off('dialog', 'uac', 'uas');
      await scene.off('presence', 'uas');
      expect(caller!.history).toEqual([OFF, 'trying', 'early', 'confirmed', 'terminated']);
      expect(callee!.history).toEqual([OFF, 'early', 'confirmed', 'terminated']);
      expect(presence.history).toEqual([OFF, 'open', 'closed']);
    } finally {
      await sipp.stop();
    }
  });

  test('nothing is published when everybody has unregistered, and nothing is left of ours', async () => {
    await scene.unregisterAll();
    await scene.presence.waitForPresentity((rows) => rows.length === 0, 10_000);
    for (const event of ['presence', 'dialog', 'reg'] as const) {
      await eventually(
        'no record',
        () => scene.wanted(event),
        ({ length }) => length === 0,
      );
    }
    // The server has never forgotten anything, and nobody was refused anything.
    expect(scene.relay.publishes().filter(({ status }) => status !== 200)).toEqual([]);
  });

  describeSchemas(() => scene);
});
