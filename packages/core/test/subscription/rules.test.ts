/** One test per rule for subscriptions, each with its message ladder: -> is ours, <- is the notifier's. */
import { forkOf } from '../../dist/subscription/parts.js';
import { Subscription } from '../../dist/subscription/state.js';
import { SubscriptionDriver as Driver, silence } from '../support/machines';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const TIMER_N = 32_000;
const accepted = (expires = 3600, status = 200) => ({
  outcome: 'accepted',
  status,
  reason: `reason ${status}`,
  expires,
});

describe('life', () => {
  /*
   *   SUBSCRIBE ->        200 <-       NOTIFY active <-     200 ->
   *   SUBSCRIBE ->        200 <-                            refresh in the dialog
   *   SUBSCRIBE 0 ->      200 <-       NOTIFY terminated <- 200 ->
   */
  test('subscribe, refresh, unsubscribe', () => {
    const s = new Driver().subscribe('a');
    expect(s.send()).toEqual({ request: 'initial', expires: 3600, callId: 'call1', cseq: 1 });
    s.answer(200, { expires: 3600 });
    expect([s.phase, s.results['a']]).toEqual(['subscribed', accepted()]);
    expect(s.notify('active', { expires: 3600 })).toBe(200);
    expect(s.wait).toBe(45 * MINUTE);

    s.timer();
    expect(s.send()).toEqual({ request: 'refresh', expires: 3600, callId: 'call1', cseq: 2 });
    s.answer(200, { expires: 3600 });

    s.unsubscribe('b');
    expect(s.send()).toEqual({ request: 'unsubscribe', expires: 0, callId: 'call1', cseq: 3 });
    s.answer(200);
    expect([s.phase, s.results['b'], s.wait]).toEqual(['closing', accepted(0), TIMER_N]);
    expect(s.notify('terminated')).toBe(200);
    expect([s.phase, s.state.callId, s.state.deadline]).toEqual(['ended', '', Number.POSITIVE_INFINITY]);
  });

  test('a second request refreshes the dialog', () => {
    const s = Driver.established().subscribe('b', { expires: 600 });
    expect(s.send()).toMatchObject({ request: 'refresh', expires: 600, callId: 'call1', cseq: 2 });
  });

  test('no record, expires 0: nothing', () => {
    expect(new Driver().unsubscribe('a').results).toEqual({ a: { outcome: 'nothing-to-do' } });
  });

  test('2xx without Expires: what was asked', () => {
    const s = new Driver().subscribe('a', { expires: 600 });
    s.send();
    s.answer(202);
    expect(s.results['a']).toEqual(accepted(600, 202));
  });

  test('granted for no time: a failure, under back-off, in a new dialog', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.answer(200, { expires: 0 });
    expect([s.phase, s.wait, s.state.callId]).toEqual(['waiting', 1_000, '']);
    expect(s.results['a']).toMatchObject({ outcome: 'rejected', reason: 'granted no lifetime', retrying: true });
    const refreshed = Driver.established().subscribe('b');
    refreshed.send();
    refreshed.answer(200, { expires: 0 });
    expect(refreshed.results['b']).toEqual(s.results['a']);
  });

  test('raised to min_expires, the record lives as long as what was asked for', () => {
    const s = new Driver();
    s.policy = { ...s.policy, minExpires: 300 };
    s.subscribe('a', { expires: 30 });
    expect(s.send()?.expires).toBe(300);
    s.answer(200, { expires: 300 }).notify('active');
    s.timer();
    expect([s.phase, s.now, s.events]).toEqual(['ended', 310_000, ['expired']]);
  });

  test('the last refresh of a finite lifetime asks for the rest; at the end nothing is sent', () => {
    const s = Driver.established({ expires: 5400 }).timer();
    expect(s.send()).toMatchObject({ request: 'refresh', expires: 2700 });
    s.answer(200, { expires: 2700 }).notify('active');
    s.timer();
    expect([s.phase, s.events, s.now]).toEqual(['ended', ['expired'], 10_000 + 90 * MINUTE]);
  });
});

