/** However posts of several senders run into each other, and whichever of them come twice: the state in the end is the same. */
import type { Binding, BindingEvent, DialogEvent } from '@pua/core';
import { dialogWebhook, registrationWebhook } from '@pua/sources';
import fc from 'fast-check';
import { type Bench, bench, call, START } from './support';

/** Events of all keys, shuffled, every one at least once, cut into posts. */
const posts = <T>(entries: readonly T[]) =>
  fc
    .array(fc.constantFrom(...entries), { maxLength: 15 })
    .chain((again) => fc.shuffledSubarray([...entries, ...again], { minLength: entries.length + again.length }))
    .chain((shuffled) =>
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: shuffled.length }).map((sizes) => {
        const cut: T[][] = [];
        for (let at = 0, i = 0; at < shuffled.length; at += sizes[i++]!) cut.push(shuffled.slice(at, at + sizes[i]!));
        return cut;
      }),
    );

const numbered = <E extends object>(events: readonly E[]) => events.map((event, sequence) => ({ ...event, sequence }));

let b: Bench;
let round = 0;
const states = new Map<string, string>();
beforeAll(async () => {
  const calls = dialogWebhook();
  // Slower listeners must not change the order either.
  calls.onEvent(async ({ dialog }) => {
    await Promise.resolve();
    states.set(dialog.key, dialog.state);
  });
  const registrations = registrationWebhook();
  registrations.onEvent(async ({ kind, binding }) => {
    await Promise.resolve();
    states.set(binding.aor, kind === 'delete' ? 'none' : String(binding.cseq));
  });
  b = await bench([calls, registrations]);
});
afterAll(() => b.stop());

test('calls', async () => {
  const life = (key: string): (DialogEvent & { sequence: number })[] =>
    numbered([
      call('trying', { key }),
      call('early', { key }),
      call('confirmed', { key }),
      call('terminated', { key }),
    ]);
  await fc.assert(
    fc.asyncProperty(posts(['a', 'b', 'c'].flatMap(life)), async (given) => {
      round++;
      const own = (event: DialogEvent) => ({
        ...event,
        dialog: { ...event.dialog, key: `${event.dialog.key}${round}` },
      });
      const answers = await Promise.all(given.map((entries) => b.post('/events/dialogs', entries.map(own))));
      const counts = answers.map(({ json }) => json.accepted + json.duplicates + json.stale);
      expect(counts).toEqual(given.map(({ length }) => length));
      expect(['a', 'b', 'c'].map((key) => states.get(`${key}${round}`))).toEqual(Array(3).fill('terminated'));
    }),
    { numRuns: 30, seed: 4 },
  );
});

test('registrations', async () => {
  const life = (aor: string): (BindingEvent & { sequence: number })[] => {
    const binding: Binding = {
      aor,
      bindingId: 'u',
      contact: 'sip:a@x',
      expiresAt: START + 600_000,
      callId: 'c',
      cseq: 1,
    };
    return numbered([
      { kind: 'insert', binding },
      { kind: 'update', binding: { ...binding, cseq: 2 } },
      { kind: 'delete', binding: { ...binding, cseq: 2 } },
      { kind: 'insert', binding: { ...binding, cseq: 3 } },
      { kind: 'update', binding: { ...binding, callId: 'd', cseq: 1 } },
      ...(aor === 'gone' ? [{ kind: 'delete' as const, binding: { ...binding, callId: 'd', cseq: 1 } }] : []),
    ]);
  };
  await fc.assert(
    fc.asyncProperty(posts(['here', 'gone'].flatMap(life)), async (given) => {
      round++;
      const own = (event: BindingEvent) => ({
        ...event,
        binding: { ...event.binding, aor: `${event.binding.aor}${round}` },
      });
      await Promise.all(given.map((entries) => b.post('/events/registrations', entries.map(own))));
      expect([states.get(`here${round}`), states.get(`gone${round}`)]).toEqual(['1', 'none']);
    }),
    { numRuns: 30, seed: 4 },
  );
});
