import { type ParsedMessage, type ParsedRequest, type ParsedResponse, parseMessage } from '@pua/sip';

const request = (lines: string, body = '') =>
  parseMessage(Buffer.from(`${lines.trim().replace(/\n/g, '\r\n')}\r\n\r\n${body}`, 'utf8'));

function good(message: ParsedMessage): ParsedRequest {
  if (message.kind !== 'request') throw new Error(`not a request: ${JSON.stringify(message)}`);
  return message;
}
function response(text: string): ParsedResponse {
  const message = parseMessage(Buffer.from(text.replace(/\n/g, '\r\n'), 'utf8'));
  if (message.kind !== 'response') throw new Error(`not a response: ${JSON.stringify(message)}`);
  return message;
}

const HEAD = `
Via: SIP/2.0/UDP host.example.com;branch=z9hG4bK1
From: <sip:a@b>;tag=1
To: <sip:c@d>
Call-ID: x
CSeq: 1 NOTIFY`;

describe('a request', () => {
  // Alone among plain characters, too: who echoes such a value must not be told that he breaks the line.
  it('a NUL in a value is a space', () => {
    for (const value of ['pa\0th', '\0', 'pä\0th', 'a\0\0b']) {
      const message = good(request(`NOTIFY sip:a@b SIP/2.0${HEAD}\nRequire: x${value}x`));
      expect(message.headers.get('Require')).toBe(`x${value.replaceAll('\0', ' ')}x`);
    }
  });

  it('with everything that is allowed and nobody writes (after RFC 4475 3.1.1.1)', () => {
    const message = good(
      request(
        `INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0
TO :
 sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n
from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>
  ;
  tag = 98asjd8
MaX-fOrWaRdS: 0068
Call-ID: wsinv.ndaksdj@192.0.2.1
Content-Length   : 150
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;branch=390skdjuw
s :
NewFangledHeader:   newfangled value
 continued newfangled value
UnknownHeaderWithUnusualValue: ;;,,;;,;
Content-Type: application/sdp
v:  SIP  / 2.0  / TCP     spindle.example.com   ;
  branch  =   z9hG4bK9ikj8  ,
 SIP  /    2.0   / UDP  192.168.255.111   ; branch=
 z9hG4bK30239
m:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =
      newvalue ;
  secondparam ; q = 0.33`,
        'v'.repeat(150),
      ),
    );
    expect(message.toTag).toBe('1918181833n');
    expect(message.cseq).toEqual({ number: 9, method: 'INVITE' });
    expect(message.via).toMatchObject({ transport: 'UDP', host: '192.0.2.2', port: undefined, branch: '390skdjuw' });
    expect(message.headers.get('from')).toBe('"J Rosenberg \\\\\\""       <sip:jdrosen@example.com> ; tag = 98asjd8');
    expect(message.headers.get('NEWFANGLEDHEADER')).toBe('newfangled value continued newfangled value');
    expect(message.headers.get('Subject')).toBe('');
    expect(message.headers.all('via')).toHaveLength(2);
    expect(message.headers.get('Contact')).toBe(
      '"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam = newvalue ; secondparam ; q = 0.33',
    );
    expect(message.body?.bytes).toHaveLength(150);
  });

  it('finds compact and long names both ways, and never the wrong one', () => {
    const { headers } = good(
      request(`NOTIFY sip:a SIP/2.0${HEAD}\no: presence\nAllow-Events: x\nc: text/plain\nx: 90`),
    );
    expect([headers.get('Event'), headers.get('o'), headers.get('EVENT')]).toEqual([
      'presence',
      'presence',
      'presence',
    ]);
    expect([headers.get('u'), headers.get('Content-Type'), headers.get('session-expires')]).toEqual([
      'x',
      'text/plain',
      '90',
    ]);
    expect([headers.get('l'), headers.get('Contact'), headers.get('z')]).toEqual([undefined, undefined, undefined]);
    expect(headers.all('nothing')).toEqual([]);
  });

  it('has no fields by the names of what every object has', () => {
    const { headers } = good(request(`NOTIFY sip:a SIP/2.0${HEAD}\no: presence`));
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect([headers.get(name), headers.all(name)]).toEqual([undefined, []]);
    }
  });

  it('keeps the URI and other bytes as they are', () => {
    const uri =
      "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com";
    expect(good(request(`OPTIONS ${uri} SIP/2.0${HEAD.replace('NOTIFY', 'OPTIONS')}`)).uri).toBe(uri);
    expect(good(request(`NOTIFY sip:grüße%00@x SIP/2.0${HEAD}\nX: €`)).uri).toBe('sip:grüße%00@x');
    const method = "!interesting-Method0123456789_*+`.%indeed'~";
    expect(good(request(`${method} sip:a SIP/2.0${HEAD.replace('NOTIFY', method)}`)).method).toBe(method);
    expect(good(request(`NOTIFY sip:a SIP/2.0${HEAD}\nX: €`)).headers.get('x')).toBe('€');
    expect(good(request(`NOTIFY unknownscheme:a;b SIP/2.0${HEAD}`)).uri).toBe('unknownscheme:a;b');
  });

  it('reads a body by Content-Length, shorter than the datagram', () => {
    const message = good(request(`NOTIFY sip:a SIP/2.0${HEAD}\nl: 3`, 'abcdef'));
    expect(message.body?.text()).toBe('abc');
    expect(good(request(`NOTIFY sip:a SIP/2.0${HEAD}`, 'abcdef')).body?.text()).toBe('abcdef');
    expect(good(request(`NOTIFY sip:a SIP/2.0${HEAD}\nContent-Length: 0`, 'abcdef')).body).toBeUndefined();
    const binary = Buffer.concat([
      Buffer.from(`NOTIFY sip:a SIP/2.0${HEAD}\nContent-Length: 4\n\n`.replace(/\n/g, '\r\n')),
      Buffer.from([0, 255, 13, 10]),
    ]);
    expect([...good(parseMessage(new Uint8Array(binary))).body!.bytes]).toEqual([0, 255, 13, 10]);
  });

  it('forgives line ends, empty lines before it, lines that are no fields, and breaks inside values', () => {
    const bare = parseMessage(Buffer.from(`\r\n\r\nNOTIFY sip:a SIP/2.0${HEAD}\nnot a field\n: x\nX: a\rb\0c\n\n`));
    expect(good(bare).headers.get('X')).toBe('a b c');
    expect(good(bare).headers.all('not a field')).toEqual([]);
  });

  it.each([
    ['no version', `NOTIFY sip:a${HEAD}`],
    ['two spaces', `NOTIFY  sip:a  SIP/2.0${HEAD}`],
    ['a space in the URI', `NOTIFY sip:a b SIP/2.0${HEAD}`],
    ['a space at the end', `NOTIFY sip:a SIP/2.0 ${HEAD}`],
    ['brackets', `NOTIFY <sip:a> SIP/2.0${HEAD}`],
    ['an unusable Via', `NOTIFY sip:a SIP/2.0${HEAD.replace('host', '')}`.replace('.example.com;', ';')],
    ['a bad port', `NOTIFY sip:a SIP/2.0${HEAD.replace('.com;', '.com:99999;')}`],
    ['a CSeq without method', `NOTIFY sip:a SIP/2.0${HEAD.replace('1 NOTIFY', '1')}`],
    ['a CSeq without number', `NOTIFY sip:a SIP/2.0${HEAD.replace('1 NOTIFY', 'NOTIFY')}`],
    ['an empty Call-ID', `NOTIFY sip:a SIP/2.0${HEAD.replace('ID: x', 'ID:')}`],
    ['a From that is none', `NOTIFY sip:a SIP/2.0${HEAD.replace('<sip:a@b>;tag=1', 'bob')}`],
    ['two lengths', `NOTIFY sip:a SIP/2.0${HEAD}\nl: 0\nContent-Length: 0`],
    ['too many lines', `NOTIFY sip:a SIP/2.0${HEAD}${'\nX: y'.repeat(600)}`],
  ])('is refused with %s', (_what, text) => {
    expect(request(text)).toMatchObject({ kind: 'error', of: 'request', reason: expect.stringMatching(/\w/) });
  });

  it('is refused without an end of its head', () => {
    const text = `NOTIFY sip:a SIP/2.0${HEAD}\n`;
    expect(parseMessage(Buffer.from(text))).toMatchObject({ kind: 'error', reason: 'Malformed Header Section' });
    expect(parseMessage(Buffer.from('NOTIFY'))).toMatchObject({ kind: 'error', of: 'unknown' });
    expect(parseMessage(Buffer.alloc(0))).toMatchObject({ kind: 'error', of: 'unknown' });
  });
});

