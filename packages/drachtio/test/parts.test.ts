/** Parts that the wire shows only in part. */
import { addressToward, contactUri, hopsOf, parseHostports, proxyUri } from '../dist/addresses.js';
import { FrameGate, LONG_FRAME_BYTES } from '../dist/gate.js';
import { RawMessage, tagOf } from '../dist/raw.js';
import { systemClock, systemRandom } from '../dist/runtime.js';

describe('addresses', () => {
  const own = parseHostports(
    'udp/127.0.0.1:5060,tcp/127.0.0.1:5060, udp/192.0.2.1:5062,tcp/192.0.2.1:5062,udp/[2001:db8::1]:5060,what/1.2.3.4:1,',
  );

  test('the list of the server is read, what is unknown in it left out', () => {
    expect(own).toEqual([
      { transport: 'udp', host: '127.0.0.1', port: 5060 },
      { transport: 'tcp', host: '127.0.0.1', port: 5060 },
      { transport: 'udp', host: '192.0.2.1', port: 5062 },
      { transport: 'tcp', host: '192.0.2.1', port: 5062 },
      { transport: 'udp', host: '2001:db8::1', port: 5060 },
    ]);
  });

  test.each([
    ['sip:127.0.0.1', 'sip:u@127.0.0.1:5060'],
    ['sip:127.0.0.1;transport=tcp', 'sip:u@127.0.0.1:5060;transport=tcp'],
    ['sip:198.51.100.1', 'sip:u@192.0.2.1:5062'],
    ['sip:proxy.example.com;transport=tcp', 'sip:u@192.0.2.1:5062;transport=tcp'],
    ['sip:[2001:db8::9]:5070', 'sip:u@[2001:db8::1]:5060'],
    ['sips:proxy.example.com', 'sip:u@192.0.2.1:5062'],
  ])('toward %s the Contact is %s', (uri, contact) => {
    expect(contactUri('u', addressToward(own, hopsOf(uri)[0]!)!)).toBe(contact);
  });

  test.each([
    ['sip:proxy.example.com', 'sip:proxy.example.com'],
    ['sip:alice@Proxy.example.com:5060;lr?X=y', 'sip:Proxy.example.com:5060'],
    ['sips:proxy.example.com', 'sip:proxy.example.com;transport=tls'],
    ['sip:[2001:db8::9]:5070;transport=TCP', 'sip:[2001:db8::9]:5070;transport=tcp'],
    ['sip:a;b=c@192.0.2.1:5070', 'sip:192.0.2.1:5070'],
    ['sip:example.com;maddr=192.0.2.9', 'sip:192.0.2.9'],
  ])('%s goes to %s: names and missing ports are left to the server', (uri, proxy) => {
    expect(proxyUri(hopsOf(uri)[0]!)).toBe(proxy);
  });

  test('a transport that nobody knows leads nowhere', () => {
    expect(hopsOf('sip:a@192.0.2.1;transport=sctp')).toEqual([]);
  });
});

describe('gate', () => {
  const LONG = LONG_FRAME_BYTES + 1;

  test('short frames go out at once; a long one goes out at once and keeps what comes behind it', () => {
    const gate = new FrameGate();
    const out: string[] = [];
    const releases: Record<string, () => void> = {};
    const pass = (name: string, bytes: number) =>
      gate.pass(bytes, (release) => {
        out.push(name);
        releases[name] = release;
      });
    pass('a', LONG_FRAME_BYTES);
    pass('B', LONG);
    pass('c', 1);
    pass('D', LONG);
    pass('e', 1);
    expect(out).toEqual(['a', 'B']);
    releases['a']!();
    expect(out).toEqual(['a', 'B']);
    releases['B']!();
    expect(out).toEqual(['a', 'B', 'c', 'D']);
    releases['B']!();
    expect(out).toHaveLength(4);
    releases['D']!();
    pass('f', 1);
    expect(out).toEqual(['a', 'B', 'c', 'D', 'e', 'f']);
  });

  test('thousands that are done with before their turn come', () => {
    const gate = new FrameGate();
    let open = () => {};
    let seen = 0;
    gate.pass(LONG, (release) => {
      open = release;
    });
    for (let i = 0; i < 20_000; i++) {
      gate.pass(LONG, (release) => {
        seen++;
        release();
      });
    }
    open();
    expect(seen).toBe(20_000);
  });
});

describe('messages', () => {
  test('text that is no message has no fields and no body', () => {
    const message = new RawMessage('what\r\nno colon\r\n: none\r\n');
    expect(message.startLine).toBe('what');
    expect(message.get('To')).toBeUndefined();
    expect(message.body).toBeUndefined();
    expect(message.cseq).toBeUndefined();
  });

  test('fields are found whatever stands around them', () => {
    const message = new RawMessage(
      'SIP/2.0 200 To: no\r\nX-To: no\r\nt : yes \r\nSubject: a\u2028To: no\r\nWarning: 1\nTo:\r\n  again\r\n\r\nTo: no',
    );
    expect(message.all('to')).toEqual(['yes', 'again']);
    expect(message.get('T')).toBe('yes');
    expect(message.get('Subject')).toBe('a\u2028To: no');
    expect(message.get('s')).toBe('a\u2028To: no');
    expect(message.get('warning')).toBe('1');
    expect(message.all('x.to')).toEqual([]);
    expect(message.get('X-To')).toBe('no');
  });

  test('all fields of a name are found after one of them was, in this message or another', () => {
    const message = new RawMessage('A b SIP/2.0\r\nVia: first\r\nVia: second\r\nRoute: r\r\n\r\n');
    expect(message.get('Via')).toBe('first');
    expect(message.all('Via')).toEqual(['first', 'second']);
    expect(new RawMessage('A b SIP/2.0\r\nX-Far: 1\r\nX-Far: 2\r\nRoute: far\r\n\r\n').get('Route')).toBe('far');
    expect(message.all('Route')).toEqual(['r']);
  });

  test.each([
    ['<sip:a@b;tag=no>;x=y;Tag = yes', 'yes'],
    ['"a>;tag=no" <sip:a@b>;tag=yes', 'yes'],
    ['sip:a@b;tag=yes', 'yes'],
    ['<sip:a@b;tag=no>', undefined],
    [undefined, undefined],
  ])('the tag of %s is %s', (value, tag) => {
    expect(tagOf(value)).toBe(tag);
  });
});

describe('runtime', () => {
  test('a timer of more than setTimeout can do waits, and can be cancelled', async () => {
    let fired = false;
    const timer = systemClock.after(2 ** 32, () => {
      fired = true;
    });
    await new Promise<void>((resolve) => void systemClock.after(5, resolve));
    timer.cancel();
    expect(fired).toBe(false);
  });

  test('tokens are long and differ', () => {
    const tokens = new Set(Array.from({ length: 1000 }, () => systemRandom.token()));
    expect(tokens.size).toBe(1000);
    for (const token of tokens) expect(token).toMatch(/^[0-9a-zA-Z]{14,}$/);
  });
});
