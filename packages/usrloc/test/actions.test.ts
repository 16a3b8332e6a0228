/** What each event leads to on the wire. */
import type { Binding, BindingEvent } from '@pua/core';
import { readPidf } from '@pua/documents';
import { binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { inWorld, type Sent, type World } from './support/world';

const ALICE = 'sip:alice@example.com';

/** As in 4.2: initial or by entity-tag, with body or not, lifetime. */
const shape = ({ ifMatch, body, expires, status }: Sent) =>
  `${ifMatch === undefined ? 'initial' : 'match'} ${body === '' ? 'bodiless' : 'full'} ${expires} ${status}`;
const shapes = (world: World) => world.sent.map(shape);

describe('rows of the table', () => {
  test('INSERT: an initial PUBLISH of an open document, for as long as the registration and the grace', async () => {
    await inWorld({}, async (world) => {
      world.registrar.insert(binding());
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 3601 200']);
      const [sent] = world.server.requests;
      const header = (name: string) => sent!.headers.get(name);
      expect([sent!.uri, header('Event'), header('Content-Type')]).toEqual([ALICE, 'presence', 'application/pidf+xml']);
      expect([header('To'), header('From')]).toEqual([`<${ALICE}>`, expect.stringContaining(`<${ALICE}>;tag=`)]);
      expect(readPidf(sent!.body!.text())).toMatchObject({ entity: ALICE, tuples: [{ basic: 'open' }] });
      expect([...world.pua.list()]).toMatchObject([{ sourceFlag: 1, id: expect.stringMatching(/^UL_PUBLISH\.uloc-/) }]);
    });
  });

  test('UPDATE: a bodiless refresh with the entity-tag', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(HOUR / 2);
      world.registrar.update(one, { expiresAt: world.clock.wall() + HOUR, cseq: 2 });
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 3601 200', 'match bodiless 3601 200']);
    });
  });

  test('UPDATE without a record: an initial PUBLISH with the document', async () => {
    await inWorld({}, async (world) => {
      const one = binding();
      world.registrar.update(one, { cseq: 2 });
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 3601 200']);
    });
  });

  test.each(['delete', 'expire'] as const)('%s: un-PUBLISH, without body', async (kind) => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar[kind](one);
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 3601 200', 'match bodiless 0 200']);
      expect(world.server.publications).toHaveLength(0);
    });
  });

  test.each(['delete', 'expire'] as const)('%s without a record: nothing', async (kind) => {
    await inWorld({}, async (world) => {
      world.registrar[kind](binding());
      await world.advance(100);
      expect(world.sent).toEqual([]);
    });
  });
});