describe('the dialog', () => {
  /*
   *   SUBSCRIBE ->     NOTIFY (tag n) <-     200 (tag r) <-
   */
  test('the NOTIFY establishes it, also before the 2xx; the 2xx does not take it back', () => {
    const s = new Driver().subscribe('a');
    s.send();
    const route = ['<sip:p1;lr>', '<sip:p2;lr>'];
    expect(s.notify('active', { fromTag: 'n', contact: 'sip:n@h', recordRoute: route, expires: 3600 })).toBe(200);
    s.answer(200, { expires: 3600, toTag: 'r', contact: 'sip:r@h', recordRoute: ['<sip:x;lr>'] });
    expect(s.state).toMatchObject({
      phase: 'subscribed',
      confirmed: true,
      remoteTag: 'n',
      remoteTarget: 'sip:n@h',
      routeSet: route,
    });
  });

  test('the 2xx is provisional: its Record-Route reversed, until the NOTIFY says otherwise', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.answer(200, { expires: 3600, toTag: 'r', contact: 'sip:r@h', recordRoute: ['<sip:a;lr>', '<sip:b;lr>'] });
    expect(s.state).toMatchObject({ confirmed: false, remoteTag: 'r', routeSet: ['<sip:b;lr>', '<sip:a;lr>'] });
    expect(s.notify('active', { fromTag: 'fork', contact: 'sip:f@h', recordRoute: ['<sip:c;lr>'] })).toBe(200);
    expect(s.state).toMatchObject({
      confirmed: true,
      remoteTag: 'fork',
      remoteTarget: 'sip:f@h',
      routeSet: ['<sip:c;lr>'],
    });
  });

  test('other forks get 481 and change nothing', () => {
    const s = Driver.established();
    const before = s.state;
    expect(s.notify('active', { fromTag: 'fork' })).toBe(481);
    expect(s.state).toEqual(before);
  });

  test('the target follows each NOTIFY and the 2xx of a refresh, the route set does not', () => {
    const s = Driver.established();
    s.notify('active', { contact: 'sip:new@h', recordRoute: ['<sip:other;lr>'] });
    expect(s.state).toMatchObject({ remoteTarget: 'sip:new@h', routeSet: [] });
    s.timer().send();
    s.answer(200, { expires: 3600, contact: 'sip:newer@h', recordRoute: ['<sip:other;lr>'] });
    expect(s.state).toMatchObject({ remoteTarget: 'sip:newer@h', routeSet: [] });
  });

  test.each([
    ['lower', 4],
    ['equal', 5],
  ])('a NOTIFY with a CSeq that is %s gets 500 and changes nothing', (_name, cseq) => {
    const s = Driver.established();
    s.notify('active', { cseq: 5 });
    const before = s.state;
    expect(s.notify('terminated', { cseq })).toBe(500);
    expect(s.state).toEqual(before);
  });

  test('a NOTIFY without a dialog gets 481', () => {
    const s = new Driver().subscribe('a');
    expect(s.notify('active')).toBe(481);
  });

  /*
   *   SUBSCRIBE ->     (silence)     NOTIFY active <-     200 ->
   */
  test('a NOTIFY after the time-out: the dialog lives', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.after(TIMER_N).answer(silence());
    expect([s.phase, s.results['a']]).toEqual(['waiting', expect.objectContaining({ outcome: 'unreachable' })]);
    expect(s.notify('active', { expires: 3000 })).toBe(200);
    expect([s.phase, s.state.failures]).toEqual(['subscribed', 0]);
    s.timer();
    expect(s.send()).toMatchObject({ request: 'refresh', callId: 'call1', cseq: 2 });
  });

  test('the answer was lost, the NOTIFY was not: accepted', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.notify('active', { expires: 600 });
    s.after(TIMER_N).answer(silence());
    expect([s.phase, s.results['a']]).toEqual([
      'subscribed',
      { outcome: 'accepted', status: 200, reason: 'NOTIFY received', expires: 568 },
    ]);
  });

  test('... and the CSeq goes on behind the last one that was sent', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.notify('active', { expires: 600 });
    s.answer(silence(true, 0, 3));
    s.timer();
    expect(s.send()).toMatchObject({ request: 'refresh', cseq: 4 });
  });

  test('CSeq goes on behind the one that was answered, or sent in vain', () => {
    const s = Driver.established().timer();
    s.send();
    s.answer(200, { expires: 3600, cseq: 4 }).notify('active');
    s.timer();
    expect(s.send()?.cseq).toBe(5);
    s.answer(silence(true, 0, 7));
    s.timer();
    expect(s.send()?.cseq).toBe(8);
  });

  /*
   *   CSeq near 2^31:   SUBSCRIBE 0 ->   200 <-   NOTIFY terminated <-   SUBSCRIBE (new dialog) ->
   */
  test('CSeq near 2^31: the dialog is replaced, and whoever waits is told of the new one', () => {
    const state = Object.assign(Driver.established().state.copy(), { cseq: 2 ** 31 - 2_000 });
    const s = new Driver(state).subscribe('more');
    expect(s.send()).toMatchObject({ request: 'unsubscribe', expires: 0 });
    s.answer(200).notify('terminated', { cseq: 9 });
    expect(s.results['more']).toBeUndefined();
    s.timer();
    expect(s.send()).toMatchObject({ request: 'initial', cseq: 1 });
    s.answer(200, { expires: 3600 });
    expect(s.results['more']).toEqual(accepted());
  });
});

