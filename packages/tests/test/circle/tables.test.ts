/** The same circle, but we only look into the tables `location` and `dialog` of the registrar; its AORs have no domain. */
import { peersReady } from '@pua/testkit';
import { eventually } from '../kamailio/support/eventually';
import { OFF } from './support/lamp';
import { accepted, DOMAIN, Scene } from './support/scene';
import { describeSchemas } from './support/schemas';

jest.setTimeout(60_000);

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('the circle by tables', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.open({
      by: 'tables',
      // The table is all that this registrar has: what is written there by hand counts, too.
      proxy: { useDomain: false, usrlocMode: 3 },
      usrloc: { default_domain: DOMAIN },
      reginfo: { default_domain: DOMAIN },
    });
  });
  afterAll(() => scene?.stop());

  async function sql(statement: string): Promise<void> {
    const connection = await scene.proxy.database.connect();
    await connection.query(statement);
    await connection.end();
  }

  test('a phone that registers is open, and offline when it is gone or has run out', async () => {
    const [presence, reg] = [await scene.lamp('alice', 'presence'), await scene.lamp('alice', 'reg')];
    const alice = await scene.registered('alice');
    expect((await presence.shows('open')).body).toContain('entity="sip:alice@example.com"');
    const [registration] = await reg.registrations('active:created');
    expect(registration).toMatchObject({ aor: alice.aor, contacts: [{ uri: alice.contact }] });
    expect(await scene.proxy.location()).toMatchObject([{ username: 'alice', domain: null }]);
    const [row] = await scene.publications('alice', 'presence', 1);
    await accepted(alice.register({ callId: 'another-life' }));
    await reg.shows('active:refreshed');
    await eventually(
      'refresh',
      () => scene.publications('alice', 'presence', 1),
      ([now]) => now!.etag !== row!.etag,
    );
    await accepted(alice.unregister({ callId: 'another-life' }));
    await presence.shows('closed');
    await reg.shows('terminated:unregistered');

    await accepted(alice.register({ callId: 'short-life', expires: 2 }));
    await reg.shows('active:created');
    await reg.shows('terminated:expired');
    await scene.off('presence', 'alice');
    await scene.off('reg', 'alice');
    expect(presence.history).toEqual([OFF, 'open', 'closed', 'open', 'closed']);
  });

  test('a permanent contact is open until its row is removed', async () => {
    const [presence, reg] = [await scene.lamp('fax', 'presence'), await scene.lamp('fax', 'reg')];
    await sql(`INSERT INTO location (ruid, username, contact, expires, callid, last_modified)
      VALUES ('by-hand', 'fax', 'sip:fax@127.0.0.1:9', '1970-01-01 00:00:00', 'by-hand', NOW())`);
    await presence.shows('open');
    await reg.shows('active:created');
    const [row] = await scene.publications('fax', 'presence', 1);
    expect(row!.expires).toBeGreaterThan(Date.now() / 1000 + 1800);
    await sql(`DELETE FROM location WHERE ruid = 'by-hand'`);
    await presence.shows('closed');
    await reg.shows('terminated:unregistered');
    await scene.off('presence', 'fax');
  });

  test('calls; one ends, one begins and one goes on while we are killed and started again', async () => {
    const names = ['anna', 'bert', 'carl', 'dora', 'emil', 'fred'] as const;
    const [anna, bert, carl, dora, emil, fred] = await Promise.all(names.map((name) => scene.registered(name)));
    for (const phone of [bert!, dora!, fred!]) phone.onCall = (call) => call.pickUp();
    const lamps = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await scene.lamp(name, 'dialog')] as const)),
    );
    const [kept, ended] = [anna!.call(bert!.aor), carl!.call(dora!.aor)];
    for (const name of ['anna', 'bert', 'carl', 'dora']) await lamps[name]!.shows('confirmed');
    for (const name of names) await scene.publications(name, 'presence', 1);
    const before = await scene.publications('anna', 'dialog', 1);
    const count = scene.relay.publishes().length;

    await scene.killProgram();
    await ended.hangUp();
    const begun = emil!.call(fred!.aor);
    await accepted(dora!.unregister());
    await scene.proxy.waitForRows('dialog', (rows) => rows.every(({ callid }) => callid !== ended.callId), 10_000);
    await begun.reaches('answered');
    await scene.startProgram();

    for (const name of ['emil', 'fred']) await lamps[name]!.shows('confirmed');
    for (const name of ['carl', 'dora']) {
      expect(await lamps[name]!.dialogs('terminated')).toMatchObject([{ event: 'timeout' }]);
    }
    await scene.off('presence', 'dora');
    await scene.off('dialog', 'carl', 'dora');
    // Nothing was published twice.
    for (const name of ['anna', 'bert']) {
      await scene.publications(name, 'dialog', 1);
      await scene.publications(name, 'presence', 1);
      await scene.publications(name, 'reg', 1);
    }
    expect((await scene.publications('anna', 'dialog', 1))[0]!.body).toBe(before[0]!.body);
    await scene.answered();
    const since = scene.relay.publishes().slice(count);
    expect(since.filter(({ status }) => status !== 200)).toEqual([]);
    const initial = since.filter(({ ifMatch }) => ifMatch === '').map(({ uri, event }) => `${event} ${uri}`);
    expect(initial.sort()).toEqual(['dialog sip:emil@example.com', 'dialog sip:fred@example.com']);

    await kept.hangUp();
    await begun.hangUp();
    for (const name of ['anna', 'bert', 'emil', 'fred']) await lamps[name]!.shows('terminated');
    await scene.off('dialog', ...names);
    await scene.unregisterAll();
    await scene.presence.waitForPresentity((rows) => rows.length === 0, 10_000);
  });

  describeSchemas(() => scene);
});
