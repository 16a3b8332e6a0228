import { Gate } from '../../dist/sending/gate.js';

test('one at a time per key, the others in their order', () => {
  const gate = new Gate<string>();
  expect(gate.enter('a', '1')).toBe(true);
  expect(gate.enter('a', '2')).toBe(false);
  expect(gate.enter('a', '3')).toBe(false);
  expect(gate.enter('b', '4')).toBe(true);
  expect(gate.leave('a')).toBe('2');
  expect(gate.enter('a', '5')).toBe(false);
  expect([gate.leave('a'), gate.leave('a'), gate.leave('a')]).toEqual(['3', '5', undefined]);
  expect(gate.leave('b')).toBeUndefined();
  expect(gate.size).toBe(0);
});
