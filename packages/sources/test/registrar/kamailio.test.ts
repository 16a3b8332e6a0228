/** Beside a real Kamailio: it copies what it has accepted to the tap, and its accounts are those of our registrar. */
import { EventEmitter, once } from 'node:events';
import { type BindingEvent, createPua } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { REGISTRAR_EXTENSIONS, type RegistrarOptions, registrar } from '@pua/sources';
import { type LaunchedMariadb, launchKamailioProxy, launchMariadb, Phone, peersReady } from '@pua/testkit';

// Servers start slowly on a busy machine.
jest.setTimeout(30_000);

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('beside Kamailio', () => {
  let mariadb: LaunchedMariadb;
  beforeAll(async () => {
    mariadb = await launchMariadb();
  });
  afterAll(() => mariadb.stop());

  const opened: { stop(): unknown }[] = [];
  afterEach(async () => {
    for (const one of opened.splice(0).reverse()) await one.stop();
  });
  const opening = <T extends { stop(): unknown }>(one: T): T => {
    opened.push(one);
    return one;
  };

  async function serve(options: RegistrarOptions) {
    const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], supported: () => REGISTRAR_EXTENSIONS });
    const source = registrar(options);
    const pua = opening(createPua({ sip, updatePeriod: 0 }));
    pua.use(source);
    const told = new EventEmitter();
    const events: BindingEvent[] = [];
    source.onEvent((event) => {
      events.push(event);
      told.emit('event');
    });
    await pua.start();
    const uri = `sip:127.0.0.1:${sip.addresses[0]!.port}`;
    /** The next event, when there is one. */
    const next = async () => {
      while (events.length === 0) await once(told, 'event');
      return events.shift()!;
    };
    return { uri, next, events };
  }
  const phoneAt = async (server: string, user = 'alice', password = 'secret') =>
    opening(await Phone.start({ aor: `sip:${user}@example.com`, server, credentials: { username: user, password } }));

  test('REGISTERs that Kamailio copies: insert, update, delete', async () => {
    const tap = await serve({ trusted: ['127.0.0.1'] });
    const kamailio = opening(await launchKamailioProxy({ mariadb, tap: tap.uri, digest: true }));
    await kamailio.addSubscriber('alice', 'example.com', 'secret');
    const phone = await phoneAt(kamailio.uri);
    expect((await phone.register({ expires: 100, contactParams: ';q=0.5' })).status).toBe(200);
    const inserted = await tap.next();
    expect(inserted).toMatchObject({
      kind: 'insert',
      binding: {
        aor: 'alice@example.com',
        contact: phone.contact,
        q: 0.5,
        received: `sip:${phone.contact.split('@')[1]}`,
      },
    });
    expect((await phone.register({ expires: 100 })).status).toBe(200);
    expect(await tap.next()).toMatchObject({ kind: 'update', binding: { bindingId: inserted.binding.bindingId } });
    expect((await phone.unregister()).status).toBe(200);
    expect(await tap.next()).toMatchObject({ kind: 'delete', siblings: [] });
    // Who is refused there is not heard of here: the next that comes is from somebody else.
    expect((await (await phoneAt(kamailio.uri, 'alice', 'guess')).register()).status).toBe(401);
    expect((await phone.register()).status).toBe(200);
    expect(await tap.next()).toMatchObject({ kind: 'insert', binding: { contact: phone.contact } });
    expect(tap.events).toEqual([]);
  });

  test("users of Kamailio's own table", async () => {
    const kamailio = opening(await launchKamailioProxy({ mariadb, digest: true }));
    await kamailio.addSubscriber('alice', 'example.com', 'secret');
    const own = await serve({
      subscriberUrl: kamailio.database.url,
      passwordColumn: 'password',
      domains: ['example.com'],
    });
    expect((await (await phoneAt(own.uri)).register()).status).toBe(200);
    expect((await own.next()).binding.aor).toBe('alice@example.com');
    expect((await (await phoneAt(own.uri, 'alice', 'guess')).register()).status).toBe(401);
    // MariaDB finds her without regard to case; she is somebody else.
    expect((await (await phoneAt(own.uri, 'ALICE')).register()).status).toBe(401);
    expect(own.events).toEqual([]);
  });
});
