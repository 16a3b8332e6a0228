/** Odd but legal syntax of what peers send, and syntax that is not. */
import { addressTag, addressUri, splitAddresses } from '../dist/address.js';
import { readSubscriptionState } from '../dist/notify.js';
import { answerOf, readContact, readRecordRoute, readSeconds } from '../dist/sending/reading.js';
import { headerView, response } from './support/sip';

describe('addresses', () => {
  test.each([
    ['sip:a@b', 'sip:a@b', ''],
    ['<sip:a@b>', 'sip:a@b', ''],
    ['  < sip:a@b >  ', 'sip:a@b', ''],
    ['Alice <sip:a@b>;tag=1', 'sip:a@b', '1'],
    ['sip:a@b;tag=1', 'sip:a@b', '1'],
    ['sip:a@b ; TAG = 1 ;x=y', 'sip:a@b', '1'],
    ['<sip:a@b;tag=uri>;tag=header', 'sip:a@b;tag=uri', 'header'],
    ['<sip:a@b;tag=uri>', 'sip:a@b;tag=uri', ''],
    ['"A <sip:x@y>;tag=2, \\"B\\"" <sip:a@b>;tag=1', 'sip:a@b', '1'],
    ['<sip:a@b>;xtag=0;tag=1', 'sip:a@b', '1'],
    ['<sip:a@b', '', ''],
    ['"open <sip:a@b>', '"open <sip:a@b>', ''],
    ['', '', ''],
  ])('%j', (address, uri, tag) => {
    expect([addressUri(address), addressTag(address)]).toEqual([uri, tag]);
  });

  test.each([
    ['<sip:a>,<sip:b>', ['<sip:a>', '<sip:b>']],
    [' <sip:a;x=1,2> , "B, C" <sip:b> ', ['<sip:a;x=1,2>', '"B, C" <sip:b>']],
    ['"\\"," <sip:a>, <sip:b>', ['"\\"," <sip:a>', '<sip:b>']],
    ['"<" <sip:a>, <sip:b?q="x,y">', ['"<" <sip:a>', '<sip:b?q="x,y">']],
    [',,<sip:a>,', ['<sip:a>']],
    ['', []],
    ['"open, <sip:a>', ['"open, <sip:a>']],
    ['"open \\', []],
  ])('list %j', (list, entries) => {
    expect(splitAddresses(list)).toEqual(entries);
  });

  test('Contact: the first of all', () => {
    expect(readContact(headerView([['Contact', '"N, M" <sip:n@b;ob>;expires=1, <sip:other>']]))).toBe('sip:n@b;ob');
    expect(readContact(headerView([['Contact', '*']]))).toBe('*');
    expect(readContact(headerView([]))).toBe('');
  });

  test('Record-Route: several lines, several per line, in order', () => {
    const headers = headerView([
      ['Record-Route', '<sip:a;lr>, <sip:b;lr>;x=y'],
      ['Record-Route', '<sip:c;lr>'],
    ]);
    expect(readRecordRoute(headers)).toEqual(['<sip:a;lr>', '<sip:b;lr>;x=y', '<sip:c;lr>']);
  });
});

describe('seconds', () => {
  test.each([
    ['3600', 3600],
    [' 0', 0],
    ['120 (busy; try later)', 120],
    ['18000;duration=3600', 18000],
    ['4294967295', 4294967295],
    ['9999999999', 4294967295],
    ['12345678901', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['60s', undefined],
    ['Thu, 01 Jan 2030', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j', (value, seconds) => {
    expect(readSeconds(value)).toBe(seconds);
  });
});

describe('answers', () => {
  const headers = [
    ['To', '<sip:a@b>;tag=t'],
    ['Contact', '<sip:n@b>'],
    ['Record-Route', '<sip:p;lr>'],
    ['Expires', '60'],
    ['Min-Expires', '600'],
    ['Retry-After', '5'],
    ['SIP-ETag', 'e'],
  ] as const;

  test('2xx of a SUBSCRIBE makes a dialog', () => {
    expect(answerOf(response(202, headers), 'SUBSCRIBE', true, 0, 3)).toMatchObject({
      toTag: 't',
      contact: 'sip:n@b',
      recordRoute: ['<sip:p;lr>'],
      expires: 60,
      minExpires: undefined,
      retryAfter: undefined,
      cseq: 3,
    });
  });

  test('of a PUBLISH does not', () => {
    expect(answerOf(response(200, headers), 'PUBLISH', true, 0, 3)).toMatchObject({
      etag: 'e',
      toTag: '',
      contact: '',
      recordRoute: [],
    });
  });

  test('Min-Expires counts in a 423, Retry-After in failures', () => {
    expect(answerOf(response(423, headers), 'PUBLISH', true, 0, 1)).toMatchObject({ minExpires: 600, retryAfter: 5 });
    expect(answerOf(response(480, headers), 'PUBLISH', true, 0, 1)).toMatchObject({
      minExpires: undefined,
      retryAfter: 5,
    });
  });

  test('what the network did not say', () => {
    expect(answerOf({ kind: 'timeout', cseq: 4 }, 'PUBLISH', true, 9, 4)).toEqual({
      kind: 'unreachable',
      cause: 'no answer',
      sent: true,
      barredUntil: 9,
      cseq: 4,
    });
    const refused = answerOf({ kind: 'unreachable', cause: new Error('refused'), sent: false }, 'PUBLISH', false, 0, 4);
    expect(refused).toMatchObject({ cause: 'refused', sent: false, cseq: 4 });
    expect(answerOf({ kind: 'tooLarge', limit: 1300 }, 'PUBLISH', false, 0, 4)).toMatchObject({
      kind: 'response',
      status: 513,
      reason: 'Message Too Large (over 1300 bytes)',
    });
  });
});

describe('Subscription-State', () => {
  test.each([
    [undefined, 'active', '', undefined, undefined],
    ['active;expires=600', 'active', '', 600, undefined],
    [' PENDING ; Expires = 10 ', 'pending', '', 10, undefined],
    ['terminated;reason=Timeout', 'terminated', 'timeout', undefined, undefined],
    ['terminated;reason="probation";retry-after=30', 'terminated', 'probation', undefined, 30],
    ['terminated;expires=5;retry-after=x', 'terminated', '', 5, undefined],
    ['waiting', 'active', '', undefined, undefined],
    ['', 'active', '', undefined, undefined],
    ['active;expires', 'active', '', undefined, undefined],
    ['active;__proto__=x;expires=1', 'active', '', 1, undefined],
  ])('%j', (value, state, reason, expires, retryAfter) => {
    expect(readSubscriptionState(value)).toEqual({ state, reason, expires, retryAfter });
  });
});
