/** One test per rule for publications, each with its message ladder: -> is ours, <- is the server's. */
import { Publication } from '../../dist/publication/state.js';
import { PublicationDriver as Driver, responseAnswer, silence } from '../support/machines';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const initial = (body: string, expires = 3600) => ({ request: 'initial', expires, etag: '', body });
const accepted = (etag: string, expires = 3600) => ({
  outcome: 'accepted',
  status: 200,
  reason: 'reason 200',
  etag,
  expires,
});

describe('order of decisions (pua_api)', () => {
  test('no record, etag given: wrong-etag, nothing is sent', () => {
    const p = new Driver().publish('a', { etag: 'e' });
    expect([p.phase, p.results]).toEqual(['ended', { a: { outcome: 'wrong-etag' } }]);
  });

  test('no record, no body: no-body', () => {
    const p = new Driver().publish('a', { body: null });
    expect([p.phase, p.results]).toEqual(['ended', { a: { outcome: 'no-body' } }]);
  });

  test('no record, expires 0: nothing-to-do', () => {
    expect(new Driver().unpublish('a').results).toEqual({ a: { outcome: 'nothing-to-do' } });
    expect(new Driver().unpublish('a', 'e').results).toEqual({ a: { outcome: 'wrong-etag' } });
  });

  test('a record with another etag: wrong-etag that tells the right one, and nothing changes', () => {
    const p = Driver.published();
    const before = p.state;
    p.publish('b', { etag: 'x' }).unpublish('c', 'x');
    expect(p.results['b']).toEqual({ outcome: 'wrong-etag', etag: 'e1' });
    expect(p.results['c']).toEqual({ outcome: 'wrong-etag', etag: 'e1' });
    expect(p.state).toEqual(before);
  });

  test('the right etag modifies', () => {
    const p = Driver.published().publish('b', { etag: 'e1' });
    expect(p.send()).toEqual({ request: 'modify', expires: 3600, etag: 'e1', body: 'b' });
  });

  test('INSERT without a body: no-body, although a record exists', () => {
    const p = Driver.published().publish('b', { insert: true, body: null });
    expect([p.results['b'], p.phase]).toEqual([{ outcome: 'no-body' }, 'published']);
  });
});

describe('life', () => {
  /*
   *   PUBLISH ->               200 ETag 1 <-     ...
   *   PUBLISH If-Match 1 ->    200 ETag 2 <-     refresh: no body
   *   PUBLISH If-Match 2 ->    200 ETag 3 <-     modify: body
   *   PUBLISH If-Match 3 ->    200 <-            Expires: 0, no body
   */
  test('publish, refresh, modify, remove', () => {
    const p = new Driver().publish('a');
    expect(p.send()).toEqual(initial('a'));
    p.answer(200, { etag: 'e1', expires: 3600 });
    expect(p.results['a']).toEqual(accepted('e1'));
    expect([p.phase, p.wait]).toEqual(['published', 45 * MINUTE]);

    p.timer();
    expect(p.send()).toEqual({ request: 'refresh', expires: 3600, etag: 'e1', body: null });
    p.answer(200, { etag: 'e2', expires: 3600 });

    p.publish('b');
    expect(p.send()).toEqual({ request: 'modify', expires: 3600, etag: 'e2', body: 'b' });
    p.answer(200, { etag: 'e3', expires: 1800 });
    expect(p.results['b']).toEqual(accepted('e3', 1800));

    p.unpublish('c');
    expect(p.send()).toEqual({ request: 'remove', expires: 0, etag: 'e3', body: null });
    p.answer(200);
    expect(p.results['c']).toEqual({ outcome: 'accepted', status: 200, reason: 'reason 200', expires: 0 });
    expect([p.phase, p.state.deadline]).toEqual(['ended', Number.POSITIVE_INFINITY]);
    expect(p.reports.map(({ cause }) => cause)).toEqual(['request', 'refresh', 'request', 'request']);
  });

  test('only the lifetime: a refresh without body', () => {
    const p = Driver.published().publish('longer', { body: null, expires: 600 });
    expect(p.send()).toEqual({ request: 'refresh', expires: 600, etag: 'e1', body: null });
  });

  test('an etag that has run out is not used: in full again', () => {
    const p = Driver.published();
    p.timer().send();
    p.answer(silence());
    p.after(HOUR).timer();
    expect(p.send()).toEqual(initial('first'));
  });

  test('a refresh that waits for its slot until the end of the lifetime becomes a full PUBLISH', () => {
    const p = Driver.published().timer().after(HOUR);
    expect(p.send()).toEqual(initial('first'));
  });
});

