/** RFC 3261 10.3, step by step. */
import { type Fields, HOME, PHONE, Scene, USERS } from './scene';

let scene: Scene;
const start = async (options = {}) => {
  scene = await Scene.start({ users: USERS, domains: ['example.com', 'Example.ORG'], ...options });
  return scene;
};
afterEach(() => scene.stop());

describe('step 1: the Request-URI', () => {
  test.each([
    ['sip:elsewhere.example.net', 404],
    ['sip:example.com:5060;transport=tcp', 401],
    ['sip:EXAMPLE.org', 401],
    ['tel:+1', 404],
  ])('%s -> %d', async (uri, status) => {
    await start();
    expect(await scene.send({}, PHONE, uri)).toMatchObject({ status });
  });
});

describe('step 2: Require', () => {
  test('what is not supported is named', async () => {
    await start();
    const answer = await scene.send({ Require: ['gruu, path', 'x-y'] });
    expect(answer).toMatchObject({ status: 420 });
    expect(answer.get('Unsupported')).toBe('gruu, x-y');
  });

  test('path and outbound are', async () => {
    await start();
    expect(await scene.login({ Require: 'path, outbound' })).toMatchObject({ status: 200 });
  });
});

describe('steps 3 and 4 (see auth.test.ts)', () => {
  test('without credentials nothing is changed', async () => {
    await start();
    expect(await scene.send()).toMatchObject({ status: 401 });
    expect(scene.told()).toEqual([]);
  });

  test('for another user: 403', async () => {
    await start();
    expect(await scene.login({ To: '<sip:bob@example.com>' })).toMatchObject({ status: 403 });
    expect(scene.told()).toEqual([]);
  });
});

describe('step 5: the address of record', () => {
  test('one of another domain: 404', async () => {
    await start();
    expect(await scene.login({ To: '<sip:alice@elsewhere.example.net>' })).toMatchObject({ status: 404 });
  });

  test('is canonical', async () => {
    await start();
    await scene.login({ To: '"Alice" <sip:%61lice@EXAMPLE.com:5060;user=phone>;x=1' });
    expect(scene.events[0]).toMatchObject({ kind: 'insert', binding: { aor: 'alice@example.com' } });
  });

  test('is a user without domain where domains are not used', async () => {
    await start({ useDomain: 0 });
    await scene.login();
    expect(scene.events[0]!.binding.aor).toBe('alice');
    expect(await scene.source.bindings('sip:alice@example.org')).toHaveLength(1);
    expect(scene.source.useDomain).toBe(false);
  });
});

describe('step 6: Contact *', () => {
  test('removes all', async () => {
    await start();
    await scene.login({ Contact: `<${HOME}>, <sip:alice@192.0.2.8>` });
    scene.told();
    const answer = await scene.login({ Contact: '*', Expires: '0' });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.all('Contact')).toEqual([]);
    expect(scene.told()).toEqual([`delete ${HOME}`, 'delete sip:alice@192.0.2.8']);
  });

  test.each([
    ['without Expires', { Contact: '*' }],
    ['with another Expires', { Contact: '*', Expires: '60' }],
    ['beside a contact', { Contact: `*, <${HOME}>`, Expires: '0' }],
    ['beside a contact of another line', { Contact: [`<${HOME}>`, '*'], Expires: '0' }],
    ['twice', { Contact: '*, *', Expires: '0' }],
  ])('%s: 400, and nothing is changed', async (_, fields) => {
    await start();
    await scene.login();
    scene.told();
    expect(await scene.login(fields)).toMatchObject({ status: 400, reason: expect.stringContaining('Contact *') });
    expect(scene.told()).toEqual([]);
  });

  test('too late for one of them: refused', async () => {
    await start();
    await scene.login({ CSeq: '50 REGISTER' });
    expect(await scene.login({ Contact: '*', Expires: '0', CSeq: '50 REGISTER' })).toMatchObject({
      status: 400,
      reason: 'CSeq Out Of Order',
    });
    expect(await scene.login({ Contact: '*', Expires: '0', CSeq: '51 REGISTER' })).toMatchObject({ status: 200 });
  });
});

