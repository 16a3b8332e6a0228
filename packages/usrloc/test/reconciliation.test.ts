/** BETTER: at the start what the source has is held against what is published. */
import type { Binding, PuaRow, RegistrationSource } from '@pua/core';
import { readPidf } from '@pua/documents';
import { binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { inWorld, type World } from './support/world';

const users = (world: World) => [...world.documents.keys()].map((presentity) => presentity.split('@')[0]);
const of = (user: string, change: Partial<Binding> = {}) => binding({ aor: `${user}@example.com`, ...change });
/** PUBLISHes since the call. */
const from = (world: World) => {
  const before = world.sent.length;
  return () =>
    world.sent.slice(before).map(({ uri, body, expires }) => `${uri.slice(4, -12)} ${body && 'full '}${expires}`);
};

describe.each(['stop', 'kill'] as const)('after a %s', (way) => {
  const restart = async (world: World, meanwhile: () => void = () => {}) => {
    await (way === 'stop' ? world.stopPua() : world.kill());
    meanwhile();
    await world.startPua();
    await world.advance(100);
  };

  test.each([0, 1])(
    'what has not changed is left alone: nothing is sent, nothing is there twice (aggregate %s)',
    async (aggregate) => {
      await inWorld({ usrloc: { aggregate } }, async (world) => {
        world.registrar.insert(of('alice'));
        world.registrar.insert(of('alice'));
        world.registrar.insert(of('permanent', { expiresAt: 0 }));
        await world.advance(60_000);
        const sent = from(world);
        await restart(world);
        expect(sent()).toEqual([]);
        expect(world.server.publications).toHaveLength(aggregate === 1 ? 2 : 3);
      });
    },
  );

  test.each([0, 1])(
    'what is missing is published, what is gone un-published, another lifetime refreshed (aggregate %s)',
    async (aggregate) => {
      await inWorld({ usrloc: { aggregate, explicitOffline: 0 } }, async (world) => {
        const [gone, longer] = [world.registrar.insert(of('gone')), world.registrar.insert(of('longer'))];
        world.registrar.insert(of('same'));
        await world.advance(100);
        const sent = from(world);
        await restart(world, () => {
          world.registrar.delete(gone);
          world.registrar.update(longer, { expiresAt: NOW + 2 * HOUR });
          world.registrar.insert(of('missing', { expiresAt: world.clock.wall() + HOUR }));
        });
        expect(sent().sort()).toEqual([
          `gone ${aggregate === 1 ? 'full 61' : '0'}`,
          expect.stringMatching(/^longer 7(201|200)$/),
          'missing full 3601',
        ]);
        await world.advance(61_000);
        expect(users(world).sort()).toEqual(['longer', 'missing', 'same']);
      });
    },
  );

  test('a lifetime of some seconds more is a change', async () => {
    await inWorld({}, async (world) => {
      const one = world.registrar.insert(of('alice'));
      await world.advance(100);
      const sent = from(world);
      await restart(world, () => void world.registrar.update(one, { expiresAt: NOW + HOUR + 10_000 }));
      expect(sent()).toEqual([expect.stringMatching(/^alice 36(10|11)$/)]);
    });
  });

  test('an end that was under way is carried on, and one that is bound anew is published anew', async () => {
    await inWorld({}, async (world) => {
      const [gone, back] = [world.registrar.insert(of('gone')), world.registrar.insert(of('back', { expiresAt: 0 }))];
      await world.advance(100);
      world.server.away();
      world.registrar.delete(gone);
      world.registrar.delete(back);
      await world.advance(50);
      await restart(world, () => {
        world.server.back();
        world.registrar.insert(back);
      });
      await world.advance(300_000);
      expect(users(world)).toEqual(['back']);
    });
  });

  test.each([
    [0, 0],
    [0, 50],
    [1, 0],
    [1, 50],
  ])(
    'an end that was under way goes on meanwhile: who is bound anew is online (aggregate %s, snapshot after %s ms)',
    async (aggregate, ms) => {
      await inWorld({ usrloc: { aggregate }, faults: { delay: [100, 100] } }, async (world) => {
        const [sent, unsent] = [world.registrar.insert(of('sent')), of('unsent')];
        await world.advance(500);
        world.server.away();
        world.registrar.delete(sent);
        // Its first PUBLISH has not been answered yet.
        world.registrar.delete(world.registrar.insert(unsent));
        await world.advance(50);
        await restart(world, () => {
          world.server.back();
          world.registrar.insert(sent);
          world.registrar.insert(unsent);
          world.registrar.untilTelling = () => new Promise<void>((resolve) => void world.clock.after(ms, resolve));
        });
        await world.advance(300_000);
        expect(users(world).sort()).toEqual(['sent', 'unsent']);
      });
    },
  );

  test.each([0, 1])(
    'a binding that its event had published goes on, whatever the rule says (aggregate %s)',
    async (aggregate) => {
      await inWorld({ usrloc: { aggregate, publish: () => false } }, async (world) => {
        world.registrar.insert(of('shown'), { publish: true });
        world.registrar.insert(of('hidden'));
        await world.advance(100);
        const sent = from(world);
        await restart(world);
        expect(sent()).toEqual([]);
        expect(users(world)).toEqual(['shown']);
      });
    },
  );
});

test.each([0, 1])(
  'bindings of other nodes are not published here, and not prolonged (aggregate %s)',
  async (aggregate) => {
    await inWorld({ usrloc: { aggregate } }, async (world) => {
      const moved = world.registrar.insert(of('moved'));
      await world.advance(100);
      await world.kill();
      world.registrar.update(moved, { expiresAt: NOW + 3 * HOUR, origin: 'replica' });
      world.registrar.insert(of('theirs', { origin: 'replica' }));
      world.registrar.insert(of('pulled', { origin: 'reginfo' }));
      world.registrar.insert(binding({ aor: 'theirs-without-domain', origin: 'replica' }));
      world.registrar.insert(of('ours', { origin: 'local' }));
      const sent = from(world);
      await world.startPua();
      await world.advance(100);
      expect(sent()).toEqual(['ours full 3601']);
      await world.advance(2 * HOUR);
      expect(users(world)).toEqual([]);
    });
  },
);

test.each([0, 1])('what the source remembers of a binding decides, not the rule (aggregate %s)', async (aggregate) => {
  const registrar = new FakeRegistrar();
  for (const publish of [true, false]) registrar.insert(of(`said-${publish}`, { publish }));
  registrar.insert(of('unsaid'));
  await inWorld({ registrar, usrloc: { aggregate, publish: () => false } }, async (world) => {
    await world.advance(100);
    expect(users(world)).toEqual(['said-true']);
    await world.stopPua();
    await world.startPua({ aggregate });
    await world.advance(100);
    expect(users(world).sort()).toEqual(['said-true', 'unsaid']);
  });
});

test('aggregate: another order of the same bindings is no change', async () => {
  await inWorld({ usrloc: { aggregate: 1 } }, async (world) => {
    const bound = [1, 2, 3].map((i) => world.registrar.insert(of('alice', { bindingId: `uloc-${i}` })));
    await world.advance(100);
    await world.kill();
    world.registrar.forgetAll();
    for (const one of bound.reverse()) world.registrar.insert(one);
    const sent = from(world);
    await world.startPua();
    await world.advance(100);
    expect(sent()).toEqual([]);
  });
});

test('a new configuration changes the documents that are published', async () => {
  await inWorld({}, async (world) => {
    world.registrar.insert(of('alice'));
    await world.advance(100);
    await world.stopPua();
    await world.startPua({ contact: 1 });
    await world.advance(100);
    expect(readPidf(world.documents.get('alice@example.com')![0]!).tuples![0]!.contact).toBeDefined();
    await world.stopPua();
    await world.startPua({ aggregate: 1 });
    await world.advance(100);
    expect([...world.pua.list()].map(({ id }) => id)).toEqual(['UL_PUBLISH.aor']);
    expect(world.server.publications).toHaveLength(1);
  });
});

describe('events during the snapshot win', () => {
  test('ended, bound or changed while it is told', async () => {
    const registrar = new FakeRegistrar();
    const [gone, longer] = [of('gone'), of('longer')];
    await inWorld({ registrar }, async (world) => {
      for (const one of [gone, longer]) registrar.insert(one);
      await world.advance(100);
      await world.kill();
      registrar.insert(of('other'));
      registrar.whileTelling = () => {
        registrar.whileTelling = () => {};
        registrar.delete(gone);
        registrar.update(longer, { expiresAt: NOW + 2 * HOUR });
        registrar.insert(of('new'));
        registrar.insert(of('hidden'), { publish: false });
      };
      const sent = from(world);
      await world.startPua();
      await world.advance(100);
      expect(users(world).sort()).toEqual(['longer', 'new', 'other']);
      expect(sent().sort()).toEqual(['gone 0', 'longer 7201', 'new full 3601', 'other full 3601']);
    });
  });

  test.each([0, 1])('bound after its snapshot was taken: it stays (aggregate %s)', async (aggregate) => {
    const registrar = new FakeRegistrar();
    registrar.insert(of('other'));
    await inWorld({}, async (world) => {
      await world.stopPua();
      registrar.whileTelling = () => registrar.tell({ kind: 'insert', binding: of('new') });
      await world.startPua({ source: registrar, aggregate });
      await world.advance(100);
      expect(users(world).sort()).toEqual(['new', 'other']);
    });
  });

  test('aggregate: one more is bound while it is told', async () => {
    const registrar = new FakeRegistrar();
    await inWorld({ registrar, usrloc: { aggregate: 1 } }, async (world) => {
      const one = registrar.insert(of('alice'));
      await world.advance(100);
      await world.kill();
      registrar.whileTelling = () => {
        registrar.whileTelling = () => {};
        registrar.tell({ kind: 'insert', binding: of('alice', { expiresAt: one.expiresAt }) });
      };
      await world.startPua();
      await world.advance(100);
      expect(readPidf(world.documents.get('alice@example.com')![0]!).tuples).toHaveLength(2);
    });
  });

  test('aggregate: one ends while it is told, the other one had gone before: nothing of the AOR is left', async () => {
    const registrar = new FakeRegistrar();
    await inWorld({ registrar, usrloc: { aggregate: 1 } }, async (world) => {
      const [one, gone] = [registrar.insert(of('alice')), registrar.insert(of('alice'))];
      await world.advance(100);
      await world.kill();
      registrar.forgetAll();
      registrar.insert(of('other'));
      registrar.whileTelling = () => {
        registrar.whileTelling = () => {};
        registrar.delete(one);
      };
      expect(gone).toBeDefined();
      await world.startPua();
      await world.advance(62_000);
      expect(users(world)).toEqual(['other']);
    });
  });

  test('a new identity: the snapshot that still has the former one does not bring it back', async () => {
    const registrar = new FakeRegistrar();
    await inWorld({ registrar }, async (world) => {
      const one = registrar.insert(of('alice', { bindingId: 'first' }));
      await world.advance(100);
      await world.kill();
      registrar.whileTelling = () => {
        registrar.whileTelling = () => {};
        registrar.update(one, { bindingId: 'second' });
      };
      await world.startPua();
      await world.advance(100);
      expect([...world.pua.list()].map(({ id }) => id)).toEqual(['UL_PUBLISH.second']);
    });
  });
});

describe('sources that can not tell, or fail', () => {
  test('no snapshot: nothing is reconciled, publications end in their time', async () => {
    await inWorld({ registrar: new FakeRegistrar({ snapshot: false }) }, async (world) => {
      world.registrar.insert(of('gone'));
      await world.advance(100);
      await world.kill();
      world.registrar.forgetAll();
      const sent = from(world);
      await world.startPua();
      await world.advance(100);
      expect(sent()).toEqual([]);
      expect(users(world)).toEqual(['gone']);
      await world.advance(2 * HOUR);
      expect(users(world)).toEqual([]);
    });
  });

  test('one of two has none: what the other one has is published, nothing is taken for an orphan', async () => {
    const [blind, telling] = [new FakeRegistrar({ snapshot: false }), new FakeRegistrar()];
    await inWorld({ usrloc: { sources: [blind, telling] } }, async (world) => {
      blind.insert(of('blind'));
      await world.advance(100);
      await world.kill();
      telling.insert(of('missing'));
      await world.startPua();
      await world.advance(100);
      expect(users(world).sort()).toEqual(['blind', 'missing']);
    });
  });

  test('aggregate: one of two has none: its tuples stay', async () => {
    const [blind, telling] = [new FakeRegistrar({ snapshot: false }), new FakeRegistrar()];
    await inWorld({ usrloc: { aggregate: 1, sources: [blind, telling] } }, async (world) => {
      blind.insert(of('alice'));
      telling.insert(of('alice'));
      await world.advance(100);
      await world.kill();
      telling.insert(of('alice'));
      await world.startPua();
      await world.advance(100);
      expect(readPidf(world.documents.get('alice@example.com')![0]!).tuples).toHaveLength(3);
    });
  });

  test('one snapshot fails: what the other source has, and what the first one has told, is published', async () => {
    const [failing, telling] = [new FakeRegistrar(), new FakeRegistrar()];
    const [told] = [failing.insert(of('told')), failing.insert(of('untold'))];
    telling.insert(of('other'));
    failing.whileTelling = (given) => {
      if (given !== told) throw new Error('the database has gone');
    };
    await inWorld(
      { usrloc: { sources: [failing, telling] } },
      async (world) => {
        await world.advance(100);
        expect(users(world).sort()).toEqual(['other', 'told']);
      },
      [/usrloc: snapshot of source 1 of 2, .*: the database has gone/],
    );
  });

  test('a predicate that throws at the start is told, and ends nothing', async () => {
    await inWorld(
      {},
      async (world) => {
        world.registrar.insert(of('alice'));
        await world.advance(100);
        await world.stopPua();
        world.registrar.insert(of('bob'));
        const publish = () => {
          throw new Error('no rules');
        };
        await world.startPua({ publish });
        await world.advance(100);
        expect(users(world)).toEqual(['alice']);
      },
      [/AOR "bob@example.com": no rules/],
    );
  });

  test('a snapshot that fails is told; nothing is taken for an orphan', async () => {
    const registrar = new FakeRegistrar();
    await inWorld(
      { registrar },
      async (world) => {
        const [one] = [registrar.insert(of('alice')), registrar.insert(of('bob'))];
        await world.advance(100);
        await world.kill();
        registrar.whileTelling = (given) => {
          if (given !== one) throw new Error('the database has gone');
        };
        await world.startPua();
        await world.advance(100);
        expect(users(world).sort()).toEqual(['alice', 'bob']);
      },
      [/usrloc: snapshot of source 1 of 1, .*: the database has gone/],
    );
  });

  test('a snapshot that breaks off as the process stops is not told', async () => {
    await inWorld({}, async (world) => {
      const source: RegistrationSource = {
        onEvent: () => () => {},
        async *snapshot() {
          yield of('alice');
          void world.pua.stop(0);
          throw new Error('the database was closed');
        },
      };
      await world.stopPua();
      await world.startPua({ source });
      await world.stopPua();
      expect(world.sent).toEqual([]);
    });
  });

  test('a binding of the snapshot that is none is told, the others are published', async () => {
    const registrar = new FakeRegistrar();
    registrar.insert(of('alice', { expiresAt: Number.NaN }));
    registrar.insert(of('bob'));
    await inWorld(
      { registrar },
      async (world) => {
        await world.advance(100);
        expect(users(world)).toEqual(['bob']);
      },
      [/AOR "alice@example.com": .*expiresAt/],
    );
  });

  test('a binding of the snapshot without domain is told, the others are published', async () => {
    const registrar = new FakeRegistrar();
    registrar.insert(of('alice'));
    registrar.insert(binding({ aor: 'nowhere' }));
    registrar.insert(of('over', { expiresAt: NOW - 1 }));
    registrar.insert(of('bob'));
    await inWorld(
      { registrar },
      async (world) => {
        await world.advance(100);
        expect(users(world).sort()).toEqual(['alice', 'bob']);
      },
      [/AOR "nowhere"/],
    );
  });
});

describe('in steps', () => {
  test('1200 bindings: others get their turn meanwhile', async () => {
    const registrar = new FakeRegistrar();
    for (let i = 0; i < 1_200; i++) registrar.insert(of(`u${i}`));
    await inWorld({ registrar }, async (world) => {
      await world.advance(5_000);
      expect(world.server.publications).toHaveLength(1_200);
      const told: number[] = [];
      let count = 0;
      registrar.whileTelling = () => {
        if (count++ % 600 === 0) world.clock.after(0, () => told.push(count));
      };
      const sent = from(world);
      await world.stopPua();
      await world.startPua();
      await world.advance(1_000);
      expect(count).toBe(1_200);
      expect(told).toHaveLength(2);
      expect(told[0]).toBeLessThan(600);
      expect(sent()).toEqual([]);
    });
  });

  test('a stop ends it', async () => {
    let given = 0;
    await inWorld({}, async (world) => {
      const source: RegistrationSource = {
        onEvent: () => () => {},
        async *snapshot() {
          for (; ; given++) {
            if (given === 2_000) void world.pua.stop(0);
            yield of(`u${given}`);
          }
        },
      };
      await world.stopPua();
      await world.startPua({ source });
      await world.stopPua();
      expect(world.sent).toEqual([]);
    });
    expect(given).toBe(2_000);
  });
});

describe('taken over from Kamailio', () => {
  const CALL_ID = 'reg-1@192.0.2.7';

  /** A row as Kamailio leaves it: named by Call-ID, without document. */
  async function takeOver(world: World, one: Binding): Promise<void> {
    world.registrar.insert(one);
    await world.advance(100);
    await world.stopPua();
    const [[key, row]] = [...world.rows] as [[string, PuaRow]];
    world.rows.clear();
    const id = `UL_PUBLISH.${one.callId}`;
    const record_key = key.replace(row.pres_id, id);
    world.rows.set(record_key, {
      ...row,
      pres_id: id,
      record_key,
      document: null,
      content_type: null,
      tuple_id: '0x7f3a',
    });
  }

  const kamailio = (snapshot: boolean) => new FakeRegistrar({ snapshot });
  const ids = (world: World) => [...world.pua.list()].map(({ id }) => id);

  test('its bindings are published by our names, then the old publications end: nobody is offline in between', async () => {
    await inWorld({ registrar: kamailio(true) }, async (world) => {
      await takeOver(world, of('alice', { callId: CALL_ID, bindingId: 'uloc-1' }));
      const sent = from(world);
      await world.startPua();
      await world.advance(100);
      expect(ids(world)).toEqual(['UL_PUBLISH.uloc-1']);
      expect(sent()).toEqual([expect.stringMatching(/^alice full 360[01]$/), 'alice 0']);
      expect(world.server.publications).toHaveLength(1);
    });
  });

  test('a registrar that knows nobody yet: publications stay until their binding is told about, or its time is over', async () => {
    await inWorld({ registrar: kamailio(true) }, async (world) => {
      const one = of('alice', { callId: CALL_ID });
      await takeOver(world, one);
      world.registrar.forgetAll();
      await world.startPua();
      await world.advance(HOUR / 2);
      expect(users(world)).toEqual(['alice']);
      world.registrar.insert({ ...one, bindingId: 'ours', expiresAt: world.clock.wall() + HOUR });
      await world.advance(100);
      expect(ids(world)).toEqual(['UL_PUBLISH.ours']);
      expect(world.server.publications).toHaveLength(1);
    });
  });

  test.each([0, 1])(
    'a binding that unregisters ends the old publication by its Call-ID (aggregate %s)',
    async (aggregate) => {
      await inWorld({ registrar: kamailio(false) }, async (world) => {
        const one = of('alice', { callId: CALL_ID });
        await takeOver(world, one);
        await world.startPua({ aggregate });
        world.registrar.delete(one);
        await world.advance(100);
        expect(users(world)).toEqual([]);
      });
    },
  );

  test.each(['refreshed', 'deleted'] as const)(
    'the server had lost it, its document was written anew; then its binding is %s: there is no second one',
    async (what) => {
      await inWorld({ registrar: kamailio(false) }, async (world) => {
        const one = of('alice', { callId: CALL_ID, bindingId: 'uloc-1', expiresAt: NOW + 3 * HOUR });
        await takeOver(world, one);
        await world.startPua();
        world.server.restart({ forget: true });
        await world.advance(3 * HOUR - 60_000);
        expect(users(world)).toEqual(['alice']);
        if (what === 'deleted') world.registrar.delete(one);
        else world.registrar.update(one, { expiresAt: NOW + 4 * HOUR });
        await world.advance(100);
        expect(ids(world)).toEqual(what === 'deleted' ? [] : ['UL_PUBLISH.uloc-1']);
        expect(world.server.publications).toHaveLength(what === 'deleted' ? 0 : 1);
      });
    },
  );

  test('the server has lost it: the document is written anew', async () => {
    await inWorld({ registrar: kamailio(false) }, async (world) => {
      await takeOver(world, of('alice', { callId: CALL_ID, expiresAt: 0 }));
      await world.startPua();
      world.server.restart({ forget: true });
      await world.advance(HOUR);
      expect(readPidf(world.documents.get('alice@example.com')![0]!)).toMatchObject({
        entity: 'sip:alice@example.com',
        tuples: [{ basic: 'open' }],
      });
    });
  });
});