describe('finite lifetime', () => {
  /*
   *   asked 90 min, granted 60:    PUBLISH Expires: 5400 ->    200 Expires: 3600 <-
   *   after 45 min:                PUBLISH Expires: 2700 ->    200 Expires: 2700 <-
   *   at 90 min:                   nothing
   */
  test('the last refresh asks for the rest; at the end it is forgotten without a request', () => {
    const p = new Driver().publish('a', { expires: 5400 });
    const start = p.now;
    p.send();
    p.answer(200, { etag: 'e1', expires: 3600 });
    p.timer();
    expect(p.send()).toEqual({ request: 'refresh', expires: 2700, etag: 'e1', body: null });
    p.answer(200, { etag: 'e2', expires: 2700 });
    p.timer();
    expect([p.now - start, p.phase, p.events]).toEqual([90 * MINUTE, 'ended', ['expired']]);
    expect(p.out.some(({ kind }) => kind === 'queue')).toBe(false);
  });

  /*
   *   asked 10 min in pieces of 5:   PUBLISH Expires: 300 ->    200 Expires: 300 <-
   *   after 225 s:                   PUBLISH Expires: 300 ->    200 Expires: 300 <-
   *   after 450 s:                   PUBLISH Expires: 150 ->    200 Expires: 150 <-
   *   at 600 s:                      nothing
   */
  test('in pieces (publishExpires): no PUBLISH asks for more, together they ask for all', () => {
    const p = new Driver().publish('a', { expires: 600, publishExpires: 300 });
    const start = p.now;
    expect(p.send()).toEqual(initial('a', 300));
    p.answer(200, { etag: 'e1', expires: 300 });
    p.timer();
    expect(p.send()).toEqual({ request: 'refresh', expires: 300, etag: 'e1', body: null });
    p.answer(200, { etag: 'e2', expires: 300 });
    p.timer();
    expect(p.send()).toEqual({ request: 'refresh', expires: 150, etag: 'e2', body: null });
    p.answer(200, { etag: 'e3', expires: 150 });
    p.timer();
    expect([p.now - start, p.phase, p.events]).toEqual([600_000, 'ended', ['expired']]);
  });

  test('for ever in pieces; a Min-Expires above the piece wins', () => {
    const p = new Driver().publish('a', { publishExpires: 300 });
    expect(p.send()).toEqual(initial('a', 300));
    p.answer(423, { minExpires: 400 });
    expect(p.send()).toEqual(initial('a', 400));
    p.answer(200, { etag: 'e1', expires: 400 });
    p.timer();
    expect(p.send()).toMatchObject({ request: 'refresh', expires: 400 });
  });

  test('it ends while the server is away: forgotten, not tried on', () => {
    const p = new Driver().publish('a', { expires: 60 });
    p.send();
    p.chance = 0.9;
    p.answer(silence());
    for (let i = 0; i < 20 && p.phase !== 'ended'; i++) {
      p.timer();
      if ((p.phase as string) === 'queued') {
        p.send();
        p.answer(silence());
      }
    }
    expect([p.phase, p.events, p.now]).toEqual(['ended', ['expired'], 70_000]);
  });

  test('it ends while it waits for its slot: expired is its result', () => {
    const p = new Driver().publish('a', { expires: 10 }).after(11_000);
    expect(p.send()).toBeUndefined();
    expect([p.phase, p.results]).toEqual(['ended', { a: { outcome: 'expired' } }]);
  });

  // Otherwise the server would still hold it when it is published anew: two publications of one presentity.
  test('raised to min_expires, the record lives as long as what was asked for', () => {
    const p = new Driver();
    p.policy = { ...p.policy, minExpires: 300 };
    p.publish('a', { expires: 30 });
    expect(p.send()?.expires).toBe(300);
    p.answer(200, { etag: 'e1', expires: 300 });
    p.timer();
    expect([p.phase, p.now]).toEqual(['ended', 310_000]);
  });

  test('a shorter wish replaces a longer one', () => {
    const p = Driver.published().publish('b', { expires: 60 });
    expect(p.send()?.expires).toBe(60);
    p.answer(200, { etag: 'e2', expires: 60 }).timer();
    expect([p.phase, p.events]).toEqual(['ended', ['expired']]);
  });
});