describe('Subscription-State', () => {
  test('expires shortens the lifetime, and never lengthens it', () => {
    const s = Driver.established();
    s.notify('pending', { expires: 600 });
    expect([s.state.status, s.state.expiresAt - s.now, s.wait]).toEqual(['pending', 10 * MINUTE, 450_000]);
    s.notify('active', { expires: 100_000 });
    expect(s.state.expiresAt - s.now).toBe(HOUR);
  });

  test('without expires the deadline stays', () => {
    const s = Driver.established();
    const { deadline, expiresAt } = s.state;
    s.after(MINUTE).notify('active');
    expect(s.state).toMatchObject({ deadline, expiresAt });
  });

  test('never beyond what was asked while there is no 2xx', () => {
    const s = new Driver().subscribe('a', { expires: 600 });
    s.send();
    s.notify('active', { expires: 3600 });
    expect(s.state.expiresAt - s.now).toBe(600_000);
  });

  test('shorter in the NOTIFY that overtook the 2xx', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.notify('active', { expires: 600 });
    s.answer(200, { expires: 3600 });
    expect(s.state.expiresAt - s.now).toBe(600_000);
  });

  test.each(['deactivated', 'timeout'])('terminated;%s: a new subscription at once', (reason) => {
    const s = Driver.established().after(10 * MINUTE);
    expect(s.notify('terminated', { reason, retryAfter: 100, expires: 100 })).toBe(200);
    expect(s.phase).toBe('queued');
    expect(s.send()).toEqual({ request: 'initial', expires: 3600, callId: 'call2', cseq: 1 });
  });

  test.each(['probation', 'giveup', '', 'unheard-of'])('terminated;%s: after retry-after', (reason) => {
    const s = Driver.established().after(10 * MINUTE);
    s.notify('terminated', { reason, retryAfter: 30 });
    expect([s.phase, s.wait, s.state.callId]).toEqual(['waiting', 30_000, '']);
    s.after(10_000).subscribe('impatient');
    expect([s.phase, s.results['impatient']]).toEqual(['waiting', expect.objectContaining({ retrying: true })]);
  });

  test('those that are sent away together come back one after the other, also when their owners ask', () => {
    const s = Driver.established().after(10 * MINUTE);
    s.chance = 0.5;
    s.notify('terminated', { reason: 'probation', retryAfter: 600 });
    expect(s.wait).toBe(630_000);
    s.after(200_000).subscribe('impatient');
    expect(s.wait).toBe(420_000);
  });

  test.each(['probation', 'giveup', '', 'unheard-of'])('terminated;%s without retry-after: back-off', (reason) => {
    const s = Driver.established().after(10 * MINUTE);
    s.notify('terminated', { reason });
    expect([s.phase, s.wait]).toEqual(['waiting', 1_000]);
  });

  test.each(['rejected', 'noresource', 'invariant', 'badfilter'])('terminated;%s: ended, told', (reason) => {
    const s = Driver.established();
    expect(s.notify('terminated', { reason, retryAfter: 5 })).toBe(200);
    expect([s.phase, s.events]).toEqual(['ended', ['terminated']]);
  });

  test('ended by the notifier while a request of the owner waits: it is told', () => {
    const s = Driver.established().subscribe('b');
    s.notify('terminated', { reason: 'rejected' });
    expect(s.results['b']).toMatchObject({ outcome: 'rejected', reason: 'terminated: rejected', retrying: false });
  });

  test('a first NOTIFY with terminated makes no dialog', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.notify('terminated', { reason: 'noresource' });
    s.answer(200, { expires: 3600 });
    expect([s.phase, s.events]).toEqual(['ended', ['terminated']]);
  });

  /*
   *   NOTIFY terminated;reason=deactivated at once after every 2xx
   */
  test('a notifier that ends every subscription at once is not flooded', () => {
    const s = Driver.established();
    s.chance = 0.9;
    const from = s.now;
    let dialogs = 0;
    while (s.now - from < 10 * MINUTE && dialogs < 100) {
      s.notify('terminated', { reason: 'deactivated' });
      while (s.phase === 'waiting') s.timer();
      s.send();
      dialogs++;
      s.answer(200, { expires: 3600 });
    }
    expect(dialogs).toBeLessThan(15);
  });

  test.each(['probation', 'giveup', ''])('nor is one that gives %j as the reason', (reason) => {
    const s = Driver.established();
    s.chance = 0.9;
    const from = s.now;
    let dialogs = 0;
    while (s.now - from < 10 * MINUTE && dialogs < 100) {
      s.notify('terminated', { reason, retryAfter: 0 });
      while (s.phase === 'waiting') s.timer();
      s.send();
      dialogs++;
      s.answer(200, { expires: 3600 });
    }
    expect(dialogs).toBeLessThan(15);
  });

  test('one that ends a subscription once a day is answered at once every time', () => {
    const s = Driver.established({}, 100_000);
    for (let n = 0; n < 5; n++) {
      s.after(24 * HOUR).notify('terminated', { reason: 'timeout' });
      expect(s.phase).toBe('queued');
      s.send();
      s.answer(200, { expires: 100_000 }).notify('active');
    }
  });

  /*
   *   (waits for its slot)     NOTIFY terminated;retry-after=30 <-     (slot)
   */
  test('retry-after counts for a request that waits for its slot already', () => {
    const s = Driver.established().timer();
    s.notify('terminated', { reason: 'probation', retryAfter: 30 });
    const slot = s.phase === 'queued' ? s.send() : undefined;
    expect([slot, s.phase, s.wait]).toEqual([undefined, 'waiting', 30_000]);
  });

  test('terminated while a refresh waits for its slot: it becomes a new dialog', () => {
    const s = Driver.established()
      .after(10 * MINUTE)
      .subscribe('b');
    s.notify('terminated', { reason: 'deactivated' });
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
    s.answer(200, { expires: 3600 });
    expect(s.results['b']).toEqual(accepted());
  });

  test('terminated while a refresh is on the wire: decided at its answer', () => {
    const s = Driver.established().timer();
    s.send();
    expect(s.notify('terminated', { reason: 'timeout' })).toBe(200);
    expect(s.phase).toBe('refreshing');
    s.answer(481);
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
  });
});

