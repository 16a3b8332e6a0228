import { escapeUser, parseNameAddr, parseUri } from '@pua/sip';

describe('parseUri', () => {
  it.each([
    ['sip:alice@example.com', { scheme: 'sip', user: 'alice', host: 'example.com' }],
    [
      'SIPS:alice:secret@example.com:5071',
      { scheme: 'sips', user: 'alice', password: 'secret', host: 'example.com', port: 5071 },
    ],
    ['sip:[2001:db8::1]:5060', { scheme: 'sip', host: '2001:db8::1', port: 5060 }],
    ['sip:host;transport=tcp', { scheme: 'sip', host: 'host' }],
    ['sip:a;b?c@h?subject=x', { user: 'a;b?c', host: 'h', headers: 'subject=x' }],
    ['sip:user;par=u%40example.net@example.com', { user: 'user;par=u%40example.net', host: 'example.com' }],
    ['sip:+1-212@gw.com;user=phone', { user: '+1-212', host: 'gw.com' }],
  ])('%s', (text, expected) => {
    expect(parseUri(text)).toMatchObject(expected);
  });

  it('reads parameters without case', () => {
    const { parameters } = parseUri('sip:h;Transport=TCP;lr;x="a;b"')!;
    expect([parameters.get('transport'), parameters.get('LR'), parameters.get('maddr')]).toEqual([
      'TCP',
      '',
      undefined,
    ]);
    expect([parameters.has('lr'), parameters.has('y'), [...parameters.names()]]).toEqual([
      true,
      false,
      ['transport', 'lr', 'x'],
    ]);
  });

  it.each([
    '',
    'sip:',
    'sip:@h',
    'tel:+1',
    'sip:a@',
    'sip:a@b@c',
    'sip:h:0',
    'sip:h:99999',
    'sip:h:x',
    'sip:[::1',
    'sip:h h',
    'alice',
  ])('refuses %j', (text) => {
    expect(parseUri(text)).toBeUndefined();
  });
});

describe('parseNameAddr', () => {
  it.each([
    ['<sip:a@b>;tag=x', undefined, 'sip:a@b', 'x'],
    ['"A \\"B\\" <c>, d" <sip:a@b;lr>; x ;tag = y', 'A "B" <c>, d', 'sip:a@b;lr', 'y'],
    ['Alice Smith <sip:a@b>', 'Alice Smith', 'sip:a@b', undefined],
    ['sip:a@b;tag=x', undefined, 'sip:a@b', 'x'],
    ['  sip:a@b  ', undefined, 'sip:a@b', undefined],
    ['""<sip:a@b>;TAG="q;r"', undefined, 'sip:a@b', 'q;r'],
  ])('%s', (text, display, uri, tag) => {
    const read = parseNameAddr(text)!;
    expect([read.display || undefined, read.uri, read.parameters.get('tag')]).toEqual([display, uri, tag]);
  });

  it.each(['', 'bob', '"open <sip:a@b>', '<sip:a@b', '<>', 'A"B <sip:a@b>'])('refuses %j', (text) => {
    expect(parseNameAddr(text)).toBeUndefined();
  });
});

it('escapes the user part', () => {
  expect(escapeUser("a.b-c_d!e~f*g'(h)&=+$,;?/")).toBe("a.b-c_d!e~f*g'(h)&=+$,;?/");
  expect(escapeUser('a@b c%:<>"ü')).toBe('a%40b%20c%25%3A%3C%3E%22%C3%BC');
});