describe('edges', () => {
  test('a binding whose time is over is not published, nor refreshed', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding({ expiresAt: NOW }));
      world.registrar.update(one, { expiresAt: NOW - 1000 });
      const other = world.registrar.insert(binding({ aor: 'bob@example.com' }));
      world.registrar.update(other, { expiresAt: NOW - 1000 });
      await world.advance(100);
      expect(world.sent.map(({ uri, expires }) => [uri, expires])).toEqual([['sip:bob@example.com', 3601]]);
    });
  });

  test('BETTER: a permanent binding is published by the default lifetime and refreshed until it is deleted', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding({ expiresAt: 0 }));
      await world.advance(5 * HOUR);
      expect(world.server.publications).toHaveLength(1);
      expect(shapes(world).slice(0, 2)).toEqual(['initial full 3600 200', 'match bodiless 3600 200']);
      const refreshes = world.sent.length;
      world.registrar.update(one, { cseq: 2 });
      await world.advance(100);
      expect(shapes(world).slice(refreshes)).toEqual(['match bodiless 3600 200']);
      world.registrar.delete(one);
      await world.advance(100);
      expect(world.server.publications).toHaveLength(0);
    });
  });

  test('BETTER: a new Call-ID (the phone has rebooted) is a plain refresh', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding({ callId: 'before' }));
      await world.advance(100);
      world.registrar.update(one, { callId: 'after', cseq: 1, expiresAt: NOW + 2 * HOUR });
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 3601 200', 'match bodiless 7201 200']);
      expect(world.server.publications).toHaveLength(1);
    });
  });

  test('BETTER: two contacts of one REGISTER are two publications, each ended by itself', async () => {
    await inWorld({}, async (world) => {
      const { bindingId: _, ...first } = binding({ callId: 'same', contact: 'sip:alice@192.0.2.1' });
      const second = { ...first, contact: 'sip:alice@192.0.2.2' };
      world.registrar.insert(first);
      world.registrar.insert(second);
      await world.advance(100);
      const [one, other] = world.server.publications.map(({ body }) => readPidf(body.text()).tuples![0]!.id);
      expect(one).not.toBe(other);
      world.registrar.delete(first);
      await world.advance(100);
      expect(world.server.publications.map(({ body }) => readPidf(body.text()).tuples![0]!.id)).toEqual([other]);
    });
  });

  test.each([{ bindingId: 'uloc-1' }, { contact: 'sip:alice@192.0.2.1' }, { callId: 'call-1' }])(
    'AOR, time and %j are enough',
    async (identity) => {
      await inWorld({}, async (world) => {
        const one = { aor: 'alice@example.com', expiresAt: NOW + HOUR, ...identity } as Binding;
        world.registrar.insert(one);
        await world.advance(100);
        world.registrar.delete(one);
        await world.advance(100);
        expect(shapes(world)).toEqual(['initial full 3601 200', 'match bodiless 0 200']);
      });
    },
  );

  test.each([true, false])(
    'BETTER: a binding that changes its identity: the former record is un-published (still wanted: %s)',
    async (publish) => {
      await inWorld({}, async (world) => {
        const one = world.registrar.insert(binding({ bindingId: 'first' }));
        await world.advance(100);
        world.registrar.update(one, { bindingId: 'second' }, { publish });
        await world.advance(100);
        expect([...world.pua.list()].map(({ id }) => id)).toEqual(publish ? ['UL_PUBLISH.second'] : []);
        expect(world.server.publications).toHaveLength(publish ? 1 : 0);
      });
    },
  );

  test('a source that takes the Call-ID for the bindingId: what is published is not taken for one of Kamailio', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding({ bindingId: 'call-7', callId: 'call-7' }));
      await world.advance(100);
      world.registrar.insert(one);
      await world.advance(100);
      expect(world.server.publications).toHaveLength(1);
    });
  });

  test('an INSERT of what is published already changes that publication: there is no second one', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.insert({ ...one, expiresAt: NOW + 2 * HOUR });
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 3601 200', 'match full 7201 200']);
      expect(world.server.publications).toHaveLength(1);
    });
  });

  test('back to back while the first PUBLISH is on its way: the end wins, in order', async () => {
    await inWorld({ faults: { delay: [200, 200] } }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(50);
      world.registrar.delete(one);
      await world.advance(2_000);
      expect(shapes(world)).toEqual(['initial full 3601 200', 'match bodiless 0 200']);
      expect(world.server.publications).toHaveLength(0);
    });
  });

  test('deleted and bound anew while the first PUBLISH is on its way: online in the end', async () => {
    await inWorld({ faults: { delay: [200, 200] } }, async (world) => {
      const one = world.registrar.insert(binding());
      world.registrar.delete(one);
      world.registrar.insert(one);
      world.registrar.delete(one);
      world.registrar.update(one, { cseq: 5 });
      await world.advance(5_000);
      expect(world.server.publications).toHaveLength(1);
    });
  });

  test('what is not refreshed ends with the registration, the grace included', async () => {
    await inWorld({ usrloc: { grace: 5 } }, async (world) => {
      world.registrar.insert(binding());
      await world.advance(HOUR + 4_000);
      expect(world.server.publications).toHaveLength(1);
      await world.advance(2_000);
      expect(world.server.publications).toHaveLength(0);
      expect(shapes(world)[0]).toBe('initial full 3605 200');
    });
  });

  test('presence_server: the outbound proxy of every PUBLISH of this module', async () => {
    await inWorld({ usrloc: { presenceServer: 'sip:10.0.0.9:5070' } }, async (world) => {
      const seen: string[] = [];
      const close = world.network.tap(({ to, data }) => {
        if (Buffer.from(data).toString('latin1', 0, 7) === 'PUBLISH') seen.push(to);
      });
      world.registrar.insert(binding());
      await world.advance(100);
      close();
      expect(new Set(seen)).toEqual(new Set(['10.0.0.9:5070']));
    });
  });
});

