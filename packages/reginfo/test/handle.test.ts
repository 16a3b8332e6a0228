/** Documents of NOTIFYs -> the sink (RFC 3680 section 5.2, spec: section 6 and what is done better). */
import type { Registration } from '@pua/documents';
import type { HandledReginfo, ReceivedReginfo, ReginfoNotify } from '@pua/reginfo';
import { Consumer } from '../dist/consumer.js';
import { checkOptions } from '../dist/options.js';
import { contact, document, registration } from './support/documents';
import { ALICE, binding, FakeRegistrar, HOUR, NOW } from './support/registrar';
import { type NodeOptions, SERVER_ADDRESS, World } from './support/world';

let world: World;
let sink: FakeRegistrar;
let told: ReginfoNotify[];
let handle: (body: string, more?: Partial<ReceivedReginfo>) => Promise<HandledReginfo>;

beforeEach(async () => {
  world = await World.start();
  sink = new FakeRegistrar();
  await start();
});
afterEach(async () => {
  await world.stop();
  expect(world.faults).toEqual([]);
});

async function start(options: NodeOptions = {}) {
  told = [];
  const { module } = await world.node({
    sink,
    onReginfo: (one) => void told.push(one),
    host: `10.0.1.${world.nodes.length + 1}`,
    ...options,
  });
  handle = (body, more = {}) => module.reginfoHandleNotify({ subscriptionId: 's1', dialog: 'd1', body, ...more });
}

/** Two registrations of one AOR, as servers put them together that no single notifier may write. */
const joined = (version: number, one: Registration, other: Registration) =>
  document(version, 'full', [one, { ...other, aor: 'sip:other@example.com' }]).replace('sip:other@', 'sip:alice@');

const uris = () => sink.learned.map(({ contact: uri }) => uri).sort();

describe('checks', () => {
  test('no body: 1 at once', async () => {
    expect(await handle('')).toEqual({ contacts: 0, changed: 0, code: 1, gap: false });
  });

  test.each([
    ['not well-formed', { body: '<reginfo' }, /end|closed|tag/i],
    ['another root', { body: '<presence xmlns="urn:ietf:params:xml:ns:pidf"/>' }, /reginfo/],
    ['no namespace', { body: '<reginfo version="0" state="full"/>' }, /reginfo/],
    ['a DTD', { body: '<!DOCTYPE reginfo [<!ENTITY x "y">]><reginfo/>' }, /DOCTYPE|DTD/],
    ['too large', { body: `<reginfo>${' '.repeat(300_000)}</reginfo>` }, /larger than/],
    ['no AOR that is one', { body: document(0, 'full', [registration([], { aor: 'http://x' })]) }, /no SIP URI/],
  ])('-1: %s', async (_name, received, message) => {
    const { body, ...more } = received as { body: string; contentType?: string };
    const handled = await handle(body, more);
    expect(handled).toMatchObject({ contacts: 0, changed: 0, code: -1, gap: false });
    expect(handled.fault).toMatchObject({ code: 'PUA_ERR_DOCUMENT', message: expect.stringMatching(message) });
  });

  test.each(['text/plain', ''])('-1: Content-Type %j', async (contentType) => {
    const handled = await handle(document(0, 'full', []), { contentType });
    expect(handled).toMatchObject({ contacts: 0, changed: 0, code: -1, gap: false });
    expect(handled.fault).toMatchObject({
      code: 'PUA_ERR_MEDIA_TYPE',
      message: `Content-Type ${JSON.stringify(contentType)} is not application/reginfo+xml`,
    });
  });

  test('the type with parameters and in capitals', async () => {
    const body = document(0, 'full', [contact('c1')]);
    expect(await handle(body, { contentType: 'Application/Reginfo+XML; charset=utf-8' })).toMatchObject({ code: 1 });
  });

  test('one AOR that is none is passed over, and told', async () => {
    const wrong = registration([], { aor: 'http://x', id: 'r2' });
    expect(await handle(document(0, 'full', [wrong, registration([contact('c1')])]))).toMatchObject({ code: 1 });
    expect(world.faults.splice(0).map(({ where }) => where)).toEqual(['reginfo: a registration that is passed over']);
  });
});

