import { Handle } from '../../dist/handle.js';

const NOTHING = { outcome: 'nothing-to-do' } as const;
const SUPERSEDED = { outcome: 'superseded' } as const;

test('settles once, also for who asks later', async () => {
  const heard: unknown[] = [];
  const handle = new Handle('key', (result) => heard.push(result));
  const before = handle.result;
  handle.settle(NOTHING);
  handle.settle(SUPERSEDED);
  expect(await before).toEqual(NOTHING);
  expect(await handle.result).toEqual(NOTHING);
  expect(handle.result).toBe(before);
  expect(heard).toEqual([NOTHING]);
});

test('the callback comes at once, the promise is made when it is asked for', async () => {
  const heard: unknown[] = [];
  const handle = new Handle('key', (result) => heard.push(result));
  handle.settle(SUPERSEDED);
  expect(heard).toEqual([SUPERSEDED]);
  expect(await handle.result).toEqual(SUPERSEDED);
});

test('without a callback', async () => {
  const handle = new Handle('key', undefined);
  handle.settle(NOTHING);
  expect([handle.key, await handle.result]).toEqual(['key', NOTHING]);
});
