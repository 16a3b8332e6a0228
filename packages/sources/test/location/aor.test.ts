import { canonicalAor } from '@pua/sources';

test.each([
  ['sip:alice@example.com', 'alice@example.com'],
  ['sips:alice@Example.COM:5061;transport=tls', 'alice@example.com'],
  ['SIP:Alice@example.com;user=phone?subject=x', 'Alice@example.com'],
  ['sip:alice:secret@example.com', 'alice@example.com'],
  ['sip:%61li%63e@example.com', 'alice@example.com'],
  ['sip:a%3ab%40c%25@example.com', 'a%3Ab%40c%25@example.com'],
  ['sip:+1;ext=3@example.com', '+1;ext=3@example.com'],
  ['sip:j\u00fcrgen@example.com', 'j%C3%BCrgen@example.com'],
  ['sip:j%c3%bcrgen@example.com', 'j%C3%BCrgen@example.com'],
  ['sip:%22%3c%26@example.com', '%22%3C&@example.com'],
  ['sip:al%0d%0aice@example.com', 'al%0D%0Aice@example.com'],
  ['sip:alice@[2001:DB8::1]:5060', 'alice@[2001:db8::1]'],
  ['sip:example.com', 'example.com'],
  ['tel:+1-201-555;phone-context=x', 'tel:+1-201-555'],
  ['alice@Example.com', 'alice@example.com'],
  ['alice', 'alice'],
  ['100%25@example.com', '100%25@example.com'],
  ['100%@example.com', '100%25@example.com'],
])('%s is the address %s', (uri, aor) => {
  expect(canonicalAor(uri)).toBe(aor);
  // It is a fixed point: an AOR that comes back is the same one.
  expect(canonicalAor(aor)).toBe(aor);
});

test('without domains an address is its user', () => {
  expect(canonicalAor('sip:alice@example.com', false)).toBe('alice');
  expect(canonicalAor('alice', false)).toBe('alice');
});

test.each([
  '',
  'sip:',
  'sip:@example.com',
  'sip:alice@',
  'sip:alice@exa mple.com',
  'sip:alice@<b>',
  'tel:',
  'mailto:a b',
  'sip:\ud800@example.com',
  `sip:${'a'.repeat(250)}@example.com`,
])('%j is none', (uri) => {
  expect(canonicalAor(uri)).toBeUndefined();
});
