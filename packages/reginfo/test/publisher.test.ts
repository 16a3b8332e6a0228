/** Location events -> PUBLISH (spec: 4.1 of Kamailio, 4.2 of OpenSIPS, and what is done better). */
import { type Registration, readRegInfo } from '@pua/documents';
import { reginfo } from '@pua/reginfo';
import { ALICE, binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { type NodeOptions, World } from './support/world';

let world: World;
let registrar: FakeRegistrar;

beforeEach(async () => {
  world = await World.start();
  registrar = new FakeRegistrar();
});
afterEach(async () => {
  await world.stop();
  expect(world.faults).toEqual([]);
});

const start = (options: NodeOptions = {}) => world.node({ source: registrar, ...options });

/** `state contact/event ...` */
const outline = ({ state, contacts = [] }: Registration) =>
  [state, ...contacts.map((one) => `${one.state}/${one.event}`)].join(' ');

/** Runs the clock through the coalescing and a round trip; the outline of the one document that was published then. */
async function published(): Promise<string | undefined> {
  const before = world.publishes.length;
  await world.advance(20);
  expect(world.publishes.length).toBeLessThanOrEqual(before + 1);
  return world.publishes.length > before ? outline(world.document.registrations[0]!) : undefined;
}

/** An AOR with two contacts that are published. */
async function two() {
  await start();
  const one = registrar.insert(binding({ expiresAt: NOW + 2 * HOUR }));
  const other = registrar.insert(binding());
  await published();
  return { one, other };
}

const contacts = () => world.document.registrations[0]!.contacts!;

describe('kamailio, 4.1', () => {
  test('fields of the PUBLISH', async () => {
    const { pua } = await start();
    registrar.insert(binding());
    await published();
    expect(world.last).toMatchObject({ uri: `sip:${ALICE}`, ifMatch: undefined, expires: 3601, status: 200 });
    const { headers } = world.server.requests[0]!;
    expect([headers.get('Event'), headers.get('Content-Type')]).toEqual(['reg', 'application/reginfo+xml']);
    const record = [...pua.list()][0]!;
    expect(record).toMatchObject({ id: `REGINFO_PUBLISH.${ALICE}@location`, sourceFlag: 4096 });
  });

  test('INSERT of the first, of another one', async () => {
    await start();
    registrar.insert(binding());
    expect(await published()).toBe('active active/created');
    registrar.insert(binding());
    expect(await published()).toBe('active active/registered active/created');
    expect(world.last.ifMatch).toBeDefined();
  });

  test('UPDATE: the others are registered', async () => {
    const { other } = await two();
    registrar.update(other, { expiresAt: NOW + 3 * HOUR });
    expect(await published()).toBe('active active/registered active/refreshed');
  });

  test('DELETE of one, of the last one', async () => {
    const { one, other } = await two();
    registrar.delete(one);
    expect(await published()).toBe('active active/registered terminated/unregistered');
    registrar.delete(other);
    expect(await published()).toBe('terminated terminated/unregistered');
  });

  test('BETTER: EXPIRE lists the contact that has just run out, without expires, and the next document does not', async () => {
    const { one, other } = await two();
    registrar.expire(other);
    expect(await published()).toBe('active active/registered terminated/expired');
    expect(contacts()[1]!.uri).toBe(other.contact);
    expect(contacts()[1]).not.toHaveProperty('expires');
    registrar.update(one);
    expect(await published()).toBe('active active/refreshed');
    registrar.expire(one);
    expect(await published()).toBe('terminated terminated/expired');
  });

  test.each([
    [{ reason: 'rejected' }, 'terminated terminated/rejected'],
    [{ reason: 'deactivated' }, 'terminated terminated/deactivated'],
    [{ reason: 'probation', retryAfter: 300 }, 'terminated terminated/probation'],
    // Without a time probation is none: both invite to register again.
    [{ reason: 'probation' }, 'terminated terminated/deactivated'],
  ] as const)('DELETE for a reason: %j', async (hints, expected) => {
    await start();
    registrar.delete(registrar.insert(binding()), hints);
    expect(await published()).toBe(expected);
    expect(contacts()[0]!.retryAfter).toBe('retryAfter' in hints ? hints.retryAfter : undefined);
  });

  test('a contact that is out of date, and nobody has said so, is not listed', async () => {
    await start();
    registrar.insert(binding({ expiresAt: NOW - 1 }));
    registrar.insert(binding());
    expect(await published()).toBe('active active/created');
  });

  test.each([
    ['local', undefined, 1],
    ['replica', 'replica', 0],
    ['reginfo', 'reginfo', 0],
  ] as const)('a change of origin %s', async (_name, origin, documents) => {
    await start();
    registrar.insert(binding(), origin && { origin });
    await published();
    expect(world.publishes).toHaveLength(documents);
  });

  test('BETTER: bindings learned elsewhere are in no document of ours', async () => {
    await start();
    registrar.insert(binding({ origin: 'reginfo' }), { origin: 'reginfo' });
    registrar.insert(binding({ origin: 'replica' }));
    expect(await published()).toBeUndefined();
    const own = registrar.insert(binding());
    expect(await published()).toBe('active active/created');
    registrar.delete(own);
    expect(await published()).toBe('terminated terminated/unregistered');
  });

  test('a phone that comes here from where a NOTIFY has told it: new here, and nothing of ours has ended', async () => {
    await start();
    const learned = { origin: 'reginfo', contact: 'sip:alice@192.0.2.99' } as const;
    const there = registrar.insert(binding(learned), { origin: 'reginfo' });
    registrar.update(there, { origin: 'local', contact: 'sip:alice@192.0.2.1' });
    expect(await published()).toBe('active active/created');
    const same = registrar.insert(binding(learned), { origin: 'reginfo' });
    registrar.update(same, { origin: 'local' });
    expect(await published()).toBe('active active/registered active/created');
  });

  test('reginfo_disable_publish: the next event alone; a source may say it of each', async () => {
    const { module } = await start();
    module.reginfoDisablePublish();
    registrar.insert(binding());
    expect(await published()).toBeUndefined();
    registrar.insert(binding(), { publish: false });
    expect(await published()).toBeUndefined();
    registrar.insert(binding());
    expect(await published()).toBe('active active/registered active/registered active/created');
  });

  test('an event that is not published changes what the others tell all the same', async () => {
    await start();
    registrar.insert(binding());
    registrar.delete(registrar.insert(binding(), { publish: false }), { publish: false });
    expect(await published()).toBe('active active/created');
  });

  test('publish_reginfo 0', async () => {
    await start({ publishReginfo: 0 });
    registrar.insert(binding());
    expect(await published()).toBeUndefined();
    expect(registrar.listeners.size).toBe(0);
  });

  test('outbound_proxy of its own, also for refreshes', async () => {
    await start({ outboundProxy: 'sip:10.0.0.9:5060', pua: { outboundProxy: 'sip:10.0.0.66' } });
    registrar.insert(binding({ expiresAt: 0 }));
    await published();
    await world.advance(3 * HOUR);
    expect(world.publishes.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });
});

describe('AORs', () => {
  test.each([
    ['alice', 'sip:alice@home.example', 'REGINFO_PUBLISH.alice@location'],
    ['', 'sip:home.example', 'REGINFO_PUBLISH.@location'],
    [
      'al&ice"<é>@example.com',
      'sip:al&ice%22%3C%C3%A9%3E@example.com',
      'REGINFO_PUBLISH.al&ice"<é>@example.com@location',
    ],
    ['sips:alice@example.com', 'sips:alice@example.com', 'REGINFO_PUBLISH.sips:alice@example.com@location'],
    ['tel:+4930123', 'tel:+4930123', 'REGINFO_PUBLISH.tel:+4930123@location'],
  ])('%j', async (aor, uri, id) => {
    const { pua } = await start({ defaultDomain: 'home.example' });
    registrar.insert(binding({ aor }));
    await published();
    const records = [...pua.list()];
    expect(records.map((record) => [record.presUri, record.id])).toEqual([[uri, id]]);
    expect(readRegInfo(records[0]!.body!).registrations[0]!.aor).toBe(uri);
  });

  test('BETTER: default_domain is needed only for an AOR without one, and the error names both', async () => {
    await start();
    registrar.insert(binding({ aor: 'alice' }));
    registrar.insert(binding());
    await published();
    expect(world.publishes).toHaveLength(1);
    const [{ error, where }] = world.faults.splice(0) as [{ error: Error; where: string }];
    expect(where).toBe('reginfo: insert of alice');
    expect(error.message).toBe('reginfo: the AOR "alice" has no domain; set defaultDomain (default_domain)');
  });

  test('BETTER: no limit to their length', async () => {
    await start();
    const aor = `${'a'.repeat(600)}@example.com`;
    registrar.insert(binding({ aor }));
    await published();
    expect(world.last).toMatchObject({ uri: `sip:${aor}`, status: 200 });
    registrar.delete(registrar.of(aor)[0]!);
    await published();
    await world.advance(30_000);
    expect(world.server.publications).toEqual([]);
  });

  test('ul_domain: one table; none: every table has its own publication', async () => {
    const { pua } = await start();
    registrar.insert(binding({ table: 'aliases' }));
    registrar.insert(binding());
    await world.advance(20);
    expect([...pua.list()].map(({ id }) => id).sort()).toEqual([
      `REGINFO_PUBLISH.${ALICE}@aliases`,
      `REGINFO_PUBLISH.${ALICE}@location`,
    ]);
    const other = new FakeRegistrar();
    const second = await world.node({ source: other, host: '10.0.0.2', ulDomain: 'aliases', node: 'b' });
    other.insert(binding({ table: 'aliases' }));
    other.insert(binding({ table: 'location' }));
    other.insert(binding({ aor: 'bob@example.com' }));
    await world.advance(20);
    expect([...second.pua.list()].map(({ id }) => id).sort()).toEqual([
      `REGINFO_PUBLISH.${ALICE}@aliases`,
      'REGINFO_PUBLISH.bob@example.com@aliases',
    ]);
  });
});

describe('BETTER: lifetime', () => {
  test('that of the longest contact', async () => {
    await start();
    registrar.insert(binding({ expiresAt: NOW + 600_000 }));
    registrar.insert(binding({ expiresAt: NOW + 1_800_000 }));
    registrar.insert(binding({ expiresAt: NOW + 60_000 }));
    await published();
    expect(world.last.expires).toBe(1801);
    await world.advance(1_801_000);
    expect(world.server.publications).toEqual([]);
  });

  test('longer than the server allows: refreshed until its end', async () => {
    world.server.publishLimits.max = 600;
    await start();
    registrar.insert(binding());
    await world.advance(HOUR);
    expect(world.server.publications).toHaveLength(1);
    await world.advance(2_000);
    expect(world.server.publications).toEqual([]);
  });

  test('permanent: for ever, without expires', async () => {
    await start();
    registrar.insert(binding({ expiresAt: 0 }));
    registrar.insert(binding());
    expect(await published()).toBe('active active/created active/created');
    expect(contacts().map(({ expires }) => expires)).toEqual([undefined, 3600]);
    expect(world.last.expires).toBe(3600);
    await world.advance(20 * HOUR);
    expect(world.server.publications).toHaveLength(1);
  });

  test('a permanent contact that becomes a common one', async () => {
    await start();
    const one = registrar.insert(binding({ expiresAt: 0 }));
    await published();
    registrar.update(one, { expiresAt: NOW + 60_000 });
    await published();
    await world.advance(62_000);
    expect(world.server.publications).toEqual([]);
  });
});

describe('BETTER: after the last contact', () => {
  test('the terminated document for terminated_lifetime, then it is removed', async () => {
    await start();
    const one = registrar.insert(binding());
    await published();
    registrar.delete(one);
    expect(await published()).toBe('terminated terminated/unregistered');
    expect(world.last.expires).toBe(31);
    await world.advance(29_900);
    expect(world.server.publications).toHaveLength(1);
    await world.advance(200);
    expect(world.last).toMatchObject({ expires: 0, body: '', status: 200 });
    expect(world.server.publications).toEqual([]);
  });

  test('a server that wants longer lifetimes is not left with a ghost', async () => {
    world.server.publishLimits.min = 3600;
    await start({ terminatedLifetime: 5 });
    registrar.expire(registrar.insert(binding()));
    await world.advance(5_100);
    expect(world.last).toMatchObject({ expires: 0, status: 200 });
    expect(world.server.publications).toEqual([]);
  });

  test('who comes back meanwhile is not removed', async () => {
    await start();
    registrar.delete(registrar.insert(binding()));
    await published();
    await world.advance(20_000);
    registrar.insert(binding());
    expect(await published()).toBe('active active/created');
    await world.advance(60_000);
    expect(world.server.publications).toHaveLength(1);
    expect(world.last.expires).not.toBe(0);
  });
});

describe('BETTER: coalescing', () => {
  test('a REGISTER with several contacts gives one document', async () => {
    await start();
    for (let i = 0; i < 5; i++) registrar.insert(binding());
    expect(await published()).toBe('active active/created active/created active/created active/created active/created');
    expect(world.publishes).toHaveLength(1);
  });

  test('the parameter', async () => {
    await start({ coalesce: 1_000 });
    const one = registrar.insert(binding());
    await world.advance(900);
    registrar.update(one);
    expect(world.publishes).toEqual([]);
    await world.advance(110);
    expect(world.publishes).toHaveLength(1);
    expect(await published()).toBeUndefined();
  });

  test('what came and went in between is told as gone', async () => {
    await start();
    registrar.insert(binding());
    registrar.delete(registrar.insert(binding()));
    expect(await published()).toBe('active active/created terminated/unregistered');
  });

  test('other AORs have their own documents', async () => {
    await start();
    registrar.insert(binding());
    registrar.insert(binding({ aor: 'bob@example.com' }));
    await world.advance(20);
    expect(world.publishes.map(({ uri }) => uri).sort()).toEqual([`sip:${ALICE}`, 'sip:bob@example.com']);
  });

  test('events while a document is being made are in the next one', async () => {
    registrar = new FakeRegistrar({ siblings: false });
    let release = () => {};
    const bindings = registrar.bindings!;
    registrar.bindings = async (...query) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return bindings(...query);
    };
    await start();
    const one = registrar.insert(binding());
    await world.advance(20);
    registrar.delete(one);
    await world.advance(20);
    expect(world.publishes).toEqual([]);
    release();
    await world.advance(20);
    release();
    await world.advance(20);
    expect(world.document.registrations.map(outline)).toEqual(['terminated terminated/unregistered']);
  });
});

test('BETTER: stable ids, and another URI is another contact', async () => {
  const { one, other } = await two();
  const before = world.document.registrations[0]!;
  registrar.update(one, { callId: 'new-call-id', cseq: 9 });
  await published();
  const after = world.document.registrations[0]!;
  expect(after.id).toBe(before.id);
  expect(after.contacts!.map(({ id }) => id).sort()).toEqual(before.contacts!.map(({ id }) => id).sort());
  registrar.update(other, { contact: 'sip:alice@198.51.100.7' });
  expect(await published()).toBe('active active/registered active/created terminated/unregistered');
  expect(contacts()[2]!.id).toBe(before.contacts![1]!.id);
});

test('versions rise by one with every document that is sent', async () => {
  const { one } = await two();
  registrar.update(one);
  await published();
  registrar.update(one);
  await published();
  const versions = world.publishes.map(({ body }) => Number(/version="(\d+)"/.exec(body)![1]));
  expect(versions).toEqual([0, 1, 2]);
});

describe('opensips, 4.2', () => {
  const opensips = { profile: 'opensips', publishReginfo: 1 } as const;

  test('publishes only when it is told to', async () => {
    await start({ profile: 'opensips' });
    registrar.insert(binding());
    expect(await published()).toBeUndefined();
  });

  test('INSERT, UPDATE, EXPIRE, DELETE', async () => {
    await start(opensips);
    const one = registrar.insert(binding());
    expect(await published()).toBe('active active/registered');
    registrar.update(one);
    expect(await published()).toBe('active active/refreshed');
    const other = registrar.insert(binding());
    expect(await published()).toBe('active active/registered active/registered');
    registrar.expire(other);
    expect(await published()).toBe('active active/registered terminated/expired');
    registrar.delete(one);
    expect(await published()).toBe('terminated terminated/unregistered');
  });

  test('contacts that are no longer valid are listed, as expired', async () => {
    await start(opensips);
    registrar.insert(binding({ expiresAt: NOW - 1 }));
    registrar.insert(binding());
    expect(await published()).toBe('active terminated/expired active/registered');
    expect(contacts()[0]!.expires).toBeUndefined();
  });

  test('ul_identities_key: one registration for each identity, with the same contacts; without identities nothing', async () => {
    let identities = ['<sip:alice@example.com>', 'sip:+4930123@example.com;user=phone', 'desk7@example.com'];
    registrar.identities = async () => identities;
    await start({ ...opensips, ulIdentitiesKey: 'identities' });
    const one = registrar.insert(binding());
    await published();
    const { registrations } = world.document;
    expect(registrations.map(({ aor }) => aor)).toEqual([
      'sip:alice@example.com',
      'sip:+4930123@example.com;user=phone',
      'sip:desk7@example.com',
    ]);
    expect(registrations.map((registration) => registration.contacts!.map(({ uri }) => uri))).toEqual(
      Array(3).fill([one.contact]),
    );
    identities = [];
    registrar.insert(binding({ aor: 'bob@example.com' }));
    expect(await published()).toBeUndefined();
    registrar.update(one);
    await world.advance(20);
    expect(world.server.publications).toEqual([]);
  });

  test('identities of which none can be written: nothing, and it is told', async () => {
    registrar.identities = async () => ['sip:desk 7@example.com'];
    await start({ ...opensips, ulIdentitiesKey: 'identities' });
    registrar.insert(binding());
    expect(await published()).toBeUndefined();
    expect(world.faults.splice(0).map(({ where }) => where)).toEqual([`reginfo: document of sip:${ALICE}`]);
  });

  test('BETTER: identities without the parameter come beside the AOR', async () => {
    await start();
    registrar.identities = async () => ['sip:alice@example.com', 'sip:alias@example.com'];
    registrar.insert(binding());
    await published();
    expect(world.document.registrations.map(({ aor }) => aor)).toEqual([`sip:${ALICE}`, 'sip:alias@example.com']);
  });

  test('an identity that is none is told, and does not stand in the way of the others', async () => {
    await start(opensips);
    registrar.identities = async () => ['desk7', 'sip:desk 7@example.com', 'sip:alias@example.com'];
    registrar.insert(binding());
    await published();
    expect(world.document.registrations.map(({ aor }) => aor)).toEqual([`sip:${ALICE}`, 'sip:alias@example.com']);
    expect(world.faults.splice(0).map(({ where }) => where)).toEqual(
      Array(2).fill(`reginfo: an identity of sip:${ALICE} that is left out`),
    );
  });

  describe('reginfo_update', () => {
    test('an AOR in another spelling than that of its source is still the same publication', async () => {
      const { module, pua } = await start(opensips);
      registrar.insert(binding());
      await published();
      const { bindings } = registrar;
      registrar.bindings = (aor, table) => bindings!(aor.replace(/^sip:/, ''), table);
      expect(await module.reginfoUpdate(`sip:${ALICE}`)).toBe(1);
      expect(await published()).toBe('active active/registered');
      expect([...pua.list()]).toHaveLength(1);
    });

    test.each([
      [1, 'active active/registered'],
      [2, 'active active/refreshed active/registered'],
    ])('with %i contacts', async (count, expected) => {
      const { module } = await start(opensips);
      for (let i = 0; i < count; i++) registrar.held.set(String(i), binding());
      expect(await module.reginfoUpdate(ALICE)).toBe(1);
      expect(await published()).toBe(expected);
    });

    test('without contacts, and where nothing is published', async () => {
      const { module } = await start(opensips);
      expect(await module.reginfoUpdate(ALICE)).toBe(-1);
      expect(await published()).toBeUndefined();
      const silent = await world.node({ host: '10.0.0.2' });
      expect(await silent.module.reginfoUpdate(ALICE)).toBe(-1);
    });

    test('an AOR without domain', async () => {
      const { module } = await start(opensips);
      registrar.held.set('1', binding({ aor: 'alice' }));
      await expect(module.reginfoUpdate('alice')).rejects.toMatchObject({ code: 'PUA_ERR_OPTION' });
    });
  });
});

describe('sources', () => {
  test.each([
    ['siblings only', { bindings: false }],
    ['bindings() only', { siblings: false }],
  ])('with %s', async (_name, traits) => {
    registrar = new FakeRegistrar(traits);
    await start();
    registrar.insert(binding());
    const other = registrar.insert(binding());
    await published();
    registrar.delete(other);
    expect(await published()).toBe('active active/registered terminated/unregistered');
  });

  test('several: a document tells the bindings of all of them', async () => {
    const second = new FakeRegistrar();
    await world.node({ source: registrar, sources: [second] });
    registrar.insert(binding());
    await published();
    second.insert(binding());
    expect(await published()).toBe('active active/registered active/created');
  });

  test('one that fails is asked again, and nothing is forgotten', async () => {
    registrar = new FakeRegistrar({ siblings: false });
    await start();
    const bindings = registrar.bindings!;
    registrar.bindings = async () => {
      throw new Error('no database');
    };
    registrar.delete(registrar.insert(binding()));
    await world.advance(20);
    registrar.bindings = bindings;
    registrar.insert(binding());
    await world.advance(5_000);
    expect(world.document.registrations.map(outline)).toEqual(['active active/created terminated/unregistered']);
    expect(world.faults.splice(0).map(({ where }) => where)).toEqual([
      `reginfo: source of sip:${ALICE}, asked again in 5 s`,
    ]);
  });

  test('that tells its bindings with some events only', async () => {
    await start();
    const one = registrar.insert(binding());
    const other = binding();
    registrar.held.set('other', other);
    for (const listener of registrar.listeners) void listener({ kind: 'insert', binding: other });
    expect(await published()).toBe('active active/created active/created');
    expect(contacts().map(({ uri }) => uri)).toEqual([one.contact, other.contact]);
  });

  test('while another one fails, what a source without bindings() has told is not forgotten', async () => {
    registrar = new FakeRegistrar({ bindings: false });
    const failing = new FakeRegistrar();
    await start({ sources: [failing] });
    const { bindings } = failing;
    failing.bindings = async () => {
      registrar.insert(binding());
      failing.bindings = async () => {
        throw new Error('no database');
      };
      throw new Error('no database');
    };
    registrar.insert(binding());
    await world.advance(20);
    failing.bindings = bindings!;
    await world.advance(5_000);
    expect(world.document.registrations.map(outline)).toEqual(['active active/created active/created']);
    expect(world.faults.splice(0)).toHaveLength(2);
  });

  test('one that can be asked is asked anew after a failure, whatever it has told before', async () => {
    await start();
    registrar.identities = async () => {
      registrar.held.clear();
      registrar.identities = async () => [];
      throw new Error('no database');
    };
    registrar.insert(binding());
    await world.advance(5_020);
    expect(world.document.registrations.map(outline)).toEqual(['terminated']);
    expect(world.faults.splice(0)).toHaveLength(1);
  });

  test('a contact that cannot be written is told, and does not stand in the way of the others', async () => {
    await start();
    const one = registrar.insert(binding());
    registrar.insert(binding({ contact: 'sip:a b' }));
    expect(await published()).toBe('active active/created');
    registrar.delete(one);
    expect(await published()).toBe('active terminated/unregistered');
    const [{ where, error }] = world.faults as [{ where: string; error: Error }];
    expect(where).toBe(`reginfo: a contact of sip:${ALICE} that is left out`);
    expect(error.message).toContain('"sip:a b" is no URI');
    expect(world.faults.splice(0)).toHaveLength(2);
  });

  test('an AOR that cannot be written is told, and does not stand in the way of others', async () => {
    await start();
    registrar.insert(binding({ aor: 'sip:a b@example.com' }));
    registrar.insert(binding({ aor: 'bob@example.com' }));
    await world.advance(20);
    expect(world.publishes.map(({ uri }) => uri)).toEqual(['sip:bob@example.com']);
    expect(world.faults.splice(0).map(({ where }) => where)).toEqual(['reginfo: document of sip:a b@example.com']);
  });

  test('events before start() are told after it', async () => {
    const early = reginfo({ source: registrar });
    expect(() => early.subscriptions()).toThrow('pua.use(...) it first');
    const { snapshot } = registrar;
    const one = binding();
    registrar.snapshot = () => {
      registrar.insert(one);
      return snapshot!();
    };
    await start();
    expect(world.document.registrations.map(outline)).toEqual(['active active/created']);
  });

  test('a source that is named twice is heard once', async () => {
    await start({ sources: [registrar] });
    expect(registrar.listeners.size).toBe(1);
  });

  test('a hundred AORs that end in the same second: paced, and all are gone in the end', async () => {
    await start({ pua: { ceiling: { perSecond: 20 } } });
    const all = Array.from({ length: 100 }, (_, i) => registrar.insert(binding({ aor: `u${i}@example.com` })));
    await world.advance(10_000);
    expect(world.server.publications).toHaveLength(100);
    for (const one of all) registrar.delete(one);
    await world.advance(60_000);
    expect(world.server.publications).toEqual([]);
    expect(world.server.stats().peakPerSecond).toBeLessThanOrEqual(41);
  });

  test('nothing is heard after stop()', async () => {
    const node = await start();
    registrar.insert(binding());
    await world.stopNode(node);
    expect(registrar.listeners.size).toBe(0);
  });
});