describe('step 7: lifetimes', () => {
  test.each<[string, Fields, number]>([
    ['the parameter goes before the header field', { Contact: `<${HOME}>;expires=100`, Expires: '200' }, 100],
    ['the header field', { Expires: '200' }, 200],
    ['neither: the default', {}, 3600],
    ['a parameter that can not be read: an hour', { Contact: `<${HOME}>;expires=soon`, Expires: '200' }, 3600],
    ['a header field that can not be read: an hour', { Expires: '-1' }, 3600],
    ['more than there is: the most there is', { Expires: '4294967295' }, 2 ** 31 - 1],
  ])('%s', async (_, fields, seconds) => {
    await start();
    const answer = await scene.login(fields);
    expect(answer.get('Contact')).toBe(`<${HOME}>;expires=${seconds}`);
    expect(scene.events[0]!.binding.expiresAt).toBe(scene.clock.wall() + seconds * 1000);
  });

  test('one that is too long is shortened, the default as well', async () => {
    await start({ maxExpires: 1800 });
    expect((await scene.login({ Expires: '7200' })).get('Contact')).toBe(`<${HOME}>;expires=1800`);
    expect((await scene.login()).get('Contact')).toBe(`<${HOME}>;expires=1800`);
  });

  test('one that is too short: 423 with Min-Expires, and nothing of the request is done', async () => {
    await start({ minExpires: 120 });
    const answer = await scene.login({ Contact: [`<${HOME}>;expires=600`, '<sip:alice@192.0.2.8>;expires=119'] });
    expect(answer).toMatchObject({ status: 423 });
    expect(answer.get('Min-Expires')).toBe('120');
    expect(scene.told()).toEqual([]);
    expect(await scene.login({ Expires: '120' })).toMatchObject({ status: 200 });
    expect(await scene.login({ Expires: '0' })).toMatchObject({ status: 200 });
  });

  test('insert, update with another Call-ID, expire', async () => {
    await start();
    await scene.login({ Expires: '60' });
    await scene.login({ Expires: '60', 'Call-ID': 'after a reboot', CSeq: '1 REGISTER' });
    expect(scene.events.map(({ kind }) => kind)).toEqual(['insert', 'update']);
    expect(scene.events[1]!.previous!.callId).toBe('call');
    scene.told();
    scene.clock.advance(60_000);
    expect(scene.told()).toEqual([`expire ${HOME}`]);
  });

  test('a CSeq that is not higher: refused', async () => {
    await start();
    await scene.login({ CSeq: '50 REGISTER' });
    for (const CSeq of ['50 REGISTER', '49 REGISTER'])
      expect(await scene.login({ CSeq, Contact: ['<sip:other@h>', `<${HOME}>`] })).toMatchObject({ status: 400 });
    expect(scene.told()).toEqual([`insert ${HOME}`]);
  });

  test('too many contacts: 403; no place at all: 503', async () => {
    await start({ maxContacts: 2, maxBindings: 2 });
    const three = { Contact: '<sip:a@h>, <sip:b@h>, <sip:c@h>' };
    expect(await scene.login(three)).toMatchObject({ status: 403, reason: 'More Than 2 Contacts' });
    await scene.stop();
    await start({ maxBindings: 2 });
    const answer = await scene.login(three);
    expect(answer).toMatchObject({ status: 503 });
    expect(answer.get('Retry-After')).toBe('10');
    expect(scene.told()).toEqual([]);
  });
});

describe('step 8: the answer', () => {
  test('lists all bindings with the time they have left, and the date', async () => {
    await start();
    await scene.login({
      Contact: `"Alice, at home" <${HOME};transport=udp>;q=0.7;expires=600;+sip.instance="<urn:uuid:1>";methods="INVITE, \\"X\\"";audio`,
    });
    scene.clock.advance(100_500);
    const answer = await scene.login({ Contact: undefined });
    expect(answer.all('Contact')).toEqual([
      `<${HOME};transport=udp>;expires=500;q=0.7;+sip.instance="<urn:uuid:1>";methods="INVITE, \\"X\\"";audio`,
    ]);
    expect(answer.get('Date')).toBe('Mon, 01 Jan 2024 00:01:40 GMT');
    expect(answer.get('Supported')).toBe('path, outbound');
    expect(answer.get('Require')).toBeUndefined();
  });

  test('of a binding that should be over by a clock that was put right meanwhile: a second', async () => {
    await start();
    await scene.login({ Expires: '60' });
    scene.clock.jumpWall(3_600_000);
    expect((await scene.login({ Contact: undefined })).get('Contact')).toBe(`<${HOME}>;expires=1`);
  });

  test('the binding has what the REGISTER says', async () => {
    await start();
    await scene.login({
      From: '"Boss" <sip:boss@example.com>;tag=7',
      m: `<${HOME}>;q=1.0;+sip.instance="<urn:uuid:1>";pub-gruu="sip:alice@example.com;gr=1";temp-gruu="sip:t@example.com;gr";received="sip:liar@h";x=y`,
      Contact: undefined,
      'User-Agent': 'Phone/1.0',
    });
    expect(scene.events[0]).toMatchObject({
      kind: 'insert',
      binding: {
        contact: HOME,
        q: 1,
        instance: 'urn:uuid:1',
        pubGruu: 'sip:alice@example.com;gr=1',
        tempGruu: 'sip:t@example.com;gr',
        params: { x: 'y' },
        callId: 'call',
        received: 'sip:192.0.2.7:4001',
        userAgent: 'Phone/1.0',
      },
      hints: { fromUri: 'sip:boss@example.com' },
    });
  });

  test.each([
    ['tcp', '192.0.2.7', 'sip:192.0.2.7:4001;transport=tcp'],
    ['wss', '2001:db8::7', 'sip:[2001:db8::7]:4001;transport=wss'],
  ] as const)('received over %s from %s is %s', async (transport, host, received) => {
    await start();
    await scene.login({}, { source: { transport, host, port: 4001 } });
    expect(scene.events[0]!.binding.received).toBe(received);
  });
});