describe('one request at a time, the newest document wins', () => {
  /*
   *   PUBLISH a ->   (b, c are brought)   200 <-   PUBLISH c ->
   */
  test('what comes while a request is on the wire waits, the newest of it', () => {
    const p = new Driver().publish('a');
    p.send();
    p.publish('b').publish('c');
    expect(p.phase).toBe('publishing');
    p.answer(200, { etag: 'e1', expires: 3600 });
    expect(p.results).toEqual({ a: accepted('e1'), b: { outcome: 'superseded' } });
    expect(p.send()).toMatchObject({ request: 'modify', etag: 'e1', body: 'c' });
    p.answer(200, { etag: 'e2', expires: 3600 });
    expect(p.results['c']).toEqual(accepted('e2'));
  });

  test('what comes while it waits for a slot replaces what waits', () => {
    const p = new Driver().publish('a').publish('b');
    expect(p.results).toEqual({ a: { outcome: 'superseded' } });
    expect(p.send()).toEqual(initial('b'));
  });

  test('a document replaces one that fails', () => {
    const p = new Driver().publish('a');
    p.send();
    p.publish('b').answer(403);
    expect(p.results).toEqual({ a: { outcome: 'superseded' } });
    expect(p.send()).toEqual(initial('b'));
  });

  /*
   *   PUBLISH ->   (end)   200 ETag 1 <-   PUBLISH If-Match 1 Expires: 0 ->
   */
  test('an end while the initial PUBLISH is on the wire', () => {
    const p = new Driver().publish('a');
    p.send();
    p.unpublish('end').answer(200, { etag: 'e1', expires: 3600 });
    expect(p.send()).toEqual({ request: 'remove', expires: 0, etag: 'e1', body: null });
    p.answer(200);
    expect([p.phase, p.results['end']]).toEqual([
      'ended',
      expect.objectContaining({ outcome: 'accepted', expires: 0 }),
    ]);
  });

  test('an end while an initial PUBLISH is on the wire that is refused', () => {
    const p = new Driver().publish('a');
    p.send();
    p.unpublish('end').answer(403);
    expect([p.phase, p.results]).toEqual([
      'ended',
      { a: { outcome: 'superseded' }, end: { outcome: 'nothing-to-do' } },
    ]);
  });

  test('an end while an initial PUBLISH is on the wire that nobody answers: what it made lapses by itself', () => {
    const p = new Driver().publish('a');
    p.send();
    p.unpublish('end').answer(silence(true));
    expect([p.phase, p.results['end']]).toEqual([
      'ended',
      { outcome: 'unreachable', cause: 'no answer', retrying: false },
    ]);
  });

  test('an end wins over every document before it', () => {
    const p = Driver.published().publish('b').unpublish('end');
    expect(p.results['b']).toEqual({ outcome: 'superseded' });
    expect(p.send()).toMatchObject({ request: 'remove', etag: 'e1' });
  });

  /*
   *   PUBLISH Expires: 0 ->   (document)   200 <-   PUBLISH (initial) ->
   */
  test.each(['before it is sent', 'while it is on the wire'])('a document after an end opens a new one: %s', (when) => {
    const p = Driver.published().unpublish('end');
    if (when === 'before it is sent') p.publish('new');
    expect(p.send()).toMatchObject({ request: 'remove' });
    if (when !== 'before it is sent') p.publish('new');
    p.answer(200);
    expect([p.phase, p.results['end']]).toEqual(['queued', expect.objectContaining({ outcome: 'accepted' })]);
    expect(p.send()).toEqual(initial('new'));
  });

  test('a document without body after an end has nothing to prolong', () => {
    const p = Driver.published().unpublish('end').publish('longer', { body: null });
    expect(p.results['longer']).toEqual({ outcome: 'no-body' });
  });

  test('an end before anything was sent needs no request', () => {
    const p = new Driver().publish('a').unpublish('end');
    expect([p.phase, p.results]).toEqual([
      'ended',
      { a: { outcome: 'superseded' }, end: { outcome: 'nothing-to-do' } },
    ]);
  });

  /*
   *   INSERT:  PUBLISH If-Match 1 Expires: 0 ->   200 <-   PUBLISH (initial) ->
   */
  test.each(['at rest', 'in flight'])('INSERT ends the old one first: %s', (when) => {
    const p = Driver.published();
    if (when === 'in flight') p.timer().send();
    p.publish('new', { insert: true });
    if (when === 'in flight') p.answer(200, { etag: 'e2', expires: 3600 });
    expect(p.send()).toMatchObject({ request: 'remove', etag: when === 'in flight' ? 'e2' : 'e1' });
    p.answer(200);
    expect(p.send()).toEqual(initial('new'));
    p.answer(200, { etag: 'e9', expires: 3600 });
    expect(p.results['new']).toEqual(accepted('e9'));
  });
});