describe('answers', () => {
  /*
   *   SUBSCRIBE (dialog) ->   481 <-   SUBSCRIBE (new Call-ID, new tag) ->
   */
  test('481 to a refresh: a new dialog at once; again soon: back-off', () => {
    const s = Driver.established().timer();
    s.send();
    s.answer(481);
    expect(s.send()).toEqual({ request: 'initial', expires: 3600, callId: 'call2', cseq: 1 });
    s.answer(200, { expires: 3600 }).notify('active', { cseq: 1 });
    s.subscribe('b').send();
    s.answer(481);
    expect([s.phase, s.wait]).toEqual(['waiting', 1_000]);
  });

  test('481 to the first SUBSCRIBE: back-off', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.answer(481);
    expect([s.phase, s.wait]).toEqual(['waiting', 1_000]);
    expect(s.results['a']).toMatchObject({ outcome: 'rejected', status: 481, retrying: true });
  });

  test.each([404, 405, 410, 416, 480, 482, 483, 484, 485, 489, 501, 604])(
    '%i to a refresh: the subscription is over, the next try is a new one',
    (status) => {
      const s = Driver.established().timer();
      s.send();
      s.answer(status);
      expect(s.state).toMatchObject({ callId: '', remoteTag: '', localTag: '' });
      expect(s.notify('active')).toBe(481);
      const parked = [405, 489, 501].includes(status);
      expect(s.phase).toBe(parked ? 'parked' : 'waiting');
      if (parked) s.subscribe('b');
      else s.timer();
      expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2', cseq: 1 });
    },
  );

  test.each([403, 408, 413, 420, 423, 486, 491, 500, 503, 600, 603, 401])(
    '%i to a refresh leaves the dialog until its expiry',
    (status) => {
      const s = Driver.established().timer();
      s.send();
      s.answer(status);
      expect(s.state).toMatchObject({ phase: 'waiting', callId: 'call1', remoteTag: 'remote' });
      s.subscribe('b');
      expect(s.send()).toMatchObject({ request: 'refresh', callId: 'call1', cseq: 3 });
      s.answer(200, { expires: 3600 });
    },
  );

  test('silence to a refresh: tried again in the dialog, after its expiry in a new one', () => {
    const s = Driver.established().timer();
    s.send();
    s.answer(silence()).timer();
    expect(s.send()).toMatchObject({ request: 'refresh', callId: 'call1' });
    s.answer(silence()).after(HOUR).timer();
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
  });

  /*
   *   SUBSCRIBE Expires: 60 ->   423 Min-Expires: 600 <-   SUBSCRIBE Expires: 600 ->
   */
  test('423: retried at once and remembered, above the maximum: long retry', () => {
    const s = new Driver().subscribe('a', { expires: 60 });
    s.send();
    s.answer(423, { minExpires: 600 });
    expect(s.send()).toMatchObject({ request: 'initial', expires: 600 });
    s.answer(423, { minExpires: 100_000 });
    expect([s.phase, s.state.minExpires]).toEqual(['waiting', 600]);
    expect(s.results['a']).toMatchObject({ status: 423, retrying: true });
  });

  describe('what an answer or a NOTIFY says for later counts whatever becomes of its request', () => {
    /*
     *   SUBSCRIBE ->   NOTIFY terminated;reason=deactivated <-   603 Retry-After: 30 <-   (30 s)   SUBSCRIBE ->
     */
    test('Retry-After of an answer to a dialog that has ended meanwhile', () => {
      const s = Driver.established()
        .after(10 * MINUTE)
        .subscribe('b');
      s.send();
      s.notify('terminated', { reason: 'deactivated' });
      s.answer(603, { retryAfter: 30 });
      expect([s.phase, s.wait]).toEqual(['waiting', 30_000]);
    });

    test('Min-Expires of such an answer', () => {
      const s = Driver.established({ expires: 600 }, 600)
        .after(5 * MINUTE)
        .subscribe('b', { expires: 60 });
      s.send();
      s.notify('terminated', { reason: 'deactivated' });
      s.answer(423, { minExpires: 90 });
      expect(s.send()).toMatchObject({ request: 'initial', expires: 90 });
    });

    /*
     *   SUBSCRIBE 0 ->   404 Retry-After: 30 <-   (30 s)   SUBSCRIBE ->     what was asked for after the end
     */
    test('Retry-After of an answer to an unsubscribe', () => {
      const s = Driver.established().unsubscribe('b');
      s.send();
      s.subscribe('c').answer(404, { retryAfter: 30 });
      expect([s.phase, s.wait]).toEqual(['waiting', 30_000]);
    });

    test.each([
      ['on the wire', false],
      ['answered', true],
    ])('retry-after of a NOTIFY while the unsubscribe is %s', (_where, answered) => {
      const s = Driver.established().unsubscribe('b');
      s.send();
      if (answered) s.answer(200);
      s.subscribe('c').notify('terminated', { reason: 'giveup', retryAfter: 30 });
      if (!answered) s.answer(200);
      expect([s.phase, s.wait]).toEqual(['waiting', 30_000]);
    });

    test('Min-Expires of an answer that finds an end and a new beginning', () => {
      const s = new Driver().subscribe('a', { expires: 60 });
      s.send();
      s.unsubscribe('b').subscribe('c', { expires: 60 }).answer(423, { minExpires: 90 });
      expect(s.send()).toMatchObject({ request: 'initial', expires: 90 });
    });
  });

  test('415: parked, the dialog of a refresh stays until its end', () => {
    const s = Driver.established().timer();
    s.send();
    s.answer(415);
    expect([s.phase, s.state.callId]).toEqual(['parked', 'call1']);
    expect(s.notify('active')).toBe(200);
    expect(s.phase).toBe('parked');
  });
});

