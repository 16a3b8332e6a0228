/** Handing over: nothing is left behind, and nobody waits for ever. */
import { handedOver } from '../../dist/webhook/handed-over.js';
import { Outbox } from '../../dist/webhook/outbox.js';

test('a key is forgotten when its listeners are done', async () => {
  const outbox = new Outbox<number>('test');
  const open: (() => void)[] = [];
  outbox.listeners.add(() => new Promise((resolve) => open.push(resolve)));
  const both = [outbox.send('a', 1), outbox.send('a', 2)];
  open.shift()!();
  await both[0];
  expect([open.length, outbox.busy]).toEqual([1, 1]);
  open.shift()!();
  await both[1];
  expect(outbox.busy).toBe(0);
});

test.each(['before', 'meanwhile'])('a signal that came %s ends the wait: 503', async (when) => {
  const controller = new AbortController();
  if (when === 'before') controller.abort();
  const waiting = handedOver([new Promise(() => {})], controller.signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ status: 503 });
});