describe('results', () => {
  test('1: contacts; 2: none left', async () => {
    expect(await handle(document(0, 'full', [contact('c1'), contact('c2')]))).toEqual({
      contacts: 2,
      changed: 2,
      code: 1,
      gap: false,
    });
    const over = [contact('c1', { state: 'terminated' }), contact('c2', { state: 'terminated' })];
    expect(await handle(document(1, 'partial', over))).toEqual({ contacts: 0, changed: 2, code: 2, gap: false });
  });

  test('BETTER: an unknown AOR that is terminated is 2', async () => {
    expect(await handle(document(0, 'full', [registration([])]))).toEqual({
      contacts: 0,
      changed: 0,
      code: 2,
      gap: false,
    });
  });

  test('over several registrations 1 wins', async () => {
    const bob = registration([contact('b1')], { aor: 'sip:bob@example.com', id: 'r2' });
    expect(await handle(document(0, 'full', [bob, registration([])]))).toMatchObject({ contacts: 1, code: 1 });
  });
});

describe('registration states', () => {
  test('terminated: all contacts go, named or not', async () => {
    await handle(document(0, 'full', [contact('c1'), contact('c2')]));
    sink.written();
    await handle(document(1, 'partial', [registration([contact('c2', { state: 'terminated', event: 'rejected' })])]));
    expect(sink.written()).toEqual([`expired ${ALICE} sip:c1@192.0.2.1`, `rejected ${ALICE} sip:c2@192.0.2.1`]);
    await handle(document(2, 'partial', [contact('c3')]));
    sink.written();
    await handle(document(3, 'full', [registration([], { state: 'terminated' })]));
    expect(uris()).toEqual([]);
  });

  test('BETTER: init is legal: known, without contacts', async () => {
    expect(await handle(document(0, 'full', [registration([], { state: 'init' })]))).toMatchObject({ code: 2 });
    await handle(document(1, 'partial', [contact('c1')]));
    expect(await handle(document(2, 'full', [registration([], { state: 'init' })]))).toMatchObject({ code: 2 });
    expect(uris()).toEqual([]);
  });

  test('a terminated registration may be absent or init in the next document', async () => {
    await handle(document(0, 'full', [contact('c1')]));
    await handle(document(1, 'partial', [registration([])]));
    expect(await handle(document(2, 'full', []))).toMatchObject({ code: 2, changed: 0 });
    expect(await handle(document(3, 'partial', [registration([], { state: 'init' })]))).toMatchObject({ code: 2 });
  });
});

describe('BETTER: state and event of each contact', () => {
  test.each(['registered', 'created', 'refreshed', 'shortened'] as const)('%s: written', async (event) => {
    await handle(document(0, 'full', [contact('c1', { event })]));
    expect(uris()).toEqual(['sip:c1@192.0.2.1']);
  });

  test.each(['expired', 'deactivated', 'unregistered', 'rejected'] as const)('%s: removed, and why', async (event) => {
    await handle(document(0, 'full', [contact('c1'), contact('c2')]));
    sink.written();
    await handle(
      document(1, 'partial', [registration([contact('c1', { state: 'terminated', event })], { state: 'active' })]),
    );
    expect(sink.written()).toEqual([`${event} ${ALICE} sip:c1@192.0.2.1`]);
    expect(uris()).toEqual(['sip:c2@192.0.2.1']);
  });

  test('probation: the application learns when the phone may come back', async () => {
    await handle(document(0, 'full', [contact('c1')]));
    await handle(document(1, 'partial', [contact('c1', { state: 'terminated', event: 'probation', retryAfter: 60 })]));
    expect(told.at(-1)!.contacts[0]).toMatchObject({ event: 'probation', retryAfter: 60 });
    expect(uris()).toEqual([]);
  });

  test('terminated is over whatever expires says (as Kamailio writes it)', async () => {
    await handle(document(0, 'full', [contact('c1'), contact('c2')]));
    const both = registration([
      contact('c1', { state: 'terminated', event: 'unregistered', expires: 500 }),
      contact('c2'),
    ]);
    await handle(document(1, 'full', [both]));
    expect(uris()).toEqual(['sip:c2@192.0.2.1']);
  });

  test('active with nothing left is over', async () => {
    await handle(document(0, 'full', [contact('c1')]));
    expect(await handle(document(1, 'partial', [contact('c1', { expires: 0 })]))).toMatchObject({ code: 2 });
    expect(uris()).toEqual([]);
  });

  test("Kamailio's words for it: an event it does not know, no id, negative expires, empty attributes", async () => {
    const body = `<?xml version="1.0"?>
      <reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">
        <registration aor="sip:alice@example.com" id="0x7f10c2a0" state="active">
          <contact id="0x7f10c3b8" state="active" event="unknown" expires="-1704067200" q="0.700" callid="reg-55d"
                   cseq="18" received="sip:192.0.2.61:49812" path="" user_agent="TruckPhone 2.1">
            <uri>sip:alice@192.0.2.61;transport=tcp</uri></contact>
        </registration></reginfo>`;
    expect(await handle(body, { expires: 300 })).toMatchObject({ contacts: 1, code: 1 });
    expect(sink.learned[0]).toMatchObject({
      callId: 'reg-55d',
      cseq: 18,
      q: 0.7,
      received: 'sip:192.0.2.61:49812',
      userAgent: 'TruckPhone 2.1',
      expiresAt: NOW + 20 + 300_000,
    });
    expect(sink.learned[0]).not.toHaveProperty('path');
  });
});

