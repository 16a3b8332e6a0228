/** Which presentity a binding tells about, and under which id it is published. */
import { PuaError } from '@pua/core';
import { identityOf, presentityUri, publicationId, tupleId } from '../dist/identity.js';
import { binding } from './support/registrar';

describe('presentity URI of an AOR', () => {
  test.each([
    ['alice', 'sip:alice@example.net'],
    ['alice@example.com', 'sip:alice@example.com'],
    ['a@b@example.com', 'sip:a%40b@example.com'],
    ['sip:alice@example.com', 'sip:alice@example.com'],
    ['sips:alice@example.com', 'sips:alice@example.com'],
    ['SIPS:alice@example.com;user=phone', 'SIPS:alice@example.com;user=phone'],
    ['tel:+4930123456', 'tel:+4930123456'],
    ['pres:alice@example.com', 'pres:alice@example.com'],
    ['+49;phone-context=x@example.com', 'sip:+49;phone-context=x@example.com'],
    ["a&b=c+$,;?/-_.!~*'()@example.com", "sip:a&b=c+$,;?/-_.!~*'()@example.com"],
    ['<a "b">@example.com', 'sip:%3Ca%20%22b%22%3E@example.com'],
    ['a:b#c@example.com', 'sip:a%3Ab%23c@example.com'],
    ['j%C3%BCrgen@example.com', 'sip:j%C3%BCrgen@example.com'],
    ['100%@example.com', 'sip:100%25@example.com'],
    ['jürgen 李@example.com', 'sip:j%C3%BCrgen%20%E6%9D%8E@example.com'],
    ['sip:jürgen@example.com', 'sip:j%C3%BCrgen@example.com'],
  ])('%s', (aor, uri) => {
    expect(presentityUri(aor, 'example.net')).toBe(uri);
  });

  test('BETTER: default_domain is needed only for an AOR without domain', () => {
    expect(presentityUri('alice@example.com', null)).toBe('sip:alice@example.com');
    expect(() => presentityUri('alice', null)).toThrow(/AOR "alice" has no domain .* set defaultDomain/);
    expect(() => presentityUri('alice', null)).toThrow(PuaError);
  });

  test.each(['', '@example.com'])('%j is told to have no user', (aor) => {
    expect(() => presentityUri(aor, 'example.net')).toThrow('has no user part');
  });
});

describe('BETTER: a stable identity, in this order', () => {
  const instance = '<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>'.slice(1, -1);

  test('ruid', () => {
    expect(identityOf(binding({ bindingId: 'uloc-5f-1', instance, regId: 1 }))).toBe('uloc-5f-1');
  });

  test('instance and reg-id', () => {
    const { bindingId: _, ...one } = binding({ instance, regId: 2 });
    expect(identityOf(one)).toBe(`${instance};2`);
  });

  test('a hash of AOR and contact URI', () => {
    const { bindingId: _, ...one } = binding({ instance, contact: 'sip:a@192.0.2.1' });
    const identity = identityOf(one);
    expect(identity).toMatch(/^[0-9a-f]{20}$/);
    expect(identityOf({ ...one, callId: 'another' })).toBe(identity);
    expect(identityOf({ ...one, contact: 'sip:a@192.0.2.2' })).not.toBe(identity);
    expect(identityOf({ ...one, aor: 'bob@example.com' })).not.toBe(identity);
  });

  test('without contact: a hash of AOR and Call-ID', () => {
    const { bindingId: _, ...one } = binding({ contact: '', callId: 'a' });
    expect(identityOf(one)).not.toBe(identityOf({ ...one, callId: 'b' }));
  });
});

test('ids keep the prefix UL_PUBLISH. and fit their column', () => {
  expect(publicationId('uloc-5f-1')).toBe('UL_PUBLISH.uloc-5f-1');
  expect(publicationId('a'.repeat(244))).toHaveLength(255);
  for (const odd of ['a'.repeat(245), 'a\tb', 'ü', ''])
    expect(publicationId(odd)).toMatch(/^UL_PUBLISH\.[0-9a-f]{20}$/);
  expect(publicationId('a'.repeat(245))).not.toBe(publicationId('a'.repeat(246)));
});

test('BETTER: tuple ids are XML IDs, a letter first, stable for the binding, and do not tell which device it is', () => {
  const one = binding({ bindingId: 'uloc-5f-1' });
  expect(tupleId(one)).toMatch(/^b-[0-9a-f]{20}$/);
  expect(tupleId({ ...one, callId: 'another', expiresAt: 0 })).toBe(tupleId(one));
  expect(tupleId({ ...one, bindingId: 'uloc-5f-2' })).not.toBe(tupleId(one));
  expect(tupleId({ ...one, bindingId: '1<"' })).toMatch(/^b-[0-9a-f]{20}$/);
});

test('a phone of two users: their watchers can not see that it is the same one', () => {
  const { bindingId: _, ...one } = binding({ instance: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6', regId: 1 });
  expect(tupleId({ ...one, aor: 'bob@example.com' })).not.toBe(tupleId(one));
});