describe('412', () => {
  /*
   *   PUBLISH If-Match ->   412 <-   PUBLISH (full) ->   412 <-   ... back-off ...   PUBLISH (full) ->
   */
  test('on a refresh: in full at once; a second one backs off', () => {
    const p = Driver.published().timer();
    p.send();
    p.answer(412);
    expect(p.phase).toBe('queued');
    expect(p.reports).toHaveLength(1);
    expect(p.send()).toEqual(initial('first'));
    p.answer(412);
    expect([p.phase, p.wait]).toEqual(['waiting', 1_000]);
    p.timer();
    expect(p.send()).toEqual(initial('first'));
  });

  test('on a modify: in full with the new document, its result is that of the second request', () => {
    const p = Driver.published().publish('b');
    p.send();
    p.answer(412);
    expect(p.results['b']).toBeUndefined();
    expect(p.send()).toEqual(initial('b'));
    p.answer(200, { etag: 'e2', expires: 3600 });
    expect(p.results['b']).toEqual(accepted('e2'));
  });

  test('the next refresh may be repaired at once again', () => {
    const p = Driver.published();
    for (let n = 2; n < 6; n++) {
      p.timer().send();
      p.answer(412);
      expect(p.send()).toEqual(initial('first'));
      p.answer(200, { etag: `e${n}`, expires: 3600 });
    }
    expect(p.phase).toBe('published');
  });

  test('onLost report: lost, told, forgotten', () => {
    const p = Driver.published({ onLost: 'report' }).timer();
    p.send();
    p.answer(412);
    expect([p.phase, p.events]).toEqual(['ended', ['lost']]);
    expect(p.reports.at(-1)).toMatchObject({ cause: 'refresh', reply: { status: 412, received: true } });
  });

  test('a request with an explicit etag reports', () => {
    const p = Driver.published().publish('b', { etag: 'e1' });
    p.send();
    p.answer(412);
    expect(p.results['b']).toMatchObject({ outcome: 'rejected', status: 412, retrying: false });
    expect([p.phase, p.events]).toEqual(['ended', ['lost']]);
  });

  test('... but once it is accepted, its refreshes are repaired as ever', () => {
    const p = Driver.published().publish('b', { etag: 'e1' });
    p.send();
    p.answer(200, { etag: 'e2', expires: 3600 });
    p.timer().send();
    p.answer(412);
    expect(p.send()).toEqual(initial('b'));
  });

  test('on a removal: done, nothing is published again', () => {
    const p = Driver.published().unpublish('end');
    p.send();
    p.answer(412);
    expect([p.phase, p.results['end']]).toEqual([
      'ended',
      expect.objectContaining({ outcome: 'accepted', status: 412 }),
    ]);
  });

  test('an end while a refresh is on the wire that gets 412: done', () => {
    const p = Driver.published().timer();
    p.send();
    p.unpublish('end').answer(412);
    expect([p.phase, p.results['end']]).toEqual(['ended', { outcome: 'nothing-to-do' }]);
  });

  test('the document is not known: asked for', () => {
    const taken = Object.assign(new Publication(), {
      phase: 'published',
      etag: 'e1',
      wish: 1,
      held: 1,
      expiresAt: 10_000 + HOUR,
      deadline: 10_000,
    });
    const p = new Driver(taken).timer();
    expect(p.send()).toMatchObject({ request: 'refresh' });
    p.answer(412).timer();
    expect(p.send()).toBeUndefined();
    expect([p.phase, p.events]).toEqual(['parked', ['document-needed']]);
    p.publish('known again');
    expect(p.send()).toEqual(initial('known again'));
  });
});

