/** explicit_offline, and per-AOR publications: what watchers see when the last binding goes. */
import { readPidf } from '@pua/documents';
import type { UsrlocOptions } from '@pua/usrloc';
import { binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { inWorld, type World } from './support/world';

/** `open+open`, `closed`: the tuples of each publication the server holds. */
const held = (world: World) =>
  world.server.publications.map(({ body }) =>
    readPidf(body.text())
      .tuples!.map(({ basic }) => basic)
      .join('+'),
  );
const requests = (world: World) =>
  world.sent.map(
    ({ ifMatch, body, expires }) =>
      `${ifMatch === undefined ? 'initial' : 'match'} ${(body.match(/open|closed/g) ?? ['bodiless']).join('+')} ${expires}`,
  );

describe('BETTER: explicit_offline', () => {
  const usrloc: UsrlocOptions = { explicitOffline: 30 };

  test.each(['delete', 'expire'] as const)(
    '%s of the last binding: closed for a while, then un-PUBLISH',
    async (kind) => {
      await inWorld({ usrloc }, async (world) => {
        const one = world.registrar.insert(binding());
        await world.advance(100);
        world.registrar[kind](one);
        await world.advance(100);
        expect(held(world)).toEqual(['closed']);
        await world.advance(29_000);
        expect(held(world)).toEqual(['closed']);
        await world.advance(1_000);
        expect(held(world)).toEqual([]);
        expect(requests(world)).toEqual(['initial open 3601', 'match closed 31', 'match bodiless 0']);
        const [open, closed] = world.sent.map(({ body }) => body && readPidf(body).tuples![0]!);
        expect(closed && open && closed.id === open.id && closed.timestamp).toBe('2024-01-01T00:00:00Z');
      });
    },
  );

  test('another binding is left: nothing but the un-PUBLISH', async () => {
    await inWorld({ usrloc }, async (world) => {
      const [one, other] = [world.registrar.insert(binding()), world.registrar.insert(binding())];
      await world.advance(100);
      world.registrar.delete(one);
      await world.advance(100);
      expect(held(world)).toEqual(['open']);
      world.registrar.delete(other);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
      await world.advance(30_000);
      expect(held(world)).toEqual([]);
    });
  });

  test('one that was never published says no farewell', async () => {
    await inWorld({ usrloc: { ...usrloc, publish: () => false } }, async (world) => {
      world.registrar.delete(world.registrar.insert(binding()));
      await world.advance(100);
      expect(world.sent).toEqual([]);
    });
  });

  test('the registrar tells of the expiry late, the publication is over: closed all the same', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(HOUR + 60_000);
      expect(held(world)).toEqual([]);
      world.registrar.expire(one);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
      await world.advance(31_000);
      expect(held(world)).toEqual([]);
    });
  });

  test.each([
    ['the same phone', 'same'],
    ['another phone', 'other'],
  ])('%s comes back meanwhile: open, and the farewell is over', async (_name, bindingId) => {
    await inWorld({ usrloc }, async (world) => {
      world.registrar.delete(world.registrar.insert(binding({ bindingId: 'same' })));
      await world.advance(5_000);
      world.registrar.insert(binding({ bindingId }));
      await world.advance(100);
      expect(held(world)).toEqual(['open']);
      await world.advance(60_000);
      expect(held(world)).toEqual(['open']);
    });
  });

  test('a refresh that comes after the end makes it open again', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.delete(one);
      await world.advance(100);
      world.registrar.update(one, { cseq: 9 });
      await world.advance(60_000);
      expect(held(world)).toEqual(['open']);
    });
  });

  test('a binding that changes its identity has not gone', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding({ bindingId: 'first' }));
      await world.advance(100);
      const same = world.registrar.update(one, { bindingId: 'second' });
      await world.advance(100);
      expect(held(world)).toEqual(['open']);
      world.registrar.delete(same);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
    });
  });

  test('a binding that changes its identity and goes at once: closed in the end', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding({ bindingId: 'first' }));
      await world.advance(100);
      world.registrar.delete(world.registrar.update(one, { bindingId: 'second' }));
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
    });
  });

  test('its time was over while the process was down, and the source has not told yet: closed at the start', async () => {
    await inWorld({ usrloc: { ...usrloc, grace: 600 } }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      await world.kill();
      await world.advance(HOUR);
      await world.startPua();
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
      world.registrar.expire(one);
      await world.advance(31_000);
      expect(held(world)).toEqual([]);
    });
  });

  test('after a restart with a source that has no snapshot: its siblings tell whether it was the last', async () => {
    await inWorld({ usrloc, registrar: new FakeRegistrar({ snapshot: false }) }, async (world) => {
      const [one, other] = [world.registrar.insert(binding()), world.registrar.insert(binding())];
      await world.advance(100);
      await world.stopPua();
      await world.startPua();
      world.registrar.delete(one);
      await world.advance(100);
      expect(held(world)).toEqual(['open']);
      world.registrar.delete(other);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
    });
  });

  test('after a restart, the other one has not been heard of since: it is no farewell', async () => {
    await inWorld({ usrloc, registrar: new FakeRegistrar({ snapshot: false }) }, async (world) => {
      const [one, other] = [world.registrar.insert(binding()), world.registrar.insert(binding())];
      await world.advance(100);
      await world.stopPua();
      await world.startPua();
      const same = world.registrar.update(one, { cseq: 2 });
      world.registrar.delete(same);
      await world.advance(100);
      expect(held(world)).toEqual(['open']);
      world.registrar.delete(other);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
    });
  });

  test('after a restart a phone that comes back while its farewell stands is open, with its first refresh', async () => {
    await inWorld({ usrloc, registrar: new FakeRegistrar({ snapshot: false }) }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.delete(one);
      await world.advance(100);
      await world.kill();
      await world.startPua();
      world.registrar.update(one, { cseq: 2 });
      await world.advance(60_000);
      expect(held(world)).toEqual(['open']);
    });
  });

  test('a binding that has lapsed, with nobody telling it, does not count', async () => {
    await inWorld({ usrloc }, async (world) => {
      world.registrar.insert(binding({ expiresAt: NOW + 60_000 }));
      const one = world.registrar.insert(binding());
      await world.advance(65_000);
      world.registrar.delete(one);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
    });
  });

  test('an end that is told twice: one farewell, of the length that is set', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.delete(one);
      await world.advance(20_000);
      world.registrar.delete(one);
      await world.advance(11_000);
      expect(requests(world)).toEqual(['initial open 3601', 'match closed 31', 'match bodiless 0']);
    });
  });

  test('gone while the process was down: closed at its start; a farewell that stood then is taken back', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      await world.kill();
      world.registrar.delete(one);
      await world.startPua();
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
      await world.kill();
      await world.startPua();
      await world.advance(31_000);
      expect(held(world)).toEqual([]);
    });
  });
});

