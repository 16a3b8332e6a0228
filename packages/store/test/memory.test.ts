import { memoryStore, openStore } from '@pua/store';
import { publicationRow, Source } from './rows';

test.each([
  ['memoryStore()', memoryStore],
  ['openStore("memory:")', () => openStore('memory:')],
])('%s keeps nothing and counts every change as durable', async (_name, make) => {
  const store = make();
  expect(await store.open()).toEqual({ rows: 0, unclean: false });
  const marks: number[] = [];
  store.onDurable((mark) => marks.push(mark));
  store.onLeaseLost(() => marks.push(-1));
  const source = new Source('a', publicationRow('a'));
  expect([store.changed(source), store.changed(source)]).toEqual([1, 2]);
  expect(store.status()).toEqual({ durable: 2, last: 2, pending: 0, error: null });
  expect(marks).toEqual([]);
  await store.flush();
  expect(marks).toEqual([2]);
  store.changed(source);
  await store.flush();
  expect(marks).toEqual([2, 3]);
  await store.load(10, () => marks.push(-1));
  await store.close();
  expect(marks).toEqual([2, 3]);
  expect(source.asked).toBe(0);
});