describe('bindings', () => {
  test('all that is told of a contact', async () => {
    const full = contact('c1', {
      uri: 'sip:alice@192.0.2.61:49812;transport=tcp',
      expires: 1740,
      durationRegistered: 60,
      q: 0.7,
      callId: 'reg-55d@192.0.2.61',
      cseq: 18,
      displayName: 'Alice "A" <b>',
      params: [
        { name: '+sip.instance', value: '"<urn:uuid:0b7f6a52>"' },
        { name: 'reg-id', value: '1' },
        { name: 'methods', value: '"INVITE,BYE"' },
        { name: 'audio', value: '' },
      ],
      pubGruu: 'sip:alice@example.com;gr=x',
      tempGruu: { uri: 'sip:t@example.com;gr', firstCseq: 17 },
      compat: { received: 'sip:192.0.2.61:49812', path: '<sip:e;lr>', userAgent: 'x' },
    });
    await handle(document(0, 'full', [full]));
    const now = world.clock.wall();
    expect(sink.learned).toEqual([
      {
        aor: ALICE,
        bindingId: expect.stringMatching(/^ri-[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}$/),
        contact: 'sip:alice@192.0.2.61:49812;transport=tcp',
        expiresAt: now + 1_740_000,
        registeredAt: now - 60_000,
        q: 0.7,
        callId: 'reg-55d@192.0.2.61',
        cseq: 18,
        instance: 'urn:uuid:0b7f6a52',
        regId: 1,
        params: { methods: 'INVITE,BYE', audio: true },
        pubGruu: 'sip:alice@example.com;gr=x',
        tempGruu: 'sip:t@example.com;gr',
        received: 'sip:192.0.2.61:49812',
        path: '<sip:e;lr>',
        userAgent: 'x',
        origin: 'reginfo',
      },
    ]);
    expect(told).toEqual([
      {
        aor: 'sip:alice@example.com',
        registrationState: 'active',
        full: true,
        version: 0,
        contacts: [
          {
            id: 'c1',
            state: 'active',
            event: 'registered',
            uri: 'sip:alice@192.0.2.61:49812;transport=tcp',
            expires: 1740,
            durationRegistered: 60,
            q: 0.7,
            callId: 'reg-55d@192.0.2.61',
            cseq: 18,
            displayName: 'Alice "A" <b>',
            params: { '+sip.instance': '<urn:uuid:0b7f6a52>', 'reg-id': '1', methods: 'INVITE,BYE', audio: true },
            pubGruu: 'sip:alice@example.com;gr=x',
            tempGruu: { uri: 'sip:t@example.com;gr', firstCseq: 17 },
          },
        ],
      },
    ]);
  });

  test('BETTER: missing attributes: Call-ID is the id, no CSeq, the lifetime is that of the subscription', async () => {
    const { expires: _, ...bare } = contact('c1');
    await handle(document(0, 'full', [bare, contact('c2', { cseq: 7 })]), { expires: 120 });
    const [first] = sink.learned;
    expect(first).toMatchObject({ callId: 'c1', expiresAt: world.clock.wall() + 120_000 });
    expect(first).not.toHaveProperty('cseq');
    await handle(document(1, 'partial', [bare]), { expires: undefined });
    expect(sink.learned.at(-1)!.expiresAt).toBe(world.clock.wall() + HOUR);
  });

  test('BETTER: without domains the key is the user, with them user@host', async () => {
    await handle(document(0, 'full', [registration([contact('c1')], { aor: 'sip:Alice@EXAMPLE.com:5060' })]));
    expect(sink.learned[0]!.aor).toBe('Alice@example.com');
    sink = new FakeRegistrar({ useDomain: false });
    await start();
    await handle(document(0, 'full', [registration([contact('c1')], { aor: 'sip:Alice@EXAMPLE.com:5060' })]));
    expect(sink.learned[0]!.aor).toBe('Alice');
  });

  test.each([
    ['of the call', {}, { table: 'aliases' }],
    ['of ul_domain', { ulDomain: 'aliases' }, {}],
  ])('the table %s', async (_name, options, received) => {
    await start(options);
    await handle(document(0, 'full', [contact('c1')]), received);
    expect(sink.learned[0]!.table).toBe('aliases');
  });

  test('several URIs in one contact, as the C modules take them', async () => {
    const body = document(0, 'full', [contact('c1')]).replace('</uri>', '</uri><uri>sip:other@192.0.2.2</uri>');
    expect(await handle(body)).toMatchObject({ contacts: 2 });
    expect(uris()).toEqual(['sip:c1@192.0.2.1', 'sip:other@192.0.2.2']);
  });

  test('BETTER: a new public GRUU replaces the old one of the same instance (RFC 5628)', async () => {
    const params = [{ name: '+sip.instance', value: '"<urn:uuid:1>"' }];
    const gruu = (id: string, pubGruu: string, cseq = 1) => contact(id, { params, pubGruu, cseq });
    const other = contact('c3', { params: [{ name: '+sip.instance', value: '"<urn:uuid:2>"' }], pubGruu: 'sip:g3' });
    await handle(document(0, 'full', [gruu('c1', 'sip:old'), gruu('c2', 'sip:old'), other]));
    await handle(document(1, 'partial', [gruu('c2', 'sip:new', 2)]));
    expect(sink.learned.map(({ contact: uri, pubGruu, cseq }) => [uri, pubGruu, cseq]).sort()).toEqual([
      ['sip:c1@192.0.2.1', 'sip:new', 1],
      ['sip:c2@192.0.2.1', 'sip:new', 2],
      ['sip:c3@192.0.2.1', 'sip:g3', undefined],
    ]);
    await handle(document(2, 'full', [gruu('c2', 'sip:newest')]));
    expect(uris()).toEqual(['sip:c2@192.0.2.1']);
  });
});

