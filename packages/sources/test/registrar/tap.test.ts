import { HOME, PHONE, PROXY, Scene, USERS } from './scene';

let scene: Scene;
afterEach(() => scene.stop());
const start = async (options = {}) => {
  scene = await Scene.start({ trusted: ['10.0.0.0/29', '2001:db8::/64'], ...options });
};
const PHONE_VIA = 'SIP/2.0/TCP 192.168.1.2:5062;branch=z9hG4bK1;received=198.51.100.9;rport=40001';
const copied = { Via: ['SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK2', PHONE_VIA] };

test('a copy from a trusted address needs no credentials, and is answered', async () => {
  await start();
  const answer = await scene.send(copied, PROXY);
  expect(answer.status).toBe(200);
  expect(answer.all('Contact')).toEqual([`<${HOME}>;expires=3600`]);
  expect(scene.told()).toEqual([`insert ${HOME}`]);
});

test.each([
  ['10.0.0.7', 200],
  ['10.0.0.8', 403],
  ['::ffff:10.0.0.1', 200],
  ['2001:db8::99', 200],
  ['2001:db8:0:1::1', 403],
  ['proxy.example.com', 403],
])('from %s -> %d', async (host, status) => {
  await start();
  for (let i = 0; i < 2; i++) expect((await scene.send({}, { ...PROXY, host })).status).toBe(status);
  expect(scene.told()).toHaveLength(status === 200 ? 2 : 0);
});

test('others must authenticate, when there are users', async () => {
  await start({ users: USERS, domains: ['example.com'] });
  expect((await scene.send(copied, PROXY)).status).toBe(200);
  expect((await scene.send({}, PHONE)).status).toBe(401);
  expect((await scene.login({}, { source: PHONE })).status).toBe(200);
});

test('lifetimes are those of the request: what the registrar has granted, it has granted', async () => {
  await start({ minExpires: 120 });
  expect((await scene.send({ Expires: '5' }, PROXY)).status).toBe(200);
  scene.clock.advance(5_000);
  expect(scene.told()).toEqual([`insert ${HOME}`, `expire ${HOME}`]);
});

test('nothing is refused that the registrar took: extensions, flows', async () => {
  await start();
  const fields = {
    ...copied,
    Require: 'gruu, x',
    Supported: 'outbound',
    Contact: `<${HOME}>;+sip.instance="<urn:uuid:1>";reg-id=2`,
  };
  expect((await scene.send(fields, PROXY)).status).toBe(200);
  expect(scene.events[0]!.binding).toMatchObject({ bindingId: 'urn:uuid:1;2' });
});

test('any domain, or those that are named', async () => {
  await start();
  expect((await scene.send({ To: '<sip:bob@other.example>' }, PROXY)).status).toBe(200);
  expect((await scene.send({ To: '<tel:+1>', 'Call-ID': 't' }, PROXY)).status).toBe(200);
  expect(scene.events.map(({ binding }) => binding.aor)).toEqual(['bob@other.example', 'tel:+1']);
  await scene.stop();
  await start({ domains: ['example.com'] });
  expect((await scene.send({ To: '<sip:bob@other.example>' }, PROXY)).status).toBe(404);
  expect((await scene.send({}, PROXY)).status).toBe(200);
});

test('out of order copies are refused as anywhere', async () => {
  await start();
  await scene.send({ CSeq: '9 REGISTER' }, PROXY);
  expect((await scene.send({ CSeq: '8 REGISTER', Contact: '*', Expires: '0' }, PROXY)).status).toBe(400);
  expect(scene.told()).toEqual([`insert ${HOME}`]);
});

describe('where the phone is', () => {
  test.each([
    [
      'the received parameter of the contact',
      { ...copied, Contact: `<${HOME}>;received="sip:203.0.113.5:7000"` },
      'sip:203.0.113.5:7000',
    ],
    [
      'the received parameter of the Path',
      { ...copied, Path: '<sip:10.0.0.5;lr;received=sip:203.0.113.6:7001%3Btransport%3Dtls>' },
      'sip:203.0.113.6:7001;transport=tls',
    ],
    ['the Via of the phone', copied, 'sip:198.51.100.9:40001;transport=tcp'],
    ['the Via of the phone, in one line', { Via: copied.Via.join(', ') }, 'sip:198.51.100.9:40001;transport=tcp'],
    ['its sent-by', { Via: [copied.Via[0]!, 'SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bK1'] }, 'sip:192.0.2.9:5060'],
    [
      'its sent-by over TLS',
      { Via: [copied.Via[0]!, 'SIP/2.0/TLS [2001:db8::5];branch=z9hG4bK1'] },
      'sip:[2001:db8::5]:5061;transport=tls',
    ],
    [
      'a Path that says nothing',
      { ...copied, Path: '<sip:10.0.0.5;lr;received=%ff>' },
      'sip:198.51.100.9:40001;transport=tcp',
    ],
    [
      'a Path that says what is no URI',
      { ...copied, Path: '<sip:10.0.0.5;lr;received=%22nonsense%22>' },
      'sip:198.51.100.9:40001;transport=tcp',
    ],
    ['a Via that can not be read', { Via: [copied.Via[0]!, 'nonsense'] }, 'sip:10.0.0.5:5060'],
    ['the sender, when there is no other Via', {}, 'sip:10.0.0.5:5060'],
  ])('%s', async (_, fields, received) => {
    await start();
    expect((await scene.send(fields, PROXY)).status).toBe(200);
    expect(scene.events[0]!.binding.received).toBe(received);
  });

  test('a phone that is not trusted can not say it', async () => {
    await start({ users: USERS, domains: ['example.com'] });
    await scene.login({ Contact: `<${HOME}>;received="sip:203.0.113.5:7000"`, Path: '<sip:x;received=sip:y>' });
    expect(scene.events[0]!.binding.received).toBe('sip:192.0.2.7:4001');
  });
});