describe('a response', () => {
  it('is read', () => {
    expect(response(`SIP/2.0 200 OK${HEAD}\n\n`)).toMatchObject({ status: 200, reason: 'OK' });
    expect(response(`SIP/2.0 200 ${HEAD}\n\n`)).toMatchObject({ status: 200, reason: '' });
    expect(response(`SIP/2.0 200${HEAD}\n\n`)).toMatchObject({ status: 200, reason: '' });
    expect(response(`sip/2.0 489 Плохо${HEAD}\n\n`)).toMatchObject({ status: 489, reason: 'Плохо' });
    expect(response(`SIP/2.0 200 OK${HEAD}\nc: text/plain\n\nhello`).body).toMatchObject({ type: 'text/plain' });
    expect(response(`SIP/2.0 200 OK${HEAD}\n\n`).callId).toBe('x');
  });

  it.each([
    `SIP/2.0 4294967301 better not break the receiver${HEAD}\n\n`,
    `SIP/2.0 99 x${HEAD}\n\n`,
    `SIP/2.0 700 x${HEAD}\n\n`,
    `SIP/2.0 2xx x${HEAD}\n\n`,
    `SIP/2.0 2e2 x${HEAD}\n\n`,
    `SIP/2.0 2.5e2 x${HEAD}\n\n`,
    `SIP/2.0 200 OK${HEAD.replace('CSeq: 1', 'CSeq: 9292394834772304023312')}\n\n`,
    `SIP/2.0 200 OK${HEAD}\nl: 7\n\nshort`,
    `SIP/2.0 200 OK${HEAD}\nv: SIP/2.0/UDP other\n\n`,
  ])('is dropped: %s', (text) => {
    expect(parseMessage(Buffer.from(text.replace(/\n/g, '\r\n')))).toMatchObject({ kind: 'error', of: 'response' });
  });
});