describe('BETTER: full and partial, versions', () => {
  test('the first version is taken as it is, one up is processed', async () => {
    expect(await handle(document(17, 'full', [contact('c1')]))).toMatchObject({ gap: false });
    expect(await handle(document(18, 'partial', [contact('c2')]))).toMatchObject({ gap: false, changed: 1 });
    expect(uris()).toEqual(['sip:c1@192.0.2.1', 'sip:c2@192.0.2.1']);
  });

  test('the first one is partial: processed, and full state is asked for', async () => {
    expect(await handle(document(3, 'partial', [contact('c1')]))).toMatchObject({ gap: true, contacts: 1 });
  });

  test.each(['full', 'partial'] as const)('further up, %s: processed, and full state is asked for', async (state) => {
    await handle(document(0, 'full', [contact('c1')]));
    expect(await handle(document(2, state, [contact('c2')]))).toMatchObject({ gap: true, code: 1 });
    expect(uris()).toContain('sip:c2@192.0.2.1');
    expect(await handle(document(3, 'partial', [contact('c3')]))).toMatchObject({ gap: false });
  });

  test.each([4, 5])('after version 5, %i is dropped', async (version) => {
    await handle(document(5, 'full', [contact('c1')]));
    told = [];
    expect(await handle(document(version, 'full', []))).toMatchObject({ changed: 0, gap: false });
    expect(uris()).toEqual(['sip:c1@192.0.2.1']);
    expect(told).toEqual([]);
  });

  test('a new dialog: the counter begins anew, and what the first full document does not name goes', async () => {
    const bob = registration([contact('b1')], { aor: 'sip:bob@example.com', id: 'r2' });
    await handle(document(9, 'full', [bob, registration([contact('c1'), contact('c2')])]));
    expect(await handle(document(0, 'full', [contact('c2')]), { dialog: 'd2' })).toMatchObject({ gap: false });
    expect(uris()).toEqual(['sip:c2@192.0.2.1']);
  });

  test('full flushes every AOR of the subscription, and nothing else', async () => {
    const local = sink.insert(binding());
    await handle(document(0, 'full', [contact('x1')]), { subscriptionId: 's2' });
    const bob = registration([contact('b1')], { aor: 'sip:bob@example.com', id: 'r2' });
    await handle(document(0, 'full', [bob, registration([contact('c1')])]));
    await handle(document(1, 'full', []));
    expect([...sink.held.values()].map(({ contact: uri }) => uri).sort()).toEqual(
      [local.contact, 'sip:x1@192.0.2.1'].sort(),
    );
  });

  test('partial merges', async () => {
    await handle(document(0, 'full', [contact('c1'), contact('c2')]));
    sink.written();
    const changed = registration([contact('c2', { expires: 60 }), contact('c1', { state: 'terminated' })]);
    await handle(document(1, 'partial', [changed]));
    expect(sink.written()).toEqual([`expired ${ALICE} sip:c1@192.0.2.1`, `update ${ALICE} sip:c2@192.0.2.1`]);
  });

  test('a subscription that is over is forgotten: its next document is the first one', async () => {
    await handle(document(5, 'full', [contact('c1')]), { over: true });
    expect(await handle(document(0, 'full', [contact('c2')]))).toMatchObject({ changed: 2, gap: false });
  });

  test.each([
    ['without a body', ''],
    ['that cannot be read', '<reginfo'],
  ])('also when that is said by one %s', async (_name, body) => {
    await handle(document(5, 'full', [contact('c1')]));
    await handle(body, { over: true });
    expect(await handle(document(0, 'full', [contact('c2')]))).toMatchObject({ changed: 2, gap: false });
  });

  test('after a restart of ours: what the first full document does not name goes', async () => {
    await handle(document(7, 'full', [contact('c1'), contact('c2')]));
    await start();
    await handle(document(9, 'full', [contact('c2')]));
    expect(uris()).toEqual(['sip:c2@192.0.2.1']);
    await start();
    await handle(document(10, 'full', []), { uri: 'sip:alice@example.com' });
    expect(uris()).toEqual([]);
  });

  test('after a restart of ours: also of an AOR that is not the one subscribed to', async () => {
    const bob = registration([contact('b1')], { aor: 'sip:bob@example.com', id: 'r2' });
    await handle(document(7, 'full', [bob, registration([contact('c1')])]));
    await handle(document(0, 'full', [registration([contact('x1')], { aor: 'sip:bob@example.com' })]), {
      subscriptionId: 's2',
    });
    await start();
    await handle(document(8, 'full', [registration([contact('c1')])]), { uri: 'sip:alice@example.com' });
    expect(uris()).toEqual(['sip:c1@192.0.2.1', 'sip:x1@192.0.2.1']);
  });

  test('after a restart of ours: a partial one takes only what it names, or whose registration is over', async () => {
    const second = registration([contact('d1')], { id: 'r2' });
    await handle(joined(0, registration([contact('c1'), contact('c2')]), second));
    expect(uris()).toHaveLength(3);
    await start();
    await handle(document(8, 'partial', [registration([contact('c1', { state: 'terminated' })], { state: 'active' })]));
    expect(uris()).toEqual(['sip:c2@192.0.2.1', 'sip:d1@192.0.2.1']);
    await handle(document(9, 'partial', [registration([], { id: 'r2' })]));
    expect(uris()).toEqual(['sip:c2@192.0.2.1']);
  });
});

