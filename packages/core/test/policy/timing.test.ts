import * as fc from 'fast-check';
import { DEFAULT_POLICY } from '../../dist/policy/policy.js';
import {
  backoffDelay,
  credentialsDelay,
  longDelay,
  pendingDelay,
  refreshDelay,
  retryAfterMs,
} from '../../dist/policy/timing.js';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const policy = DEFAULT_POLICY;

describe('refresh', () => {
  test('never before half of the lifetime, never after 90 % of it, never within one second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000_000 }), chance, (seconds, u) => {
        const granted = seconds * 1000;
        const delay = refreshDelay(granted, u);
        expect(delay).toBeGreaterThanOrEqual(Math.max(1_000, granted / 2));
        expect(delay).toBeLessThanOrEqual(Math.max(1_000, granted * 0.9));
      }),
    );
  });

  test('leaves 32 s for the transaction wherever half of the lifetime allows it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 64, max: 1_000_000 }), chance, (seconds, u) => {
        expect(seconds * 1000 - refreshDelay(seconds * 1000, u)).toBeGreaterThanOrEqual(32_000);
      }),
    );
  });

  test.each([
    [3600, 0, 2700_000],
    [3600, 0.9999999, 3240_000],
    [320, 0, 240_000],
    [120, 0.5, 88_000],
    [60, 0.5, 30_000],
    [2, 0.5, 1_000],
    [1, 0.5, 1_000],
    [0, 0.5, 1_000],
  ])('of %i s with chance %d', (seconds, u, expected) => {
    expect(refreshDelay(seconds * 1000, u)).toBeCloseTo(expected, -2);
  });
});

describe('back-off', () => {
  test('stays between base and cap, and below three times the delay before it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), chance, (previous, u) => {
        const delay = backoffDelay(policy, previous, u);
        expect(delay).toBeGreaterThanOrEqual(policy.backoffBase);
        expect(delay).toBeLessThanOrEqual(policy.backoffCap);
        expect(delay).toBeLessThanOrEqual(Math.max(2 * policy.backoffBase, 3 * previous));
      }),
    );
  });

  test('grows to the cap when chance is against us, and shrinks when it is not', () => {
    let delay = 0;
    const grown = Array.from({ length: 8 }, () => (delay = backoffDelay(policy, delay, 1 - 2 ** -53)));
    expect(grown.map((ms) => Math.round(ms / 1000))).toEqual([2, 6, 18, 54, 120, 120, 120, 120]);
    expect(backoffDelay(policy, delay, 0)).toBe(policy.backoffBase);
  });

  test('is decorrelated: records that failed together come back apart', () => {
    const seconds = new Set<number>();
    for (let i = 0; i < 1000; i++) seconds.add(Math.floor(backoffDelay(policy, 60_000, i / 1000) / 1000));
    expect(seconds.size).toBeGreaterThan(100);
  });
});

test('no credentials 60..120 s, 491 0..10 s, long retry spread over a tenth', () => {
  fc.assert(
    fc.property(chance, (u) => {
      expect(credentialsDelay(u)).toBeGreaterThanOrEqual(60_000);
      expect(credentialsDelay(u)).toBeLessThanOrEqual(120_000);
      expect(pendingDelay(u)).toBeGreaterThanOrEqual(0);
      expect(pendingDelay(u)).toBeLessThanOrEqual(10_000);
      expect(longDelay(policy, u)).toBeGreaterThanOrEqual(policy.longRetry);
      expect(longDelay(policy, u)).toBeLessThanOrEqual(policy.longRetry * 1.1);
    }),
  );
});

test('Retry-After is capped', () => {
  expect(retryAfterMs(policy, 30)).toBe(30_000);
  expect(retryAfterMs(policy, 0xffffffff)).toBe(policy.retryAfterCap);
});