describe('documents on the way', () => {
  test('BETTER: a 412 on a refresh is repaired at once, the document is known', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.server.restart({ forget: true });
      world.registrar.update(one, { expiresAt: NOW + 2 * HOUR });
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 3601 200', 'match bodiless 7201 412', 'initial full 7201 200']);
      expect(world.sent[2]!.body).toBe(world.sent[0]!.body);
    });
  });

  test('the server wants longer lifetimes: the core asks for them, and the end comes with the registration', async () => {
    await inWorld({}, async (world) => {
      world.server.publishLimits.min = 600;
      const one = world.registrar.insert(binding({ expiresAt: NOW + 60_000 }));
      await world.advance(100);
      expect(shapes(world)).toEqual(['initial full 61 423', 'initial full 600 200']);
      await world.advance(60_000);
      world.registrar.expire(one);
      await world.advance(100);
      expect(world.server.publications).toHaveLength(0);
    });
  });

  test('contact 1: a refresh is bodiless until the contact or its q changes', async () => {
    await inWorld({ usrloc: { contact: 1 } }, async (world) => {
      let one = world.registrar.insert(binding({ contact: 'sip:a@192.0.2.1', q: 0.5 }));
      await world.advance(100);
      one = world.registrar.update(one, { expiresAt: NOW + 2 * HOUR });
      await world.advance(100);
      one = world.registrar.update(one, { contact: 'sip:a@192.0.2.2' });
      await world.advance(100);
      world.registrar.update(one, { q: 1 });
      await world.advance(100);
      expect(shapes(world)).toEqual([
        'initial full 3601 200',
        'match bodiless 7201 200',
        'match full 7201 200',
        'match full 7201 200',
      ]);
      expect(readPidf(world.sent[3]!.body).tuples![0]!.contact).toEqual({ uri: 'sip:a@192.0.2.2', priority: 1 });
    });
  });
});