describe('a sink that writes AORs in its own way', () => {
  beforeEach(async () => {
    const listOwned = sink.listOwned.bind(sink);
    const upsert = sink.upsert.bind(sink);
    const own = (aor: string) => aor.replace('%61', 'a');
    sink.listOwned = (aor, id) => listOwned(own(aor), id);
    sink.upsert = (one, meta) => upsert({ ...one, aor: own(one.aor) }, meta);
    await start();
  });

  test('keeps the contacts of a URI that was subscribed to in another spelling', async () => {
    const uri = 'sip:%61lice@example.com';
    for (let version = 0; version < 2; version++) await handle(document(version, 'full', [contact('c1')]), { uri });
    expect(uris()).toEqual(['sip:c1@192.0.2.1']);
    await handle(document(2, 'full', []), { uri });
    expect(uris()).toEqual([]);
  });

  test('keeps what an earlier run has learned, and its notifier still tells', async () => {
    const spelled = registration([contact('c1')], { aor: 'sip:%61lice@example.com' });
    await handle(document(0, 'full', [spelled]));
    await start();
    await handle(document(1, 'full', [spelled]));
    expect(uris()).toEqual(['sip:c1@192.0.2.1']);
  });
});

describe('BETTER: what one subscription tells is bounded', () => {
  /** Registrations that no document has named before. */
  const strangers = (version: number, state: 'init' | 'terminated') =>
    document(
      version,
      'partial',
      Array.from({ length: 20 }, (_, i) =>
        registration([], { aor: `sip:${version}-${i}@h`, id: `${version}-${i}`, state }),
      ),
    );
  const refusal = {
    code: -1,
    gap: false,
    fault: { code: 'PUA_ERR_DOCUMENT', message: 's: more than 100 contacts, registrations and AORs' },
  };
  let take: (body: string) => Promise<HandledReginfo>;

  beforeEach(async () => {
    const consumer = new Consumer(world.clock, checkOptions({ sink }), 100);
    await consumer.open();
    take = (body) => consumer.handle({ subscriptionId: 's', body });
  });

  test('contacts, over however many documents they are spread', async () => {
    const many = (from: number) => Array.from({ length: 30 }, (_, i) => contact(`c${from + i}`));
    await take(document(0, 'full', many(0)));
    for (const version of [1, 2]) await take(document(version, 'partial', many(30 * version)));
    expect(await take(document(3, 'partial', many(90)))).toMatchObject(refusal);
    // What was taken before holds.
    expect(await take(document(3, 'partial', [contact('c0')]))).toMatchObject({ contacts: 90, gap: false });
    expect(uris()).toHaveLength(90);
  });

  test('AORs that may have contacts from earlier runs, until a full document shows', async () => {
    for (let version = 0; version < 5; version++)
      expect(await take(strangers(version, 'terminated'))).toMatchObject({ code: 2 });
    expect(await take(strangers(5, 'terminated'))).toMatchObject(refusal);
    await take(document(5, 'full', [contact('c1')]));
    for (let version = 6; version < 20; version++)
      expect(await take(strangers(version, 'terminated'))).toMatchObject({ code: 2 });
  });

  test('registrations without contacts', async () => {
    await take(document(0, 'full', []));
    for (const version of [1, 2]) expect(await take(strangers(version, 'init'))).toMatchObject({ code: 2 });
    expect(await take(strangers(3, 'init'))).toMatchObject(refusal);
  });
});