describe('423', () => {
  /*
   *   PUBLISH Expires: 60 ->   423 Min-Expires: 600 <-   PUBLISH Expires: 600 ->
   */
  test('retried at once, and remembered', () => {
    const p = new Driver().publish('a', { expires: 60 });
    p.send();
    p.answer(423, { minExpires: 600 });
    expect(p.results['a']).toBeUndefined();
    expect(p.send()).toEqual(initial('a', 600));
    p.answer(200, { etag: 'e1', expires: 600 });
    p.publish('b', { expires: 60 });
    expect(p.send()?.expires).toBe(600);
  });

  test.each([
    ['above the maximum', 86_401],
    ['not more than was asked', 3600],
    ['missing', undefined],
  ])('Min-Expires %s: long retry', (_name, minExpires) => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(423, { minExpires });
    expect([p.phase, p.wait]).toEqual(['waiting', HOUR]);
    expect(p.results['a']).toMatchObject({ outcome: 'rejected', status: 423, retrying: true });
  });

  test('a limit that keeps rising is followed three times, and then met at the next try', () => {
    const p = new Driver().publish('a');
    let sent = 0;
    while (p.phase === 'queued') {
      p.send();
      p.answer(423, { minExpires: 10_000 * ++sent });
    }
    expect([sent, p.phase]).toEqual([4, 'waiting']);
    p.timer();
    expect(p.send()?.expires).toBe(40_000);
  });
});

/*
 *   PUBLISH 0 ->   404 Retry-After: 30 <-   (30 s)   PUBLISH ->     what was asked for after the end
 */
test('Retry-After of an answer to a removal counts for what comes after it', () => {
  const p = Driver.published().unpublish('b');
  p.send();
  p.publish('c').answer(404, { retryAfter: 30 });
  expect([p.phase, p.wait]).toEqual(['waiting', 30_000]);
  expect(p.timer().send()).toEqual(initial('c'));
});

test('no lifetime is too brief for a removal: a 423 to it teaches nothing', () => {
  const p = Driver.published().unpublish('b');
  p.send();
  p.answer(423, { minExpires: 90 });
  expect(p.state.minExpires).toBe(0);
});

describe('2xx that is not as it should be', () => {
  test('without Expires: what was asked', () => {
    const p = new Driver().publish('a', { expires: 600 });
    p.send();
    p.answer(200, { etag: 'e1' });
    expect(p.results['a']).toEqual(accepted('e1', 600));
  });

  test('without SIP-ETag: kept, published in full before it runs out', () => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(200, { expires: 3600 });
    expect(p.results['a']).toEqual(accepted(''));
    p.timer();
    expect(p.wait).toBe(Number.POSITIVE_INFINITY);
    expect(p.send()).toEqual(initial('a'));
  });

  test('granted for no time: a failure, under back-off', () => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(200, { etag: 'e1', expires: 0 });
    expect(p.results['a']).toMatchObject({ outcome: 'rejected', status: 500, retrying: true });
    expect([p.phase, p.wait]).toEqual(['waiting', 1_000]);
    p.timer();
    expect(p.send()).toEqual(initial('a'));
  });
});

