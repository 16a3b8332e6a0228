/** Where a 3xx leads; what is sent there stands in sender.test.ts. */
import { Redirects } from '../../dist/sending/redirects.js';

const A = 'sip:a@example.com';

function targets(redirects: Redirects): string[] {
  const found: string[] = [];
  for (let next = redirects.next(); next; next = redirects.next()) found.push(next.uri);
  return found;
}

function after(status: number, ...contacts: string[]): string[] {
  const redirects = new Redirects(A);
  redirects.offered(status, contacts);
  return targets(redirects);
}

test('most wanted first; without q it is 1, equal ones keep their order', () => {
  const contacts = ['<sip:b@h>;q=0.2', '<sip:c@h>', 'sip:d@h;q=0.9', '"E, or F" <sip:e@h>;expires=5;q=1.0'];
  expect(after(302, ...contacts)).toEqual(['sip:c@h', 'sip:e@h', 'sip:d@h', 'sip:b@h']);
});

test('an unusable q comes last', () => {
  expect(after(302, '<sip:b@h>;q=7', '<sip:c@h>;q=x', '<sip:d@h>;q=0.1')).toEqual(['sip:d@h', 'sip:b@h', 'sip:c@h']);
});

test('each once, and never where it came from', () => {
  const redirects = new Redirects(A);
  redirects.offered(302, [`<${A}>`, '<sip:b@h>', '<sip:b@h>;q=0.1']);
  expect(redirects.next()?.uri).toBe('sip:b@h');
  redirects.offered(302, [`<${A}>`, '<sip:b@h>', '<sip:c@h>']);
  expect(targets(redirects)).toEqual(['sip:c@h']);
});

test('five in all', () => {
  const redirects = new Redirects(A);
  for (let n = 0; n < 9; n++) redirects.offered(302, [`<sip:${n}@h>`]);
  expect(targets(redirects)).toHaveLength(5);
});

test.each(['*', '<tel:+4930>', '<mailto:a@h>', 'nonsense', '<sip:>', '<sip:b@h', ''])('not a target: %s', (contact) => {
  expect(after(302, contact)).toEqual([]);
});

test('headers and the method of a Contact are no part of a Request-URI', () => {
  expect(after(302, '<sip:b@h;method=INVITE;lr?Subject=x&Route=%3Csip:evil%3E>')).toEqual(['sip:b@h;lr']);
});

test('305: the same Request-URI, by way of the proxy', () => {
  const redirects = new Redirects(A);
  redirects.offered(305, ['<sip:proxy.example.net;lr>']);
  expect(redirects.next()).toMatchObject({ uri: A, route: 'sip:proxy.example.net;lr' });
});

test('a sips request does not become a sip one', () => {
  const redirects = new Redirects('sips:a@example.com');
  redirects.offered(302, ['<sip:b@h>', '<sips:c@h>']);
  expect(targets(redirects)).toEqual(['sips:c@h']);
});