describe('one request at a time', () => {
  test('what comes while a request is on the wire waits, the newest of it', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.subscribe('b', { expires: 600 }).subscribe('c', { expires: 1200 });
    s.answer(200, { expires: 3600 });
    expect(s.results).toEqual({ a: accepted(), b: { outcome: 'superseded' } });
    expect(s.send()).toMatchObject({ request: 'refresh', expires: 1200 });
  });

  /*
   *   SUBSCRIBE ->   (unsubscribe)   200 <-   SUBSCRIBE 0 ->
   */
  test('unsubscribing a provisional dialog waits for the 2xx', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.unsubscribe('end');
    expect(s.phase).toBe('subscribing');
    s.answer(200, { expires: 3600 });
    expect(s.send()).toMatchObject({ request: 'unsubscribe', callId: 'call1', cseq: 2 });
  });

  test('... and the SUBSCRIBE that is refused ends it', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.unsubscribe('end').answer(403);
    expect([s.phase, s.results['end']]).toEqual(['ended', { outcome: 'nothing-to-do' }]);
  });

  test('INSERT ends the dialog and opens a new one', () => {
    const s = Driver.established().subscribe('new', { insert: true });
    expect(s.send()).toMatchObject({ request: 'unsubscribe', callId: 'call1' });
    s.answer(200).notify('terminated');
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
    s.answer(200, { expires: 3600 });
    expect(s.results['new']).toEqual(accepted());
  });

  test('a subscription after an end is opened once it is done', () => {
    const s = Driver.established().unsubscribe('end');
    s.send();
    s.subscribe('new').answer(200);
    expect(s.phase).toBe('closing');
    s.timer();
    expect(s.send()).toMatchObject({ request: 'initial' });
  });
});

describe('unsubscribe', () => {
  const closing = () => {
    const s = Driver.established().unsubscribe('end');
    s.send();
    return s.answer(200);
  };

  test('complete at the NOTIFY, whatever reason it gives: no new subscription', () => {
    const s = closing();
    expect(s.notify('terminated', { reason: 'timeout' })).toBe(200);
    expect(s.phase).toBe('ended');
  });

  test('a NOTIFY that is no end is accepted until then', () => {
    const s = closing();
    expect(s.notify('active')).toBe(200);
    expect(s.phase).toBe('closing');
  });

  test('complete 64*T1 after it was sent', () => {
    const s = Driver.established().unsubscribe('end');
    const sentAt = s.now;
    s.send();
    s.after(5_000).answer(200).timer();
    expect([s.phase, s.now - sentAt]).toEqual(['ended', TIMER_N]);
  });

  test.each([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604, 412])('complete at a %i', (status) => {
    const s = Driver.established().unsubscribe('end');
    s.send();
    s.answer(status);
    expect([s.phase, s.results['end']]).toEqual(['ended', accepted(0, status)]);
  });

  test('complete when nobody answered for 64*T1', () => {
    const s = Driver.established().unsubscribe('end');
    s.send();
    s.answer(silence());
    expect([s.phase, s.results['end']]).toEqual(['ended', expect.objectContaining({ outcome: 'unreachable' })]);
  });

  test('the NOTIFY may come before the answer', () => {
    const s = Driver.established().unsubscribe('end');
    s.send();
    s.notify('terminated');
    expect(s.phase).toBe('unsubscribing');
    s.answer(200);
    expect(s.phase).toBe('ended');
  });

  test.each([403, 500, 401])('%i: tried again until the lifetime has passed', (status) => {
    const s = Driver.established().unsubscribe('end');
    s.send();
    s.answer(status);
    expect([s.phase, s.results['end']]).toEqual(['waiting', expect.objectContaining({ status, retrying: true })]);
    s.timer();
    if ((s.phase as string) === 'queued') s.send();
    if ((s.phase as string) === 'unsubscribing') s.answer(status).after(HOUR).timer();
    expect([s.phase, s.events]).toEqual(['ended', ['lapsed']]);
  });

  test.each(['NOTIFY', 'timer'])('asked for again while it closes: that is told too, at the %s', (what) => {
    const s = closing().unsubscribe('again');
    if (what === 'timer') s.timer();
    else s.notify('terminated');
    expect(s.results['again']).toEqual({ outcome: 'nothing-to-do' });
  });
});

