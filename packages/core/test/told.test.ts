/**
 * Whoever waits for a request is told once and once only, whatever comes in which order: random walks through both
 * machines, which are ended in the end. And what a step was given stays as it was.
 */
import * as fc from 'fast-check';
import { PublicationDriver, SubscriptionDriver, silence } from './support/machines';

const status = fc.constantFrom(200, 200, 200, 302, 401, 403, 404, 412, 415, 423, 481, 489, 491, 500, 503);
const more = fc.record({
  expires: fc.constantFrom(undefined, 0, 60, 3600),
  minExpires: fc.constantFrom(undefined, 600, 100_000),
  retryAfter: fc.constantFrom(undefined, 0, 30),
});
const lifetime = fc.constantFrom(-1, -1, 30, 3600);
const common = {
  lifetime,
  insert: fc.boolean(),
  chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
  ms: fc.constantFrom(0, 0, 100, 20_000, 3_600_000),
  answer: fc.oneof({ weight: 5, arbitrary: status }, { weight: 1, arbitrary: fc.constantFrom('silence', 'no route') }),
  more,
};

const step = (kinds: string[]) =>
  fc.array(fc.record({ kind: fc.constantFrom(...kinds), ...common }), { maxLength: 40 });

const BUSY = ['publishing', 'modifying', 'refreshing', 'removing', 'subscribing', 'unsubscribing'];
/** More with PUA_RUNS=20000. */
const NUM_RUNS = Number(process.env['PUA_RUNS'] ?? 300);

test('publications', () => {
  fc.assert(
    fc.property(step(['publish', 'publish', 'unpublish', 'answer', 'answer', 'answer', 'timer']), (steps) => {
      const p = new PublicationDriver();
      let asked = 0;
      for (const { kind, lifetime: expires, insert, chance, ms, answer, more } of steps) {
        if (p.phase === 'ended') break;
        p.chance = chance;
        p.after(ms);
        const before = structuredClone(p.state);
        const given = p.state;
        if (kind === 'publish') p.publish(`op${asked++}`, { expires, insert, body: asked % 4 ? `body${asked}` : null });
        else if (kind === 'unpublish') p.unpublish(`op${asked++}`);
        else if (kind === 'timer' && Number.isFinite(p.state.deadline)) p.timer();
        else if (kind === 'answer' && p.phase === 'queued' && answer === 'no route') p.answer(silence(false));
        else if (kind === 'answer' && p.phase === 'queued') p.input({ kind: 'slot' });
        else if (kind === 'answer' && BUSY.includes(p.phase))
          p.answer(typeof answer === 'number' ? answer : silence(answer === 'silence'), {
            ...more,
            etag: answer === 200 ? `e${asked}` : '',
          } as never);
        expect(structuredClone(given)).toEqual(before);
      }
      // The end: no owner asks any more, the server says yes to everything.
      if (p.phase !== 'ended') p.unpublish(`op${asked++}`);
      for (let i = 0; i < 30 && p.phase !== 'ended'; i++) {
        if (p.phase === 'queued') p.input({ kind: 'slot' });
        else if (BUSY.includes(p.phase)) p.answer(200, { etag: 'e', expires: 3600 });
        else p.timer();
      }
      expect(p.phase).toBe('ended');
      expect([Object.keys(p.results).length, p.told]).toEqual([asked, []]);
    }),
    { numRuns: NUM_RUNS },
  );
});

test('subscriptions', () => {
  const kinds = ['subscribe', 'subscribe', 'unsubscribe', 'answer', 'answer', 'answer', 'notify', 'notify', 'timer'];
  const notes = fc.array(
    fc.record({
      state: fc.constantFrom('active', 'pending', 'terminated', 'terminated'),
      reason: fc.constantFrom('', 'deactivated', 'timeout', 'probation', 'rejected'),
      retryAfter: fc.constantFrom(undefined, 0, 30),
      expires: fc.constantFrom(undefined, 0, 60, 3600),
      fromTag: fc.constantFrom('remote', 'remote', 'fork'),
    }),
    { minLength: 1, maxLength: 10 },
  );
  fc.assert(
    fc.property(step(kinds), notes, fc.boolean(), (steps, notifies, fetch) => {
      const s = new SubscriptionDriver();
      let asked = 0;
      let notified = 0;
      for (const { kind, lifetime: expires, insert, chance, ms, answer, more } of steps) {
        if (s.phase === 'ended') break;
        s.chance = chance;
        s.after(ms);
        const before = structuredClone(s.state);
        const given = s.state;
        // A fetch has a record of its own: its owner asks nothing else.
        const mayAsk = s.phase === 'absent' || !fetch;
        if (kind === 'subscribe' && mayAsk) s.subscribe(`op${asked++}`, { expires, insert, fetch });
        else if (kind === 'unsubscribe' && mayAsk) s.unsubscribe(`op${asked++}`);
        else if (kind === 'timer' && Number.isFinite(s.state.deadline)) s.timer();
        else if (kind === 'notify' && s.phase !== 'absent')
          s.notify(...asNotify(notifies[notified++ % notifies.length]!));
        else if (kind === 'answer' && s.phase === 'queued' && answer === 'no route') s.answer(silence(false));
        else if (kind === 'answer' && s.phase === 'queued') s.send();
        else if (kind === 'answer' && BUSY.includes(s.phase))
          s.answer(typeof answer === 'number' ? answer : silence(answer === 'silence'), more as never);
        expect(structuredClone(given)).toEqual(before);
      }
      if (s.phase !== 'ended' && !(fetch && s.phase !== 'absent')) s.unsubscribe(`op${asked++}`);
      for (let i = 0; i < 30 && s.phase !== 'ended'; i++) {
        if (s.phase === 'queued') s.send();
        else if (BUSY.includes(s.phase)) s.answer(200, { expires: 3600 });
        else s.timer();
      }
      expect(s.phase).toBe('ended');
      expect([Object.keys(s.results).length, s.told]).toEqual([asked, []]);
    }),
    { numRuns: NUM_RUNS },
  );
});

function asNotify({ state, ...rest }: { state: string; reason: string; retryAfter: number | undefined }) {
  return [state as 'active', rest as { reason: string; retryAfter: number }] as const;
}
