/** Documents: their fields, and that they are valid (RFC 3680 section 5, RFC 5628). */
import { Namespace, type RegistrationContact, readRegInfo, writeRegInfo } from '@pua/documents';
import * as fc from 'fast-check';
import { complaints, describeWithSchemas, temporaryFolder } from '../../documents/test/xmllint';
import { nodePrefix, registrationId } from '../dist/ids.js';
import { changesOf, liveBindings, type Picture, regInfo, registeredUntil } from '../dist/mapping.js';
import { binding, HOUR, NOW } from './support/registrar';

const picture = (more: Partial<Picture> = {}): Picture => ({
  registrations: [{ aor: 'sip:alice@example.com', id: 'r1' }],
  live: [],
  changes: [],
  now: NOW,
  profile: 'kamailio',
  compat: false,
  partial: false,
  ...more,
});

/** The contact of a document about one binding, written and read back. */
function contactOf(more: Parameters<typeof binding>[0], options: Partial<Picture> = {}): RegistrationContact {
  const written = writeRegInfo(regInfo(picture({ live: [binding(more)], ...options })));
  return readRegInfo(written).registrations[0]!.contacts![0]!;
}

describe('contact', () => {
  test('all that is known of a binding', () => {
    const contact = contactOf({
      contact: 'sip:nina@192.0.2.61:49812;transport=tcp?a=1&b=2',
      expiresAt: NOW + 1_740_000,
      registeredAt: NOW - 5_400_000,
      callId: 'reg-55d"<&>é@192.0.2.61',
      cseq: 18,
      q: 0.7,
      received: 'sip:192.0.2.61:49812',
      path: '<sip:edge.example.com;lr>',
      userAgent: 'TruckPhone 2.1',
      instance: 'urn:uuid:0b7f6a52-1111-4c7e-9d1a-2f3b4c5d6e7f',
      regId: 1,
      params: { methods: 'INVITE,BYE', audio: true, ob: true, '+sip.x': 'y"z', q: '0.1', expires: '60' },
      pubGruu: 'sip:nina@fleet.example;gr=x',
      tempGruu: 'sip:tgruu.1@fleet.example;gr',
    });
    expect(contact).toEqual({
      id: expect.stringMatching(/^c-[0-9a-f]{16}$/),
      state: 'active',
      event: 'registered',
      uri: 'sip:nina@192.0.2.61:49812;transport=tcp?a=1&b=2',
      durationRegistered: 5400,
      expires: 1740,
      q: 0.7,
      callId: 'reg-55d"<&>é@192.0.2.61',
      cseq: 18,
      params: [
        { name: '+sip.instance', value: '"<urn:uuid:0b7f6a52-1111-4c7e-9d1a-2f3b4c5d6e7f>"' },
        { name: 'reg-id', value: '1' },
        { name: 'methods', value: '"INVITE,BYE"' },
        { name: 'audio', value: '' },
        { name: 'ob', value: '' },
        { name: '+sip.x', value: '"y\\"z"' },
      ],
      pubGruu: 'sip:nina@fleet.example;gr=x',
    });
  });

  test('only what is known', () => {
    const { contact, expiresAt, aor } = binding();
    const document = regInfo(picture({ live: [{ aor, contact, expiresAt }] }));
    expect(document.registrations[0]!.contacts).toEqual([
      { id: expect.any(String), state: 'active', event: 'registered', expires: 3600, uri: contact },
    ]);
  });

  test.each([
    [undefined, undefined],
    [0, 0],
    [1, 1],
    [0.6666, 0.667],
  ])('q %p', (q, written) => expect(contactOf(q === undefined ? {} : { q })).toHaveProperty(...has('q', written)));

  const has = (name: string, value: unknown): [string, ...unknown[]] => (value === undefined ? ['id'] : [name, value]);

  test('what is left of a second is a second; a clock that was set back gives no negative duration', () => {
    expect(contactOf({ expiresAt: NOW + 1 }).expires).toBe(1);
    expect(contactOf({ registeredAt: NOW + HOUR }).durationRegistered).toBe(0);
  });

  test.each([
    ['kamailio', {}, { received: '', path: '', userAgent: '' }],
    ['kamailio', { received: 'sip:192.0.2.1' }, { received: 'sip:192.0.2.1', path: '', userAgent: '' }],
    ['opensips', {}, {}],
    ['opensips', { path: '<sip:e;lr>', userAgent: 'x' }, { path: '<sip:e;lr>', userAgent: 'x' }],
  ] as const)('compat_attributes of %s: %j', (profile, more, compat) => {
    const document = regInfo(picture({ live: [binding(more)], compat: true, profile }));
    expect(document.registrations[0]!.contacts![0]!.compat).toEqual(compat);
  });

  test('no such attributes without it', () => {
    const text = writeRegInfo(
      regInfo(picture({ live: [binding({ received: 'sip:a', path: '<sip:b>', userAgent: 'c' })] })),
    );
    expect(text).not.toMatch(/received|path|user_agent/);
  });
});