describe('several publishers of one AOR, put together by the server', () => {
  const at = (id: string, contacts: Parameters<typeof registration>[0]) => registration(contacts, { id });
  test('each registration is a table of its own', async () => {
    await handle(joined(0, at('r1', [contact('c1')]), at('r2', [contact('c2')])));
    await handle(joined(1, at('r1', []), at('r2', [contact('c2')])));
    expect(uris()).toEqual(['sip:c2@192.0.2.1']);
  });

  const phone = { uri: 'sip:alice@192.0.2.7' };

  /** As a store does that keeps a contact once, whoever tells of it. */
  function keepOnce() {
    const upsert = sink.upsert.bind(sink);
    sink.upsert = async (one, meta) => {
      const known = sink.learned.find(({ contact: uri }) => uri === one.contact);
      return upsert(known ? { ...one, bindingId: known.bindingId! } : one, meta);
    };
  }

  test('a phone that has moved is as its new registrar says, when the former one lets it go meanwhile', async () => {
    keepOnce();
    await handle(joined(0, at('r1', [contact('c1', phone)]), at('r2', [])));
    await handle(joined(1, at('r1', []), at('r2', [contact('c2', { ...phone, callId: 'new' })])));
    expect(sink.learned).toMatchObject([{ contact: phone.uri, callId: 'new' }]);
  });

  test('a phone that has moved stays, when the former registrar lets it go', async () => {
    keepOnce();
    await handle(joined(0, at('r1', [contact('c1', phone)]), at('r2', [])));
    await handle(joined(1, at('r1', [contact('c1', phone)]), at('r2', [contact('c2', { ...phone, callId: 'new' })])));
    expect(sink.learned).toHaveLength(1);
    await handle(document(2, 'partial', [at('r1', [contact('c1', { ...phone, state: 'terminated' })])]));
    expect(sink.learned).toMatchObject([{ contact: phone.uri, callId: 'new' }]);
    await handle(document(3, 'partial', [at('r2', [contact('c2', { ...phone, state: 'terminated' })])]));
    expect(uris()).toEqual([]);
  });
});

