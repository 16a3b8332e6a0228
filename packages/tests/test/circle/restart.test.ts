/** We are killed in the middle of calls and registrations, or the call server is; no lamp stays on, nothing is twice. */
import { peersReady } from '@pua/testkit';
import { accepted, Scene } from './support/scene';
import { describeSchemas } from './support/schemas';
import { SignsOfLife } from './support/signs-of-life';

jest.setTimeout(60_000);

/** Seconds of silence after which a call is over. */
const HEARTBEAT = 3;

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('the circle is broken', () => {
  let scene: Scene;
  let signs: SignsOfLife;
  beforeAll(async () => {
    scene = await Scene.open({ webhook: { heartbeat: HEARTBEAT } });
    signs = new SignsOfLife(scene);
    signs.start();
  });
  afterAll(async () => {
    await signs?.stop();
    await scene?.stop();
  });

  /** Two phones in a call, and their lamps. */
  async function inCall(from: string, to: string) {
    const phones = [await scene.registered(from), await scene.registered(to)] as const;
    const lamps = await scene.lamps('dialog', from, to);
    const call = phones[0].call(phones[1].aor);
    const incoming = await phones[1].nextCall();
    incoming.pickUp();
    for (const lamp of lamps) await lamp.shows('confirmed');
    await call.reaches('answered');
    return { phones, lamps, call, incoming };
  }

  test('kill -9 of us, and start: the publications go on, and what happened meanwhile is told', async () => {
    const { phones, lamps, call } = await inCall('alice', 'bob');
    const [carl, dora] = [await scene.registered('carl'), await scene.registered('dora')];
    const later = await scene.lamps('dialog', 'carl', 'dora');
    const ringing = carl.call(dora.aor);
    for (const lamp of later) await lamp.shows('early');
    const erin = await scene.phone('erin');
    const [presence, reg] = [await scene.lamp('erin', 'presence'), await scene.lamp('erin', 'reg')];
    await accepted(erin.register({ expires: 2 }));
    await presence.shows('open');
    await reg.shows('active:created');
    for (const user of ['alice', 'bob', 'carl', 'dora', 'erin']) {
      await scene.publications(user, 'presence', 1);
      await scene.publications(user, 'reg', 1);
    }
    await scene.answered();
    const before = await scene.presence.presentity();
    const count = scene.relay.publishes().length;

    await scene.killProgram();
    await scene.proxy.waitForRows('location', (rows) => rows.every(({ username }) => username !== 'erin'), 10_000);
    (await dora.nextCall()).pickUp();
    await ringing.reaches('answered');
    await scene.startProgram();
    for (const lamp of later) await lamp.shows('confirmed');
    await scene.off('presence', 'erin');
    await scene.off('reg', 'erin');
    expect([...(await scene.wanted('presence', 'erin')), ...(await scene.wanted('reg', 'erin'))]).toEqual([]);
    const rows = await scene.presence.presentity();
    const namesOf = (all: typeof rows) => all.map(({ username, event }) => `${username} ${event}`).sort();
    expect(namesOf(rows)).toEqual(namesOf(before.filter(({ username }) => username !== 'erin')));

    await accepted(phones[0].register());
    await call.hangUp();
    await ringing.hangUp();
    for (const lamp of [...lamps, ...later]) await lamp.shows('terminated');
    await scene.off('dialog', 'alice', 'bob', 'carl', 'dora');
    await Promise.all([...phones, carl, dora].map((phone) => accepted(phone.unregister())));
    for (const user of ['alice', 'bob', 'carl', 'dora']) await scene.off('presence', user);

    // No publication was begun anew, and none had been forgotten.
    await scene.answered();
    const since = scene.relay.publishes().slice(count);
    expect(since.filter(({ ifMatch, status }) => ifMatch === '' || status !== 200)).toEqual([]);
  });

  test('a call that ended while nobody could tell us is over after the time of a heartbeat', async () => {
    const { lamps, call } = await inCall('gina', 'hugo');
    const going = await inCall('ines', 'jan');
    await scene.killProgram();
    await call.hangUp();
    await scene.proxy.waitForRows('dialog', (rows) => rows.every(({ callid }) => callid !== call.callId), 10_000);
    // What it has not told yet goes with it.
    await scene.proxy.restart('kill');
    await scene.startProgram();
    for (const lamp of lamps) expect(await lamp.dialogs('terminated')).toMatchObject([{ event: 'timeout' }]);
    await scene.off('dialog', 'gina', 'hugo');
    // The other one has given signs of life.
    for (const user of ['ines', 'jan']) await scene.publications(user, 'dialog', 1);
    for (const lamp of going.lamps) expect(lamp.history.at(-1)).toBe('confirmed');
    await going.call.hangUp();
    for (const lamp of going.lamps) await lamp.shows('terminated');
    await scene.off('dialog', 'ines', 'jan');
  });

  test('kill -9 of the call server: the lamps of its calls go off within the time of a heartbeat', async () => {
    const { lamps, call } = await inCall('kim', 'lea');
    const crashed = performance.now();
    await scene.proxy.interrupt('kill');
    await signs.stop();
    for (const lamp of lamps) expect(await lamp.dialogs('terminated')).toMatchObject([{ event: 'timeout' }]);
    expect(performance.now() - crashed).toBeLessThan((HEARTBEAT + 2) * 1000);
    await scene.off('dialog', 'kim', 'lea');
    // It comes back and hears of the end: nobody is told of a call that is over.
    await scene.proxy.resume();
    await call.hangUp();
    await scene.proxy.waitForRows('dialog', ({ length }) => length === 0, 10_000);
    await scene.off('dialog', 'kim', 'lea');
    expect(await scene.wanted('dialog')).toEqual([]);
  });

  describeSchemas(() => scene);
});
