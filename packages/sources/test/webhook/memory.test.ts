import { SimClock } from '@pua/testkit';
import { Memory } from '../../dist/webhook/memory.js';

test('what is seen is known for an hour', () => {
  const clock = new SimClock();
  const memory = new Memory<number>(clock);
  memory.set('a', 1);
  clock.advance(1_800_000);
  memory.set('b', 2);
  memory.set('a', 3);
  clock.advance(3_600_000 - 1);
  expect([memory.get('a'), memory.get('b')]).toEqual([3, 2]);
  clock.advance(1);
  expect([memory.get('a'), memory.get('b'), memory.size]).toEqual([undefined, undefined, 0]);
});

test('beyond its size the oldest goes', () => {
  const memory = new Memory<number>(new SimClock(), 3);
  for (const [i, key] of ['a', 'b', 'a', 'c', 'd'].entries()) memory.set(key, i);
  expect(['a', 'b', 'c', 'd'].map((key) => memory.get(key))).toEqual([2, undefined, 3, 4]);
  expect(memory.size).toBe(3);
});

test('what is taken back is not known', () => {
  const memory = new Memory<number>(new SimClock());
  memory.set('a', 1);
  memory.delete('a');
  expect(memory.get('a')).toBeUndefined();
});
