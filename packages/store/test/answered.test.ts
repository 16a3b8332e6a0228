import { answered } from '../dist/dialects/server.js';

test('an answer that does not come is given up, and the connection closed', async () => {
  jest.useFakeTimers();
  let closed = 0;
  const late = answered(new Promise(() => {}), 30_000, () => closed++);
  const told = expect(late).rejects.toThrow('the database has not answered for 30 s');
  jest.advanceTimersByTime(29_999);
  expect(closed).toBe(0);
  jest.advanceTimersByTime(1);
  await told;
  expect(closed).toBe(1);
  jest.useRealTimers();
});

test('an answer in time leaves no timer behind', async () => {
  jest.useFakeTimers();
  expect(await answered(Promise.resolve(7), 1, () => {})).toBe(7);
  await expect(answered(Promise.reject(new Error('no')), 1, () => {})).rejects.toThrow('no');
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});
