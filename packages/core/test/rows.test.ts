/** State -> row -> state: what must survive a restart does, whatever the clocks of the two processes show. */
import * as fc from 'fast-check';
import type { PuaRow } from '../dist/ports/store.js';
import { publicationFromRow, writeColumns as writePublication } from '../dist/publication/row.js';
import { Publication } from '../dist/publication/state.js';
import { subscriptionFromRow, writeColumns as writeSubscription } from '../dist/subscription/row.js';
import { Subscription } from '../dist/subscription/state.js';
import { fromWall, toWall } from '../dist/walltime.js';
import { PublicationDriver, SubscriptionDriver } from './support/machines';

const NEVER = Number.POSITIVE_INFINITY;
const WALL = Date.UTC(2024, 0, 1);
const NOW = 1_000_000;
/** Before and after the restart: the same moment, another monotonic clock. */
const BEFORE = { now: NOW, wall: WALL };
const AFTER = { now: 77, wall: WALL };
const SHIFT = AFTER.now - BEFORE.now;
const half = () => 0.5;

const ms = fc.integer({ min: 1_000, max: 100_000_000 });
const text = fc.string({ maxLength: 8 });
const headers = fc.constantFrom(
  [],
  [['X-A', '1']],
  [
    ['X-A', '1'],
    ['Subject', 'a: b; c="d"'],
  ],
) as fc.Arbitrary<[string, string][]>;
const orNever = (arbitrary: fc.Arbitrary<number>) => fc.oneof(arbitrary, fc.constant(NEVER));
const from = (at: number) => NOW + at;

const integers = (row: object) =>
  Object.entries(row).filter(([, value]) => typeof value === 'number') as [string, number][];

function publicationRow(s: Publication): PuaRow {
  const row = {} as PuaRow;
  writePublication(row, s, BEFORE);
  return row;
}

const settings = { requestUri: 'sip:a@example.com', toUri: 'sip:a@example.com', forks: 'first' } as const;

function subscriptionRow(s: Subscription, given: typeof settings | object = settings): PuaRow {
  const row = { pres_uri: 'sip:a@example.com' } as PuaRow;
  writeSubscription(row, s, { ...settings, ...given }, [], BEFORE);
  return row;
}
const readSubscription = (row: PuaRow, reachable = true) => subscriptionFromRow(row, AFTER, half, () => reachable);

describe('wall time', () => {
  test('there and back within half a second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e10 }), (at) => {
        expect(Math.abs(fromWall(toWall(at, BEFORE), AFTER) - SHIFT - at)).toBeLessThanOrEqual(500);
      }),
    );
  });

  test('for ever is 0, and no time is beyond what the columns hold', () => {
    expect(toWall(NEVER, BEFORE)).toBe(0);
    expect(toWall(NOW + 0xffffffff * 1000, BEFORE)).toBe(0x7fffffff);
  });
});