describe('Timer N', () => {
  /*
   *   SUBSCRIBE ->   200 <-   ... 32 s without NOTIFY ...   SUBSCRIBE 0 ->   200 <-   ... SUBSCRIBE (new) ->
   */
  test('no NOTIFY: Expires 0 in the dialog, then a new one under back-off', () => {
    const s = new Driver().subscribe('a');
    const sentAt = s.now;
    s.send();
    s.answer(200, { expires: 3600 });
    s.timer();
    expect(s.now - sentAt).toBe(TIMER_N);
    expect(s.send()).toMatchObject({ request: 'unsubscribe', expires: 0, callId: 'call1', cseq: 2 });
    s.answer(200).timer();
    expect([s.phase, s.wait]).toEqual(['waiting', 1_000]);
    s.timer();
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2', cseq: 1 });
  });

  test('a request of the owner that comes meanwhile is told of the new dialog', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.answer(200, { expires: 3600 }).timer();
    s.send();
    s.subscribe('b').answer(200).timer();
    expect(s.results['b']).toBeUndefined();
    s.timer().send();
    s.answer(200, { expires: 3600 });
    expect(s.results['b']).toEqual(accepted());
  });

  test('a NOTIFY stops it', () => {
    const s = Driver.established();
    expect(s.wait).toBe(45 * MINUTE);
  });

  test('so does a 204, after which none comes (RFC 5839)', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.answer(204, { expires: 3600 });
    expect(s.wait).toBe(45 * MINUTE);
  });

  test('a refresh without NOTIFY keeps the subscription, with a warning (deployed notifiers send none)', () => {
    const s = Driver.established().timer();
    const sentAt = s.now;
    s.send();
    s.answer(200, { expires: 3600 }).timer();
    expect([s.phase, s.events, s.now - sentAt]).toEqual(['subscribed', ['without-notify'], TIMER_N]);
    s.timer();
    expect([s.phase, s.now - sentAt]).toEqual(['queued', 45 * MINUTE]);
  });

  /*
   *   SUBSCRIBE (refresh) ->   200 <-   (no NOTIFY for 64*T1)   SUBSCRIBE Expires: 0 ->   200 <-   SUBSCRIBE (new) ->
   */
  test('... with strictTimerN it ends the dialog, as the RFC wants it', () => {
    const s = Driver.established();
    s.policy = { ...s.policy, strictTimerN: true };
    s.timer().send();
    s.answer(200, { expires: 3600 }).timer();
    expect(s.send()).toMatchObject({ request: 'unsubscribe', expires: 0, callId: 'call1', cseq: 3 });
    s.answer(200).notify('terminated');
    expect([s.phase, s.wait, s.events]).toEqual(['waiting', 1_000, ['without-notify']]);
    s.timer();
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
  });

  test.each([
    ['that overtook the 2xx', (s: Driver) => s.notify('active'), () => {}],
    ['that follows it', () => {}, (s: Driver) => s.notify('active')],
  ])('a NOTIFY %s is enough', (_name, before, after) => {
    const s = Driver.established().timer();
    s.send();
    before(s);
    s.answer(200, { expires: 3600 });
    after(s);
    expect([s.wait, s.events]).toEqual([45 * MINUTE, []]);
  });

  test('none is owed after a refresh that was refused, nor after a 204', () => {
    const s = Driver.established().timer();
    s.send();
    s.answer(500).timer();
    s.send();
    s.answer(204, { expires: 3600 });
    expect([s.wait, s.events]).toEqual([45 * MINUTE, []]);
  });

  test('runs for a dialog that was restored before its NOTIFY came, too', () => {
    const s = Driver.established();
    s.state = Object.assign(s.state.copy(), { confirmed: false });
    s.timer().send();
    s.answer(200, { expires: 3600 }).timer();
    expect([s.phase, s.events]).toEqual(['queued', ['without-notify']]);
    expect(s.send()).toMatchObject({ request: 'unsubscribe' });
  });

  test('a refresh of the owner does not put off the first one', () => {
    const s = new Driver().subscribe('a');
    s.send();
    s.answer(200, { expires: 3600 }).after(20_000).subscribe('b').send();
    s.answer(200, { expires: 3600 });
    expect(s.wait).toBe(12_000);
  });
});