describe('ids', () => {
  const key = { aor: 'alice@example.com', table: 'location' };

  test('a registration: by node, AOR, table and AOR that is told; the same in every run', () => {
    const id = registrationId(nodePrefix('a'), key, 'sip:alice@example.com');
    expect(id).toBe('rca978112ca1bbdca-2f72e3bc94453772');
    const others = [
      registrationId(nodePrefix('b'), key, 'sip:alice@example.com'),
      registrationId(nodePrefix('a'), { ...key, aor: 'bob@example.com' }, 'sip:alice@example.com'),
      registrationId(nodePrefix('a'), { ...key, table: 'aliases' }, 'sip:alice@example.com'),
      registrationId(nodePrefix('a'), key, 'sip:alias@example.com'),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
  });

  test.each([
    ['the Call-ID', { callId: 'other', cseq: 7 }, true],
    ['the lifetime', { expiresAt: 0 }, true],
    ['the URI', { contact: 'sip:alice@198.51.100.1' }, false],
    ['the binding id', { bindingId: 'other' }, false],
  ])('a contact, when %s changes', (_name, change, same) => {
    const one = binding({ bindingId: 'one' });
    const id = (live: typeof one) => regInfo(picture({ live: [live] })).registrations[0]!.contacts![0]!.id;
    expect(id({ ...one, ...change }) === id(one)).toBe(same);
  });

  test('a contact without binding id: instance and reg-id, else the URI', () => {
    const { bindingId: _, ...one } = binding();
    const ids = [{ instance: 'urn:x', regId: 1 }, { instance: 'urn:x', regId: 2 }, { instance: 'urn:x' }, {}].map(
      (more) => regInfo(picture({ live: [{ ...one, ...more }] })).registrations[0]!.contacts![0]!.id,
    );
    expect(ids[2]).toBe(ids[3]);
    expect(new Set(ids).size).toBe(3);
  });

  test('the contacts of two registrations differ, as ids must be unique in a document', () => {
    const registrations = ['a', 'b'].map((id) => ({ id, aor: `sip:${id}@example.com` }));
    expect(() => writeRegInfo(regInfo(picture({ registrations, live: [binding()] })))).not.toThrow();
  });
});

describe('what is live', () => {
  test('the last change of a contact decides, whatever the source says', () => {
    const one = binding();
    const deleted = { kind: 'delete', binding: one } as const;
    expect(liveBindings([one], [deleted])).toEqual([]);
    expect(liveBindings([one], [deleted, { kind: 'insert', binding: one }])).toEqual([one]);
  });

  test('an update with another URI ends the former contact', () => {
    const previous = binding();
    const now = { ...previous, contact: 'sip:alice@198.51.100.1' };
    expect(changesOf({ kind: 'update', binding: now, previous })).toEqual([
      { kind: 'delete', binding: previous },
      { kind: 'insert', binding: now },
    ]);
  });

  test.each([
    [[], undefined],
    [[NOW], undefined],
    [[NOW + 5, NOW + 9, NOW - 1], NOW + 9],
    [[NOW + 5, 0], 0],
  ])('ends %j', (ends, until) => {
    const live = ends.map((expiresAt) => binding({ expiresAt }));
    expect(registeredUntil(live, NOW)).toBe(until);
  });
});

test('a partial document names what has changed, and the state of the whole', () => {
  const [one, other, gone] = [binding(), binding(), binding()];
  const changes = [
    { kind: 'update', binding: other },
    { kind: 'expire', binding: gone },
  ] as const;
  const { state, registrations } = regInfo(picture({ live: [one, other], changes, partial: true }));
  expect(state).toBe('partial');
  expect(registrations[0]!.state).toBe('active');
  expect(registrations[0]!.contacts!.map(({ uri, event }) => [uri, event])).toEqual([
    [other.contact, 'refreshed'],
    [gone.contact, 'expired'],
  ]);
});

describeWithSchemas('against the schema of RFC 3680', () => {
  const folder = temporaryFolder();
  const text = fc.string({ unit: fc.constantFrom('a', '"', '<', '&', "'", 'é', '😀', '0', ';'), maxLength: 600 });
  const bindings = fc.array(
    fc.record(
      {
        aor: fc.constant('alice@example.com'),
        contact: fc.nat().map((n) => `sip:a&b@192.0.2.1:${n}`),
        expiresAt: fc.constantFrom(0, NOW + 1, NOW + HOUR, NOW - 1),
        bindingId: text,
        callId: text,
        cseq: fc.nat(),
        q: fc.double({ min: 0, max: 1, noNaN: true }),
        registeredAt: fc.constantFrom(NOW - HOUR, NOW),
        instance: text,
        regId: fc.nat(),
        params: fc.dictionary(fc.stringMatching(/^[\w+.-]{1,9}$/), fc.oneof(text, fc.constant(true as const))),
        pubGruu: fc.constant('sip:alice@example.com;gr=1'),
      },
      { requiredKeys: ['aor', 'contact', 'expiresAt'] },
    ),
    { maxLength: 4 },
  );
  const kinds = fc.constantFrom('insert', 'update', 'delete', 'expire');

  test('every document is valid, and says what was to be said', () => {
    const documents: string[] = [];
    fc.assert(
      fc.property(bindings, bindings, kinds, fc.boolean(), (there, changed, kind, partial) => {
        const changes = changed.map((one) => ({ kind, binding: one }) as const);
        const live = liveBindings([...there, ...changed], changes);
        const document = regInfo(picture({ live, changes, partial, profile: partial ? 'opensips' : 'kamailio' }));
        const written = writeRegInfo(document);
        documents.push(written);
        expect(readRegInfo(written).registrations[0]!.contacts?.map(({ callId }) => callId)).toEqual(
          document.registrations[0]!.contacts?.map(({ callId }) => callId),
        );
      }),
      { numRuns: 100 },
    );
    const schemas = { [Namespace.REGINFO]: 'reginfo' };
    expect(complaints(folder(), schemas, documents)).toBe('');
  });
});