describe('BETTER: aggregate', () => {
  const usrloc: UsrlocOptions = { aggregate: 1 };

  test('one publication per AOR, one entity-tag, a tuple per binding, closed in the end', async () => {
    await inWorld({ usrloc }, async (world) => {
      const timers = world.clock.pending;
      const [one, other] = [world.registrar.insert(binding()), world.registrar.insert(binding())];
      await world.advance(100);
      expect(held(world)).toEqual(['open+open']);
      world.registrar.delete(one);
      await world.advance(100);
      expect(held(world)).toEqual(['open']);
      world.registrar.expire(other);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
      const [open, closed] = world.sent.slice(2).map(({ body }) => readPidf(body).tuples![0]!.id);
      expect(closed).toBe(open);
      await world.advance(120_000);
      expect(held(world)).toEqual([]);
      expect(world.pua.stats().records.publications).toBe(0);
      expect(world.clock.pending).toBe(timers);
      expect(requests(world)).toEqual([
        'initial open 3601',
        'match open+open 3601',
        'match open 3601',
        'match closed 61',
        'match bodiless 0',
      ]);
    });
  });

  test('explicit_offline says how long the closed document stands', async () => {
    await inWorld({ usrloc: { ...usrloc, explicitOffline: 10 } }, async (world) => {
      world.registrar.delete(world.registrar.insert(binding()));
      await world.advance(9_000);
      expect(held(world)).toEqual(['closed']);
      await world.advance(2_000);
      expect(held(world)).toEqual([]);
    });
  });

  test('its lifetime is that of the binding that lives longest; a refresh is bodiless', async () => {
    await inWorld({ usrloc }, async (world) => {
      world.registrar.insert(binding({ expiresAt: NOW + 2 * HOUR }));
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.update(one, { expiresAt: NOW + HOUR + 60_000 });
      await world.advance(100);
      expect(requests(world).at(-1)).toBe('match bodiless 7201');
      const permanent = world.registrar.insert(binding({ expiresAt: 0 }));
      await world.advance(5 * HOUR);
      expect(held(world)).toHaveLength(1);
      world.registrar.delete(permanent);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
    });
  });

  test('a new contact, a new identity: the document follows', async () => {
    await inWorld({ usrloc: { ...usrloc, contact: 1 } }, async (world) => {
      const one = world.registrar.insert(binding({ contact: 'sip:a@192.0.2.1' }));
      await world.advance(100);
      const moved = world.registrar.update(one, { contact: 'sip:a@192.0.2.2' });
      await world.advance(100);
      world.registrar.update(moved, { bindingId: 'another' });
      await world.advance(100);
      const tuples = world.sent.map(({ body }) => readPidf(body).tuples!);
      expect(tuples.map(({ length }) => length)).toEqual([1, 1, 1]);
      expect(tuples.map(([tuple]) => tuple!.contact!.uri)).toEqual([
        'sip:a@192.0.2.1',
        'sip:a@192.0.2.2',
        'sip:a@192.0.2.2',
      ]);
      expect(tuples[1]![0]!.id).toBe(tuples[0]![0]!.id);
      expect(tuples[2]![0]!.id).not.toBe(tuples[0]![0]!.id);
    });
  });

  test('a binding whose end nobody tells goes in its time, the grace included; the last one says farewell', async () => {
    await inWorld({ usrloc: { ...usrloc, grace: 10 } }, async (world) => {
      world.registrar.insert(binding({ expiresAt: NOW + 60_000 }));
      world.registrar.insert(binding({ expiresAt: NOW + 120_000 }));
      await world.advance(65_000);
      world.registrar.insert(binding({ expiresAt: NOW + 90_000 }));
      await world.advance(4_000);
      expect(held(world)).toEqual(['open+open+open']);
      await world.advance(2_000);
      expect(held(world)).toEqual(['open+open']);
      await world.advance(58_000);
      expect(held(world)).toEqual(['open']);
      await world.advance(2_000);
      expect(held(world)).toEqual(['closed']);
      await world.advance(60_000);
      expect(held(world)).toEqual([]);
    });
  });

  test('a wall clock that is set back: nothing is sent until the time has really come', async () => {
    await inWorld({ usrloc }, async (world) => {
      world.registrar.insert(binding({ expiresAt: NOW + 60_000 }));
      world.registrar.insert(binding());
      await world.advance(30_000);
      world.clock.jumpWall(-10_000);
      await world.advance(40_000);
      expect(requests(world)).toEqual(['initial open 61', 'match open+open 3601']);
      await world.advance(2_000);
      expect(held(world)).toEqual(['open']);
    });
  });

  test('a refresh that is not to be published: its tuple goes in its time', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding({ expiresAt: NOW + 60_000 }));
      world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.update(one, { expiresAt: NOW + HOUR }, { publish: false });
      await world.advance(62_000);
      expect(held(world)).toEqual(['open']);
    });
  });

  test('an end of what was not published says nothing', async () => {
    await inWorld({ usrloc }, async (world) => {
      world.registrar.delete(binding());
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.delete(binding());
      await world.advance(100);
      expect(requests(world)).toEqual(['initial open 3601']);
      world.registrar.delete(one);
      world.registrar.delete(one);
      await world.advance(100);
      expect(requests(world)).toEqual(['initial open 3601', 'match closed 61']);
    });
  });

  test('all bindings expire in the same moment: one farewell', async () => {
    await inWorld({ usrloc }, async (world) => {
      for (let i = 0; i < 5; i++) world.registrar.insert(binding());
      await world.advance(HOUR);
      world.registrar.expireDue(world.clock);
      await world.advance(100);
      expect(held(world)).toEqual(['closed']);
      expect(requests(world).filter((sent) => sent.includes('closed'))).toHaveLength(1);
    });
  });

  test('back while the farewell stands, and a publication that was forgotten: open in full', async () => {
    await inWorld({ usrloc }, async (world) => {
      const one = world.registrar.insert(binding());
      await world.advance(100);
      world.registrar.delete(one);
      await world.advance(100);
      world.registrar.insert(one);
      await world.advance(70_000);
      expect(held(world)).toEqual(['open']);
    });
  });

  test.each([true, false])('after a restart the document goes on (snapshot: %s)', async (snapshot) => {
    await inWorld({ usrloc, registrar: new FakeRegistrar({ snapshot }) }, async (world) => {
      const [one, other, gone] = [binding(), binding(), binding()].map((b) => world.registrar.insert(b));
      await world.advance(100);
      await world.kill();
      // Nobody hears of it.
      world.registrar.delete(gone!);
      await world.startPua();
      await world.advance(100);
      expect(held(world)).toEqual([snapshot ? 'open+open' : 'open+open+open']);
      world.registrar.delete(one!);
      await world.advance(100);
      expect(held(world)).toEqual([snapshot ? 'open' : 'open+open']);
      world.registrar.delete(other!);
      await world.advance(100);
      expect(held(world)).toEqual([snapshot ? 'closed' : 'open']);
      expect(world.server.count('PUBLISH', 412)).toBe(0);
      await world.advance(2 * HOUR);
      expect(held(world)).toEqual([]);
    });
  });
});
