import * as fc from 'fast-check';
import { MinHeap } from '../dist/heap.js';

test('empty', () => {
  const heap = new MinHeap<string>();
  expect([heap.size, heap.top, heap.peek(), heap.pop()]).toEqual([0, Number.POSITIVE_INFINITY, undefined, undefined]);
});

test('gives what sorting gives', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 })), (keys) => {
      const heap = new MinHeap<number>();
      for (const key of keys) heap.push(key, key);
      expect(Array.from(keys, () => heap.pop())).toEqual([...keys].sort((a, b) => a - b));
      expect(heap.size).toBe(0);
    }),
  );
});

test('grows beyond its first array', () => {
  const heap = new MinHeap<number>();
  for (let i = 1000; i > 0; i--) heap.push(i, i);
  expect(Array.from({ length: 1000 }, () => heap.pop())).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
});

interface Item {
  readonly id: number;
  index: number;
}

/** Pushes, moves and removals by index at random, against a plain list. */
test('moves and removals by index', () => {
  const action = fc.record({
    what: fc.constantFrom('push', 'move', 'remove', 'pop'),
    key: fc.integer({ min: 0, max: 20 }),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const heap = new MinHeap<Item>((item, index) => {
        item.index = index;
      });
      const model = new Map<Item, number>();
      for (const [id, { what, key, pick }] of actions.entries()) {
        const item = [...model.keys()][model.size === 0 ? 0 : pick % model.size];
        if (what === 'push') {
          const made = { id, index: -1 };
          heap.push(made, key);
          model.set(made, key);
        } else if (item && what === 'move') {
          heap.setAt(item.index, key);
          model.set(item, key);
        } else if (item && what === 'remove') {
          heap.removeAt(item.index);
          expect(item.index).toBe(-1);
          model.delete(item);
        } else if (what === 'pop') {
          const least = Math.min(...model.values());
          const popped = heap.pop();
          expect(popped === undefined ? Number.POSITIVE_INFINITY : model.get(popped)).toBe(least);
          if (popped) model.delete(popped);
        }
        expect(heap.size).toBe(model.size);
        expect(heap.top).toBe(Math.min(...model.values()));
        for (const [known, at] of model) expect(heap.keyAt(known.index)).toBe(at);
      }
    }),
  );
});