describe('AORs', () => {
  test('without domain: default_domain; with one: its own; a full URI as it is', async () => {
    await inWorld({ usrloc: { defaultDomain: 'example.net' } }, async (world) => {
      for (const aor of ['alice', 'bob@example.com', 'sip:carol@example.org']) world.registrar.insert(binding({ aor }));
      await world.advance(100);
      expect(world.sent.map(({ uri }) => uri)).toEqual([
        'sip:alice@example.net',
        'sip:bob@example.com',
        'sip:carol@example.org',
      ]);
    });
  });

  test('BETTER: without domain and default_domain: told once per AOR, the others are published', async () => {
    await inWorld(
      {},
      async (world) => {
        const one = world.registrar.insert(binding({ aor: 'alice' }));
        world.registrar.update(one, { cseq: 2 });
        world.registrar.delete(one);
        world.registrar.insert(binding({ aor: 'bob' }));
        world.registrar.insert(binding({ aor: 'carol@example.com' }));
        await world.advance(100);
        expect([...world.documents.keys()]).toEqual(['carol@example.com']);
      },
      [/AOR "alice": .*set defaultDomain/, /AOR "bob": .*set defaultDomain/],
    );
  });

  test('so many AORs without domain: what was told is forgotten some time', async () => {
    await inWorld({}, async (world) => {
      const insert = (i: number) => world.registrar.tell({ kind: 'insert', binding: binding({ aor: `u${i}` }) });
      for (let i = 0; i < 10_001; i++) insert(i);
      insert(0);
      expect(world.faults.splice(0)).toHaveLength(10_002);
      insert(0);
    });
  });

  test('one that is not published needs no domain: neither its start nor its end nor its snapshot is told', async () => {
    const registrar = new FakeRegistrar();
    registrar.insert(binding({ aor: 'bob' }));
    await inWorld({ registrar, usrloc: { publish: () => false } }, async (world) => {
      const one = registrar.insert(binding({ aor: 'alice', bindingId: 'first' }));
      const other = registrar.update(one, { bindingId: 'second' });
      registrar.delete(other);
      registrar.expire(binding({ aor: 'carol' }));
      await world.advance(100);
      expect(world.sent).toEqual([]);
    });
  });

  test('BETTER: a tel: URI goes out as it is', async () => {
    await inWorld({}, async (world) => {
      const seen: string[] = [];
      const close = world.network.tap(({ data }) => void seen.push(Buffer.from(data).toString()));
      world.registrar.insert(binding({ aor: 'tel:+4930123456' }));
      await world.advance(100);
      close();
      const [publish] = seen;
      expect(publish).toMatch(/^PUBLISH tel:\+4930123456 SIP\/2\.0\r\n/);
      expect(publish).toContain('entity="tel:+4930123456"');
    });
  });

  test('one that no URI can be made of is told, the others go on', async () => {
    await inWorld(
      {},
      async (world) => {
        world.registrar.insert(binding({ aor: `${'a'.repeat(1100)}@example.com` }));
        world.registrar.insert(binding());
        await world.advance(100);
        expect(world.server.publications).toHaveLength(1);
      },
      [/AOR "aaa.*presUri: must be a SIP URI/],
    );
  });

  test('BETTER: a user part with quotes, < and & goes out escaped', async () => {
    await inWorld({}, async (world) => {
      world.registrar.insert(binding({ aor: 'a&b<"c">@example.com' }));
      await world.advance(100);
      expect(world.sent[0]!.uri).toBe('sip:a&b%3C%22c%22%3E@example.com');
      expect(readPidf(world.sent[0]!.body).entity).toBe('sip:a&b%3C%22c%22%3E@example.com');
    });
  });

  test('a predicate that answers later (a promise is true to JavaScript) publishes nothing and is told', async () => {
    const publish = (async () => false) as unknown as () => boolean;
    await inWorld(
      { usrloc: { publish } },
      async (world) => {
        world.registrar.insert(binding());
        await world.advance(100);
        expect(world.sent).toEqual([]);
      },
      [/AOR "alice@example.com": usrloc publish: must answer true or false at once, not object/],
    );
  });

  test.each<[string, object, RegExp]>([
    ['no binding', { binding: undefined }, /AOR undefined: .* has no binding/],
    ['no AOR', { binding: binding({ aor: undefined as never }) }, /AOR undefined: .* aor must be a text/],
    [
      'no time',
      { binding: binding({ expiresAt: Number.NaN }) },
      /AOR "alice@example.com": .* expiresAt must be milliseconds since 1970, 0 for a permanent binding, not NaN/,
    ],
    ['a date', { binding: binding({ expiresAt: new Date(NOW) as never }) }, /expiresAt must be milliseconds/],
    [
      'nothing that tells it from others',
      { binding: { aor: 'alice@example.com', expiresAt: 0 } },
      /bindingId, contact or callId/,
    ],
    ['half of the former one', { kind: 'update', binding: binding(), previous: {} }, /aor must be a text/],
    [
      'an unknown kind',
      { kind: 'removed', binding: binding() },
      /kind must be insert, update, delete or expire, not "removed"/,
    ],
  ])('an event of a source of somebody else with %s is told, the next one is taken', async (_name, event, message) => {
    await inWorld(
      {},
      async (world) => {
        world.registrar.tell({ kind: 'insert', ...event } as BindingEvent);
        world.registrar.insert(binding({ aor: 'bob@example.com' }));
        await world.advance(100);
        expect(world.sent.map(({ uri }) => uri)).toEqual(['sip:bob@example.com']);
      },
      [message],
    );
  });

  test('a predicate that throws is told, and nothing else comes of it', async () => {
    const publish = () => {
      throw new Error('no database');
    };
    await inWorld(
      { usrloc: { publish } },
      async (world) => {
        world.registrar.insert(binding());
        await world.advance(100);
        expect(world.sent).toEqual([]);
      },
      [/AOR "alice@example.com": no database/],
    );
  });
});