describe('publication', () => {
  const state: fc.Arbitrary<Publication> = fc
    .record({
      body: fc.option(fc.oneof(text, fc.uint8Array({ maxLength: 5 }))),
      contentType: text,
      asked: fc.constantFrom(-1, 60, 3600),
      publishExpires: fc.constantFrom(0, 300),
      desiredUntil: orNever(ms.map(from)),
      extraHeaders: headers,
      outboundProxy: fc.constantFrom('', 'sip:proxy'),
      onLost: fc.constantFrom('republish', 'report') as fc.Arbitrary<'republish' | 'report'>,
      etag: fc.constantFrom('', 'e1'),
      expiresAt: ms.map(from),
      version: fc.nat(),
      tupleId: fc.option(text),
      minExpires: fc.constantFrom(0, 600),
      notBefore: fc.constantFrom(0, NOW - 5, NOW + 12_345),
      pending: fc.boolean(),
      end: fc.boolean(),
      phase: fc.constantFrom('published', 'waiting', 'parked', 'queued', 'refreshing') as fc.Arbitrary<
        Publication['phase']
      >,
    })
    .map(({ pending, ...fields }) => {
      const s = Object.assign(new Publication(), fields, { wish: 5, bodyWish: fields.body === null ? 0 : 4 });
      s.held = s.etag === '' ? 0 : pending ? 3 : 5;
      if (s.etag === '') s.expiresAt = 0;
      if (s.end && s.phase === 'parked') s.phase = 'waiting';
      return s;
    });

  test('keeps what it must', () => {
    fc.assert(
      fc.property(state, (s) => {
        const back = publicationFromRow(publicationRow(s), AFTER, half);
        for (const field of [
          'body',
          'contentType',
          'asked',
          'publishExpires',
          'extraHeaders',
          'outboundProxy',
          'onLost',
          'etag',
          'version',
          'tupleId',
          'minExpires',
          'end',
        ] as const)
          expect([field, back[field]]).toEqual([field, s[field]]);
        for (const field of ['expiresAt', 'desiredUntil'] as const) {
          const at = s[field];
          if (at === 0 || at === NEVER) expect(back[field]).toBe(at);
          else expect(Math.abs(back[field] - SHIFT - at)).toBeLessThanOrEqual(500);
        }
        // Nothing goes out before its time, not even by what rounding takes away.
        if (s.notBefore > NOW) expect(back.notBefore - SHIFT).toBeGreaterThanOrEqual(s.notBefore);
        // One without its document asks its module once more.
        const parked = s.phase === 'parked' && (s.body !== null || (s.etag !== '' && s.expiresAt > NOW));
        expect(back.phase === 'parked').toBe(parked);
        expect(['published', 'waiting', 'parked']).toContain(back.phase);
        expect([back.op, back.flightOp, back.flightWish]).toEqual([null, null, 0]);
      }),
    );
  });

  test('the columns hold whole numbers of 32 bits', () => {
    fc.assert(
      fc.property(state, (s) => {
        for (const [name, value] of integers(publicationRow(s)))
          expect([name, Number.isInteger(value), Math.abs(value) <= 0x7fffffff]).toEqual([name, true, true]);
      }),
    );
  });

  test('a second restart finds what the first one found', () => {
    fc.assert(
      fc.property(state, (s) => {
        const once = publicationRow(s);
        const twice = {} as PuaRow;
        writePublication(twice, publicationFromRow(once, AFTER, half), AFTER);
        // One that is parked for want of its document is on its way to ask for it.
        const asks = s.phase === 'parked' && s.body === null && (s.etag === '' || s.expiresAt <= NOW);
        expect(twice).toEqual(asks ? { ...once, pending: once.pending & ~4 } : once);
      }),
    );
  });

  test('goes on with the request that was due', () => {
    fc.assert(
      fc.property(state, (s) => {
        if (s.phase === 'parked' || s.notBefore > NOW || s.desiredUntil < NOW + 2_000) return;
        const request = (at: number, given: Publication) => {
          const p = new PublicationDriver(Object.assign(given.copy(), { phase: 'queued', deadline: NEVER }));
          p.now = at;
          p.input({ kind: 'slot' });
          const send = p.out.find((effect) => effect.kind === 'send');
          return send && [send.request, send.etag, send.body];
        };
        const back = publicationFromRow(publicationRow(s), AFTER, half);
        expect(request(AFTER.now, back)).toEqual(request(NOW, s));
      }),
    );
  });

  test('a document that waits behind an end is published after it', () => {
    const p = PublicationDriver.published().unpublish('end').publish('new', { expires: 600, contentType: 'a/b' });
    p.after(NOW - p.now);
    const back = new PublicationDriver(publicationFromRow(publicationRow(p.state), AFTER, half));
    back.now = AFTER.now;
    expect(back.timer().send()).toMatchObject({ request: 'remove', etag: 'e1' });
    expect(back.answer(200).send()).toEqual({ request: 'initial', expires: 600, etag: '', body: 'new' });
    expect(back.state.contentType).toBe('a/b');
  });

  test('what is pending goes out at once, what is held is refreshed in time', () => {
    const fresh = new PublicationDriver().publish('a');
    fresh.now = NOW;
    expect(publicationFromRow(publicationRow(fresh.state), AFTER, half).deadline).toBe(AFTER.now);
    const held = Object.assign(new Publication(), {
      etag: 'e',
      expiresAt: from(3_600_000),
      wish: 1,
      held: 1,
      phase: 'published',
    });
    const { deadline } = publicationFromRow(publicationRow(held as Publication), AFTER, half);
    expect((deadline - AFTER.now) / 3_600_000).toBeCloseTo(0.825, 2);
  });

  test('a row of Kamailio, without our columns: refreshed by its etag, kept for ever', () => {
    const row = {
      ...publicationRow(new Publication()),
      etag: 'a.1.2.3',
      expires: WALL / 1000 + 600,
      desired_expires: 0,
      extra_headers: 'X-K: 1\r\n',
    };
    const p = new PublicationDriver(publicationFromRow(row, AFTER, half));
    p.now = AFTER.now;
    expect(p.timer().send()).toEqual({ request: 'refresh', expires: 3600, etag: 'a.1.2.3', body: null });
    expect(p.state.extraHeaders).toEqual([['X-K', '1']]);
  });
});