describe('a NOTIFY that overtakes the 2xx of a refresh', () => {
  const overtaken = (expires: number | undefined, granted: number) => {
    const s = Driver.established().timer();
    s.send();
    s.notify('active', { expires });
    return s.answer(200, { expires: granted });
  };

  test('may shorten what it grants', () => {
    const s = overtaken(600, 3600);
    expect([s.state.expiresAt - s.now, s.wait]).toEqual([600_000, 450_000]);
  });

  test('does not lengthen it', () => {
    expect(overtaken(7200, 3600).state.expiresAt).toBe(10_000 + 45 * MINUTE + HOUR);
  });

  test('says nothing when it names no time', () => {
    expect(overtaken(undefined, 3600).wait).toBe(45 * MINUTE);
  });

  test('when the 2xx is lost, its lifetime counts, up to what was asked', () => {
    const s = Driver.established().timer();
    s.send();
    s.notify('active', { expires: 7200 });
    s.answer(silence());
    expect(s.state.expiresAt - s.now).toBe(HOUR);
  });
});

describe('a dialog whose NOTIFYs the engine gets no more', () => {
  const unbound = { kind: 'unbound' } as const;

  /*
   *   SUBSCRIBE Expires: 0 ->     200 <-     SUBSCRIBE (new Call-ID, new tag) ->         no NOTIFY is waited for
   */
  test('is ended and replaced at once', () => {
    const s = Driver.established().input(unbound);
    expect(s.send()).toEqual({ request: 'unsubscribe', expires: 0, callId: 'call1', cseq: 2 });
    s.answer(200);
    expect(s.send()).toEqual({ request: 'initial', expires: 3600, callId: 'call2', cseq: 1 });
    s.answer(200, { expires: 3600, binding: 'new' });
    expect([s.phase, s.state.binding, s.state.deaf]).toEqual(['subscribed', 'new', false]);
  });

  test('while its refresh is on the wire: after it', () => {
    const s = Driver.established().timer();
    s.send();
    s.input(unbound).answer(200, { expires: 3600 });
    expect(s.send()).toMatchObject({ request: 'unsubscribe' });
  });

  test('unless that refresh has bound it anew', () => {
    const s = Driver.established().timer();
    s.send();
    s.input(unbound).answer(200, { expires: 3600, binding: 'new' });
    expect([s.phase, s.state.renew]).toEqual(['subscribed', false]);
  });

  test('that a refresh has found to be so', () => {
    const s = Driver.established().timer();
    s.send();
    s.answer(200, { expires: 3600, binding: null });
    expect(s.send()).toMatchObject({ request: 'unsubscribe', callId: 'call1' });
    s.answer(200);
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
  });

  test.each([403, 500, 401, 423])('a %i to its end does not keep it from being replaced', (status) => {
    const s = Driver.established().input(unbound);
    s.send();
    s.answer(status);
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
  });

  test('... nor does a Retry-After, which holds back the new one', () => {
    const s = Driver.established().input(unbound);
    s.send();
    s.answer(500, { retryAfter: 30 });
    expect([s.phase, s.wait, s.state.callId]).toEqual(['waiting', 30_000, '']);
  });

  test('the end that is not answered now is tried again, then it is replaced', () => {
    const s = Driver.established().input(unbound);
    s.send();
    s.answer(silence(false)).timer();
    expect(s.send()).toMatchObject({ request: 'unsubscribe' });
    s.answer(481);
    expect(s.send()).toMatchObject({ request: 'initial', callId: 'call2' });
  });

  test('being ended by its owner it is over with the 2xx', () => {
    const s = Driver.established().unsubscribe('end');
    s.send();
    s.input(unbound).answer(200);
    expect([s.phase, s.results['end']]).toEqual(['ended', accepted(0)]);
    const closing = Driver.established().unsubscribe('end');
    closing.send();
    closing.answer(200).input(unbound);
    expect(closing.phase).toBe('ended');
  });

  test('a fork is ended, not replaced', () => {
    const first = Driver.established();
    const s = new Driver(forkOf(first.state, 'fork', { now: first.now, random: () => 0, policy: first.policy }));
    s.notify('active', { fromTag: 'fork' });
    s.input(unbound).send();
    s.answer(200);
    expect(s.phase).toBe('ended');
  });
});