describe('Path (RFC 3327)', () => {
  const Path = ['<sip:edge2.example.com;lr>', '<sip:edge1.example.com;lr>;x=1'];

  test('is kept in its order, and shown to who supports it', async () => {
    await start();
    const answer = await scene.login({ Path, Supported: 'path' });
    expect(answer.get('Path')).toBe(Path.join(', '));
    expect(scene.events[0]!.binding.path).toBe(Path.join(', '));
    const silent = await scene.login({ Path });
    expect(silent.get('Path')).toBeUndefined();
    expect(scene.events[1]!.binding.path).toBe(Path.join(', '));
  });

  test.each(['<sip:edge', '*', '<sip:a@h> <sip:b@h>'])('%s: 400', async (path) => {
    await start();
    expect(await scene.login({ Path: path })).toMatchObject({ status: 400, reason: 'Malformed Path' });
  });
});

describe('flows (RFC 5626 section 6)', () => {
  const flow = (uri: string) => `<${uri}>;+sip.instance="<urn:uuid:1>";reg-id=1`;
  const behind = { Via: ['SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK2', 'SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1'] };
  const edge = { ...behind, Path: '<sip:edge.example.com;lr;ob>' };
  const Supported = 'path, outbound';

  test('replace their binding when their address changes', async () => {
    await start();
    await scene.login({ Contact: flow(HOME) });
    await scene.login({ Contact: flow('sip:alice@192.0.2.7:9999'), 'Call-ID': 'another' });
    expect(scene.told()).toEqual([`insert ${HOME}`, 'update sip:alice@192.0.2.7:9999']);
  });

  test('through an edge proxy are promised', async () => {
    await start();
    const answer = await scene.login({ ...edge, Contact: flow(HOME), Supported });
    expect(answer.get('Require')).toBe('outbound');
    expect(scene.events[0]!.binding).toMatchObject({ regId: 1, bindingId: 'urn:uuid:1;1' });
  });

  test('are promised to nobody who does not support them', async () => {
    await start();
    expect((await scene.login({ ...edge, Contact: flow(HOME) })).get('Require')).toBeUndefined();
  });

  test('direct ones over connections are promised, over UDP not', async () => {
    await start();
    const source = { ...PHONE, transport: 'tcp' } as const;
    expect((await scene.login({ Contact: flow(HOME), Supported }, { source })).get('Require')).toBe('outbound');
    expect((await scene.login({ Contact: flow(HOME), Supported })).get('Require')).toBeUndefined();
    expect(await scene.login({ Contact: flow(HOME), Require: 'outbound' })).toMatchObject({ status: 439 });
  });

  test('through a proxy that knows nothing of them: 439, or no flow', async () => {
    await start();
    expect(await scene.login({ ...behind, Contact: flow(HOME), Supported })).toMatchObject({ status: 439 });
    expect(scene.told()).toEqual([]);
    expect(await scene.login({ ...behind, Contact: flow(HOME) })).toMatchObject({ status: 200 });
    expect(scene.events[0]!.binding.regId).toBeUndefined();
  });

  test('come one at a time; others may end with them', async () => {
    await start();
    expect(await scene.login({ Contact: `${flow(HOME)}, <sip:b@h>` })).toMatchObject({ status: 400 });
    expect(await scene.login({ Contact: `${flow(HOME)}, <sip:b@h>;expires=0` })).toMatchObject({ status: 200 });
  });

  test('without an instance are none', async () => {
    await start();
    await scene.login({ Contact: `<${HOME}>;reg-id=1` });
    expect(scene.events[0]!.binding.regId).toBeUndefined();
  });
});

describe('pua_set_publish()', () => {
  test('the predicate sees the request and the binding; its word stays with the binding', async () => {
    const seen: unknown[] = [];
    await start({
      publish: (info: object, binding: { contact: string }) => {
        seen.push({ ...info, headers: undefined }, binding.contact);
        return false;
      },
    });
    await scene.login({ Expires: '60' });
    scene.clock.advance(60_000);
    expect(seen).toEqual([
      {
        uri: 'sip:example.com',
        fromUri: 'sip:alice@example.com',
        toUri: 'sip:alice@example.com',
        source: PHONE,
        trusted: false,
        username: 'alice',
      },
      HOME,
    ]);
    expect(scene.events.map(({ kind, hints }) => [kind, hints!.publish])).toEqual([
      ['insert', false],
      ['expire', false],
    ]);
  });

  test('without one nothing is decided', async () => {
    await start();
    await scene.login();
    expect(scene.events[0]!.hints).toEqual({ fromUri: 'sip:alice@example.com' });
  });
});