it('takes linear time for hostile input', () => {
  const hostile = [
    `NOTIFY sip:a SIP/2.0\r\n${' \r\n'.repeat(20_000)}`,
    `NOTIFY sip:a SIP/2.0\r\nTo: "${'\\"'.repeat(30_000)}\r\n\r\n`,
    `NOTIFY sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x${';'.repeat(60_000)}\r\n\r\n`,
    `NOTIFY sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x${';a= '.repeat(15_000)}\r\n\r\n`,
    `NOTIFY sip:a SIP/2.0\r\nX: a${'\r\n '.repeat(20_000)}\r\n\r\n`,
    `NOTIFY sip:a SIP/2.0${HEAD.replace(/\n/g, '\r\n')}\r\nX: ${'\r\r\0 '.repeat(15_000)}y\r\n\r\n`,
    'A:'.repeat(32_000),
    '\r\n'.repeat(32_000),
  ].map((text) => Buffer.from(text, 'latin1'));
  for (const bytes of hostile) {
    const before = process.cpuUsage();
    for (let i = 0; i < 5; i++) {
      const message = parseMessage(bytes);
      if (message.kind !== 'error') message.headers.get('X');
    }
    const spent = process.cpuUsage(before);
    // Quadratic time would be seconds.
    expect(spent.user + spent.system).toBeLessThan(1_000_000);
  }
});