describe('a fork', () => {
  /** As the shell makes it when a NOTIFY of another notifier comes. */
  const fork = (expires = 3600) => {
    const first = Driver.established({}, expires);
    const s = new Driver(forkOf(first.state, 'fork', { now: first.now, random: () => 0, policy: first.policy }));
    const notify = (state: 'active' | 'terminated', more: object = {}) => s.notify(state, { fromTag: 'fork', ...more });
    return { s, notify };
  };

  test('has the lifetime of the SUBSCRIBE, or less, and its own route set and target', () => {
    const { s, notify } = fork();
    expect(notify('active', { contact: 'sip:other@10.0.0.8', recordRoute: ['<sip:p;lr>'], expires: 600 })).toBe(200);
    expect([s.phase, s.state.remoteTarget, s.state.routeSet]).toEqual([
      'subscribed',
      'sip:other@10.0.0.8',
      ['<sip:p;lr>'],
    ]);
    expect(s.state.expiresAt - s.now).toBe(600_000);
    s.timer();
    expect(s.send()).toMatchObject({ request: 'refresh', expires: 3600, callId: 'call1', cseq: 2 });
  });

  test.each(['deactivated', 'timeout', 'probation', 'giveup', 'rejected', 'noresource', ''])(
    'ends with its dialog (%s), whatever the reason',
    (reason) => {
      const { s, notify } = fork();
      notify('active');
      notify('terminated', { reason });
      expect([s.phase, s.events]).toEqual(['ended', ['terminated']]);
    },
  );

  test.each([404, 481, 489])('ends when its refresh is answered %i', (status) => {
    const { s, notify } = fork();
    notify('active');
    s.timer().send();
    s.answer(status);
    expect([s.phase, s.events]).toEqual(['ended', ['terminated']]);
  });

  test('keeps its dialog through other failures, until its lifetime is over', () => {
    const { s, notify } = fork();
    notify('active');
    s.timer().send();
    s.answer(503);
    expect(s.phase).toBe('waiting');
    s.after(HOUR).input({ kind: 'timer' });
    expect(s.send()).toBeUndefined();
    expect([s.phase, s.events]).toEqual(['ended', ['lapsed']]);
  });

  test.each([406, 415, 513])('a %i to its refresh leaves it as it is, until its lifetime is over', (status) => {
    const { s, notify } = fork();
    notify('active');
    s.timer().send();
    s.answer(status);
    expect(s.phase).toBe('parked');
    const { expiresAt } = s.state;
    s.timer();
    expect([s.phase, s.events, s.now]).toEqual(['ended', ['lapsed'], expiresAt]);
  });

  test('is unsubscribed like any other', () => {
    const { s, notify } = fork();
    notify('active');
    s.unsubscribe('end').send();
    s.answer(200);
    notify('terminated');
    expect([s.phase, s.results['end']]).toEqual(['ended', accepted(0)]);
  });
});

describe('fetch', () => {
  /*
   *   SUBSCRIBE Expires: 0 ->   200 <-   NOTIFY terminated;reason=timeout <-   200 ->
   */
  test('one NOTIFY, nothing is kept', () => {
    const s = new Driver().subscribe('a', { fetch: true });
    expect(s.send()).toMatchObject({ request: 'fetch', expires: 0 });
    s.answer(200, { expires: 0 });
    expect([s.phase, s.results['a']]).toEqual(['closing', accepted(0)]);
    expect(s.notify('terminated', { reason: 'timeout' })).toBe(200);
    expect(s.phase).toBe('ended');
  });

  test('the NOTIFY may be first', () => {
    const s = new Driver().subscribe('a', { fetch: true });
    s.send();
    s.notify('terminated', { reason: 'timeout' });
    s.answer(200);
    expect([s.phase, s.results['a']]).toEqual(['ended', accepted(0)]);
  });

  test.each([
    ['refused', 403],
    ['unanswered', silence()],
    ['not even sent', silence(false)],
  ] as const)('%s: told, not tried again', (_name, answer) => {
    const s = new Driver().subscribe('a', { fetch: true });
    if (typeof answer === 'number' || (answer.kind === 'unreachable' && answer.sent)) s.send();
    s.answer(answer);
    expect([s.phase, s.results['a']]).toEqual(['ended', expect.objectContaining({ retrying: false })]);
  });

  test('a notifier that calls it active is heard, and forgotten all the same', () => {
    const s = new Driver().subscribe('a', { fetch: true });
    s.send();
    s.notify('active', { expires: 0 });
    s.answer(200);
    expect(s.phase).toBe('closing');
    s.timer();
    expect([s.phase, s.now]).toEqual(['ended', 10_000 + TIMER_N]);
  });

  test('no NOTIFY within 64*T1: forgotten', () => {
    const s = new Driver().subscribe('a', { fetch: true });
    s.send();
    s.answer(200).timer();
    expect([s.phase, s.now]).toEqual(['ended', 10_000 + TIMER_N]);
  });
});

describe('restored without having been answered', () => {
  test('a NOTIFY that comes late establishes it for as long as was asked', () => {
    const state = Object.assign(new Subscription(), {
      phase: 'waiting',
      callId: 'call1',
      localTag: 'local1',
      cseq: 1,
      wish: 1,
      sentAt: 10_000,
      deadline: 10_000,
    });
    const s = new Driver(state);
    expect(s.notify('active', { expires: 600 })).toBe(200);
    expect([s.phase, s.state.expiresAt - s.now]).toEqual(['subscribed', 600_000]);
  });
});