describe('subscription', () => {
  const state: fc.Arbitrary<Subscription> = fc
    .record({
      asked: fc.constantFrom(-1, 60, 3600),
      desiredUntil: orNever(ms.map(from)),
      ownContact: fc.constantFrom('', 'sip:own@h'),
      preloadedRoutes: fc.constantFrom([], ['<sip:p;lr>', '<sip:q;lr>']),
      callId: fc.constantFrom('', 'call'),
      localTag: fc.constantFrom('lt', 'x'),
      remoteTag: fc.constantFrom('', 'rt'),
      cseq: fc.nat({ max: 2 ** 31 - 1 }),
      remoteCseq: fc.nat({ max: 2 ** 31 - 1 }),
      routeSet: fc.constantFrom([], ['<sip:a;lr>'], ['"A, B" <sip:a;x="1,2";lr>', '<sip:b;lr>;p="q,r"']),
      remoteTarget: fc.constantFrom('', 'sip:n@h;ob'),
      contact: fc.constantFrom('', 'sip:us@h'),
      confirmed: fc.boolean(),
      status: fc.constantFrom('', 'active', 'pending'),
      expiresAt: ms.map(from),
      minExpires: fc.constantFrom(0, 600),
      notBefore: fc.constantFrom(0, NOW - 5, NOW + 12_345),
      end: fc.boolean(),
      phase: fc.constantFrom('subscribed', 'waiting', 'parked', 'closing', 'refreshing') as fc.Arbitrary<
        Subscription['phase']
      >,
    })
    .map((fields) => {
      const s = Object.assign(new Subscription(), fields, { wish: 5, held: 5 });
      if (s.callId === '') Object.assign(s, { remoteTag: '', confirmed: false });
      if (s.remoteTag === '') s.confirmed = false;
      if (s.end && s.phase === 'parked') s.phase = 'waiting';
      return s;
    });

  test('keeps what it must', () => {
    fc.assert(
      fc.property(state, fc.boolean(), (s, reachable) => {
        const { state: back } = readSubscription(subscriptionRow(s), reachable);
        for (const field of [
          'asked',
          'ownContact',
          'preloadedRoutes',
          'callId',
          'localTag',
          'remoteTag',
          'cseq',
          'remoteCseq',
          'routeSet',
          'remoteTarget',
          'contact',
          'confirmed',
          'minExpires',
          'end',
        ] as const)
          expect([field, back[field]]).toEqual([field, s[field]]);
        for (const field of ['expiresAt', 'desiredUntil'] as const) {
          if (s[field] === NEVER) expect(back[field]).toBe(NEVER);
          else expect(Math.abs(back[field] - SHIFT - s[field])).toBeLessThanOrEqual(500);
        }
        if (s.notBefore > NOW) expect(back.notBefore - SHIFT).toBeGreaterThanOrEqual(s.notBefore);
        expect(back.phase === 'parked').toBe(s.phase === 'parked');
      }),
    );
  });

  test('the columns hold whole numbers of 32 bits', () => {
    fc.assert(
      fc.property(state, (s) => {
        for (const [name, value] of integers(subscriptionRow(s)))
          expect([name, Number.isInteger(value), Math.abs(value) <= 0x7fffffff]).toEqual([name, true, true]);
      }),
    );
  });

  test('settings of their own, and what is to be opened after the end', () => {
    const s = SubscriptionDriver.established().unsubscribe('end').subscribe('new', { expires: 600 });
    s.after(NOW - s.now);
    const own = { requestUri: 'sip:target@h', toUri: 'sip:to@h' };
    const { state: back, settings: read } = readSubscription(subscriptionRow(s.state, own));
    expect(read).toEqual({ ...own, forks: 'first' });
    expect(back).toMatchObject({ end: true, next: { expires: 600 } });
  });

  test('a Contact that leads nowhere any more is replaced at once, the caller’s own never', () => {
    const held = (more: object) =>
      subscriptionRow(
        Object.assign(new Subscription(), {
          phase: 'subscribed',
          callId: 'c',
          remoteTag: 'r',
          confirmed: true,
          contact: 'sip:old@h',
          expiresAt: from(3_600_000),
          ...more,
        }),
      );
    expect(readSubscription(held({}), false).state.deadline).toBe(AFTER.now);
    expect(readSubscription(held({}), true).state.deadline).toBeGreaterThan(AFTER.now + 2_000_000);
    expect(readSubscription(held({ ownContact: 'sip:own@h' }), false).state.deadline).toBeGreaterThan(AFTER.now);
  });

  test('brackets in the target of a row of Kamailio', () => {
    const row = { ...subscriptionRow(new Subscription()), remote_contact: '<sip:n@h;transport=tcp>' };
    expect(readSubscription(row).state.remoteTarget).toBe('sip:n@h;transport=tcp');
  });

  test('a SUBSCRIBE that was on the wire at the crash: the NOTIFY still finds a dialog of the length asked for', () => {
    const s = new SubscriptionDriver().subscribe('a');
    s.now = NOW;
    s.send();
    // A clock that has run for long, as that of a machine does.
    const late = { now: 1e9, wall: WALL };
    const back = new SubscriptionDriver(subscriptionFromRow(subscriptionRow(s.state), late, half, () => true).state);
    back.now = late.now;
    expect(back.notify('active', { expires: 1200 })).toBe(200);
    expect(back.state.expiresAt - late.now).toBe(1_200_000);
    expect(back.phase).toBe('subscribed');
  });
});