describe('BETTER: loops', () => {
  test('what this node has published is not applied, nor told', async () => {
    const registrar = new FakeRegistrar();
    await start({ source: registrar, serverAddress: SERVER_ADDRESS });
    registrar.insert(binding());
    await world.advance(20);
    expect(await handle(world.last.body)).toMatchObject({ contacts: 0, changed: 0, code: 2 });
    expect(sink.learned).toEqual([]);
    expect(told).toEqual([]);
  });

  test('what another node has published is', async () => {
    const registrar = new FakeRegistrar();
    await start({ source: registrar, node: 'b' });
    registrar.insert(binding());
    await world.advance(20);
    await start({ serverAddress: SERVER_ADDRESS });
    expect(await handle(world.last.body)).toMatchObject({ contacts: 1, changed: 1, code: 1 });
  });

  test('two nodes without names do not take each other for themselves', async () => {
    const registrar = new FakeRegistrar();
    await start({ source: registrar });
    registrar.insert(binding());
    await world.advance(20);
    await start();
    expect(await handle(world.last.body)).toMatchObject({ changed: 1 });
  });

  test('a binding of ours that a foreign server repeats is not applied; a later REGISTER elsewhere is', async () => {
    const source = new FakeRegistrar();
    await start({ source });
    const local = source.insert(binding({ callId: 'call', cseq: 5 }));
    const echo = { uri: local.contact, callId: 'call' };
    await handle(document(0, 'full', [contact('c1', { ...echo, cseq: 5 })]));
    expect(uris()).toEqual([]);
    await handle(document(1, 'full', [contact('c1', { ...echo, cseq: 6 })]));
    expect(uris()).toEqual([local.contact]);
  });

  test('bindings that NOTIFYs have written into the source are no local ones', async () => {
    await start({ source: sink });
    const same = contact('c1', { callId: 'call', cseq: 5 });
    await handle(document(0, 'full', [same]));
    await world.advance(60_000);
    await handle(document(1, 'full', [same]));
    expect(sink.learned[0]!.expiresAt).toBe(world.clock.wall() + 600_000);
    expect(world.publishes).toEqual([]);
  });
});

describe('those who listen', () => {
  test('without sink and callback the tables are kept all the same', async () => {
    const { module } = await world.node({ host: '10.0.2.1' });
    const received = { subscriptionId: 's', body: document(0, 'full', [contact('c1')]) };
    expect(await module.reginfoHandleNotify(received)).toMatchObject({ contacts: 1, changed: 0, code: 1 });
  });

  test('a callback that throws is told, the document is applied', async () => {
    await start({
      onReginfo: () => {
        throw new Error('of the application');
      },
    });
    expect(await handle(document(0, 'full', [contact('c1')]))).toMatchObject({ code: 1, changed: 1 });
    expect(world.faults.splice(0).map(({ where }) => where)).toEqual(['reginfo: onReginfo for sip:alice@example.com']);
  });

  test('a sink that fails: -1, and the next document is taken as the first one', async () => {
    const upsert = sink.upsert.bind(sink);
    sink.upsert = async () => {
      throw new Error('disk full');
    };
    const failed = await handle(document(0, 'full', [contact('c1')]));
    expect(failed).toMatchObject({ code: -1, gap: true, fault: { code: 'PUA_ERR_STATE' } });
    sink.upsert = upsert;
    expect(await handle(document(0, 'full', [contact('c1')]))).toMatchObject({ code: 1, changed: 1, gap: false });
    expect(world.faults.splice(0).map(({ where }) => where)).toEqual(['reginfo: sink of s1']);
  });

  test('documents of one subscription are applied one after another', async () => {
    const upsert = sink.upsert.bind(sink);
    sink.upsert = async (one, meta) => {
      await new Promise(setImmediate);
      return upsert(one, meta);
    };
    await Promise.all([
      handle(document(0, 'full', [contact('c1')])),
      handle(document(1, 'partial', [contact('c1', { state: 'terminated' })])),
    ]);
    expect(uris()).toEqual([]);
  });
});
