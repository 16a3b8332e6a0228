/** When polls happen. */
import { channels } from '@pua/core';
import { SimClock, settle } from '@pua/testkit';
import { Polling } from '../../dist/tables/polling.js';

/** Polls that end when the test says so. */
function scene() {
  const clock = new SimClock();
  const ends: { resolve(): void; reject(error: Error): void }[] = [];
  const started: number[] = [];
  const polling = new Polling('tables', clock, 1000, () => {
    started.push(clock.now());
    return new Promise((resolve, reject) => ends.push({ resolve, reject }));
  });
  polling.start();
  const faults: unknown[] = [];
  const listener = (message: unknown) => void faults.push(message);
  channels.fault.subscribe(listener);
  afterThis.push(() => channels.fault.unsubscribe(listener));
  return { clock, ends, started, polling, faults };
}
const afterThis: (() => void)[] = [];
afterEach(() => {
  for (const run of afterThis.splice(0)) run();
});

test('the next poll starts when the one before has ended and the interval is over', async () => {
  const { clock, ends, started } = scene();
  await clock.advanceAsync(5_000);
  expect(started).toEqual([1000]);
  ends[0]!.resolve();
  await clock.advanceAsync(999);
  expect(started).toEqual([1000]);
  await clock.advanceAsync(1);
  expect(started).toEqual([1000, 6000]);
});

test('failures: less and less often up to 30 s, told once until one has worked', async () => {
  const { clock, started, ends, faults } = scene();
  for (let i = 0; i < 8; i++) {
    await clock.runUntil(() => started.length === i + 1, 60_000);
    ends[i]!.reject(new Error('away'));
    await settle();
  }
  const waits = started.slice(1).map((at, i) => at - started[i]!);
  expect(waits).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatchObject({ where: 'tables: a poll failed, what was known is kept' });
  await clock.runUntil(() => started.length === 9, 60_000);
  ends[8]!.resolve();
  await settle();
  await clock.advanceAsync(1000);
  expect(started.length).toBe(10);
  ends[9]!.reject(new Error('away'));
  await settle();
  expect(faults).toHaveLength(2);
});

test('stop() waits for the poll that runs, and no other comes', async () => {
  const { clock, ends, started, polling } = scene();
  await clock.advanceAsync(1000);
  let stopped = false;
  const stopping = polling.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect(stopped).toBe(false);
  ends[0]!.resolve();
  await stopping;
  await clock.advanceAsync(60_000);
  expect(started).toEqual([1000]);
  expect(clock.pending).toBe(0);
});