describe('a long retry', () => {
  const HOUR = 3_600_000;

  test('of a publication is not cut short by a restart', () => {
    const p = new PublicationDriver();
    p.publish('a').send();
    p.answer(403);
    const row = {} as PuaRow;
    writePublication(row, p.state, { now: p.now, wall: WALL });
    expect(publicationFromRow(row, AFTER, half).deadline - AFTER.now).toBe(HOUR);
  });

  test('of a subscription neither', () => {
    const s = new SubscriptionDriver().subscribe('a');
    s.send();
    s.answer(403);
    const row = { pres_uri: 'sip:a@example.com' } as PuaRow;
    writeSubscription(row, s.state, settings, [], { now: s.now, wall: WALL });
    expect(readSubscription(row).state.deadline - AFTER.now).toBe(HOUR);
  });

  test('nor that of a refresh, while the server still holds what it should prolong', () => {
    const p = PublicationDriver.published({}, 100_000).timer();
    p.send();
    p.answer(403);
    const row = {} as PuaRow;
    writePublication(row, p.state, { now: p.now, wall: WALL });
    const back = publicationFromRow(row, AFTER, half);
    expect([back.deadline - AFTER.now, back.etag]).toEqual([HOUR, 'e1']);

    const s = SubscriptionDriver.established({}, 100_000).timer();
    s.send();
    s.answer(403);
    const dialog = { pres_uri: 'sip:a@example.com' } as PuaRow;
    writeSubscription(dialog, s.state, settings, [], { now: s.now, wall: WALL });
    const again = readSubscription(dialog).state;
    expect([again.deadline - AFTER.now, again.callId]).toEqual([HOUR, 'call1']);
  });

  test('a back-off of seconds is: the next try comes at once', () => {
    const p = new PublicationDriver();
    p.publish('a').send();
    p.answer(500);
    const row = {} as PuaRow;
    writePublication(row, p.state, { now: p.now, wall: WALL });
    expect([row.more, publicationFromRow(row, AFTER, half).deadline]).toEqual([null, AFTER.now]);
  });
});