describe('failures', () => {
  test('silence: the etag is kept, the refresh is tried again under back-off', () => {
    const p = Driver.published().timer();
    p.send();
    p.answer(silence());
    expect([p.phase, p.wait, p.state.failures]).toEqual(['waiting', 1_000, 1]);
    expect(p.reports.at(-1)).toEqual({
      kind: 'report',
      cause: 'refresh',
      reply: { status: 408, reason: 'no answer', received: false },
    });
    p.timer();
    expect(p.send()).toMatchObject({ request: 'refresh', etag: 'e1' });
    p.answer(200, { etag: 'e2', expires: 3600 });
    expect(p.reports.at(-1)).toMatchObject({ cause: 'recovery' });
    expect(p.state.failures).toBe(0);
  });

  test.each([403, 404, 410, 420, 481, 600, 603, 302])('%i: long retry, told, never dropped', (status) => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(status);
    expect(p.results['a']).toMatchObject({ outcome: 'rejected', status, retrying: true });
    expect([p.phase, p.wait]).toEqual(['waiting', HOUR]);
    p.timer();
    expect(p.send()).toEqual(initial('a'));
  });

  test.each([405, 406, 415, 489, 501, 505, 513])('%i: parked until the owner changes something', (status) => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(status);
    expect(p.results['a']).toMatchObject({ outcome: 'rejected', status, retrying: false });
    expect([p.phase, p.wait]).toEqual(['parked', Number.POSITIVE_INFINITY]);
    p.publish('b');
    expect(p.send()).toEqual(initial('b'));
  });

  test('a finite publication is not parked for ever', () => {
    const p = new Driver().publish('a', { expires: 60 });
    p.send();
    p.answer(415).timer();
    expect([p.phase, p.events]).toEqual(['ended', ['expired']]);
  });

  test.each([401, 407])('%i: after 60 s at the earliest', (status) => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(status);
    expect([p.phase, p.wait]).toEqual(['waiting', 60_000]);
  });

  test('491: within 10 s', () => {
    const p = new Driver().publish('a');
    p.chance = 0.5;
    p.send();
    p.answer(491);
    expect([p.phase, p.wait]).toEqual(['waiting', 5_000]);
  });

  /*
   *   PUBLISH ->   480 Retry-After: 30 <-   (a new document)   ... 30 s ...   PUBLISH ->
   */
  test('nothing before Retry-After has passed, whoever asks', () => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(480, { retryAfter: 30 });
    expect(p.wait).toBe(30_000);
    p.after(10_000).publish('b');
    expect([p.phase, p.wait]).toEqual(['waiting', 20_000]);
    expect(p.results['b']).toMatchObject({ outcome: 'unreachable', retrying: true });
    p.timer();
    expect(p.send()).toEqual(initial('b'));
  });

  test('no route is open: told at once, tried again when one opens', () => {
    const p = new Driver().publish('a');
    p.answer(silence(false, p.now + 30_000));
    expect(p.results['a']).toMatchObject({ outcome: 'unreachable', retrying: true });
    expect([p.phase, p.wait, p.reports]).toEqual(['waiting', 30_000, [expect.objectContaining({ cause: 'request' })]]);
  });

  test('Min-Expires and Retry-After are told', () => {
    const p = new Driver().publish('a');
    p.send();
    p.answer(responseAnswer(480, { retryAfter: 30 }));
    expect(p.results['a']).toMatchObject({ retryAfter: 30 });
  });
});

describe('removal', () => {
  test.each([200, 202, 404, 410, 412, 481])('%i: done', (status) => {
    const p = Driver.published().unpublish('end');
    p.send();
    p.answer(status);
    expect([p.phase, p.results['end']]).toEqual(['ended', expect.objectContaining({ outcome: 'accepted', status })]);
  });

  test.each([403, 500, 503, 405, 401])(
    '%i: tried again until the granted lifetime has passed, then forgotten',
    (status) => {
      const p = Driver.published().unpublish('end');
      p.send();
      p.answer(status);
      expect([p.phase, p.results['end']]).toEqual(['waiting', expect.objectContaining({ status, retrying: true })]);
      for (let i = 0; i < 100 && (p.phase as string) !== 'ended'; i++) {
        p.timer();
        if ((p.phase as string) !== 'queued') continue;
        expect(p.send()).toMatchObject({ request: 'remove', etag: 'e1' });
        p.answer(status);
        p.chance = 0.9;
      }
      expect([p.phase, p.events]).toEqual(['ended', ['lapsed']]);
      expect(p.now).toBeLessThanOrEqual(10_000 + HOUR);
    },
  );

  test('asked for twice: the first is superseded before it is sent, both are told after it', () => {
    const p = Driver.published().unpublish('one').unpublish('two');
    expect(p.results['one']).toEqual({ outcome: 'superseded' });
    p.send();
    p.unpublish('three').answer(200);
    expect(p.results['two']).toMatchObject({ outcome: 'accepted' });
    expect(p.results['three']).toEqual({ outcome: 'nothing-to-do' });
  });

  test('a document that comes while a removal waits for its next try is published after it', () => {
    const p = Driver.published().unpublish('end');
    p.send();
    p.answer(500).publish('new');
    expect(p.phase).toBe('waiting');
    p.timer();
    expect(p.send()).toMatchObject({ request: 'remove' });
    p.answer(200);
    expect(p.send()).toEqual(initial('new'));
  });
});
