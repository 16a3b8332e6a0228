import * as fc from 'fast-check';
import { ownKey, publicationKey, subscriptionKey } from '../dist/key.js';

/** Texts of the characters that the keys are made with, so that collisions would be likely. */
const text = fc
  .array(fc.constantFrom('|', '%', '7', 'C', '2', '5', 'a', 'p', 's', 'k', '1'), { maxLength: 5 })
  .map((c) => c.join(''));
const number = fc.integer({ min: 1, max: 12 });

test('different publications have different keys', () => {
  const parts = fc.tuple(text, number, number, text);
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(publicationKey(...a) === publicationKey(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 3_000 },
  );
});

test('different subscriptions have different keys', () => {
  const parts = fc.tuple(text, text, number, number, text);
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(subscriptionKey(...a) === subscriptionKey(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 3_000 },
  );
});

test('the kinds never meet', () => {
  fc.assert(
    fc.property(text, number, text, text, (uri, n, id, own) => {
      const keys = [publicationKey(uri, n, n, id), subscriptionKey(uri, uri, n, n, id), ownKey(own)];
      expect(new Set(keys).size).toBe(3);
    }),
  );
});

test('they are readable', () => {
  expect(publicationKey('sip:alice@example.com', 1, 64, 'desk')).toBe('p|1|64|sip:alice@example.com|desk');
});
