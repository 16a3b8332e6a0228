import { attribute, element, Namespace, type Pidf, readPidf, writePidf } from '@pua/documents';
import fc from 'fast-check';
import { pidfArb } from '../arbitraries/pidf';
import { refusal } from '../refusal';

test('what was written is what is read', () => {
  fc.assert(
    fc.property(pidfArb(false), (doc) => {
      const xml = writePidf(doc);
      expect(readPidf(xml)).toEqual(doc);
      expect(readPidf(Buffer.from(xml))).toEqual(doc);
    }),
    { seed: 3, numRuns: 100 },
  );
});

test('a document in the order of the schema', () => {
  const doc: Pidf = {
    entity: 'pres:someone@example.com',
    tuples: [
      {
        id: 'sg89ae',
        basic: 'open',
        statusExtensions: [element('urn:im', 'im', [], ['busy'])],
        extensions: [element('urn:x', 'y', [attribute('mustUnderstand', '1', Namespace.PIDF)])],
        contact: { uri: 'tel:+09012345678', priority: 0.8 },
        notes: [
          { text: "Don't Disturb <please>", lang: 'en' },
          { text: 'Ne derangez pas', lang: 'fr' },
        ],
        timestamp: '2001-10-27T16:49:29Z',
      },
    ],
    notes: [{ text: "I'll be in Tokyo next week" }],
    persons: [
      {
        id: 'p1',
        activities: [
          { notes: [{ text: 'morning' }], values: ['vacation', 'breakfast'], others: [{ text: 'reading' }] },
        ],
        notes: [{ text: 'n' }],
        timestamp: '2005-05-30T22:02:44+05:00',
      },
    ],
    devices: [{ id: 'd1', deviceId: 'urn:device:0003ba4811e3' }],
    extensions: [element('urn:z', 'z')],
  };
  expect(writePidf(doc)).toBe(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ns1="urn:im" xmlns:ns2="urn:x" xmlns:pidf="urn:ietf:params:xml:ns:pidf"' +
      ' xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" xmlns:ns6="urn:z"' +
      ' entity="pres:someone@example.com">' +
      '<tuple id="sg89ae"><status><basic>open</basic><ns1:im>busy</ns1:im></status><ns2:y pidf:mustUnderstand="1"/>' +
      '<contact priority="0.8">tel:+09012345678</contact><note xml:lang="en">Don\'t Disturb &lt;please&gt;</note>' +
      '<note xml:lang="fr">Ne derangez pas</note><timestamp>2001-10-27T16:49:29Z</timestamp></tuple>' +
      "<note>I'll be in Tokyo next week</note>" +
      '<dm:person id="p1"><rpid:activities><rpid:note>morning</rpid:note><rpid:vacation/><rpid:breakfast/><rpid:other>reading</rpid:other>' +
      '</rpid:activities><dm:note>n</dm:note><dm:timestamp>2005-05-30T22:02:44+05:00</dm:timestamp></dm:person>' +
      '<dm:device id="d1"><dm:deviceID>urn:device:0003ba4811e3</dm:deviceID></dm:device><ns6:z/></presence>',
  );
  expect(readPidf(writePidf(doc))).toEqual(doc);
});

describe('reading what others write', () => {
  test('the example of RFC 3863 section 4.3.2, with its white space', () => {
    const xml = `<?xml version="1.0" encoding="UTF-8"?>
      <impp:presence xmlns:impp="urn:ietf:params:xml:ns:pidf" xmlns:local="urn:example-com:pidf-status-type" entity="pres:someone@example.com">
        <impp:tuple id="ub93s3">
          <impp:status>
            <impp:basic>open</impp:basic>
            <local:location>home</local:location>
          </impp:status>
          <impp:contact priority="1.0">im:someone@example.com</impp:contact>
          <impp:note>a</impp:note>
        </impp:tuple>
      </impp:presence>`;
    expect(readPidf(xml)).toEqual({
      entity: 'pres:someone@example.com',
      tuples: [
        {
          id: 'ub93s3',
          basic: 'open',
          statusExtensions: [element('urn:example-com:pidf-status-type', 'location', [], ['home'])],
          contact: { uri: 'im:someone@example.com', priority: 1 },
          notes: [{ text: 'a' }],
        },
      ],
    });
  });

  const wrap = (inner: string) =>
    `<presence xmlns="${Namespace.PIDF}" xmlns:dm="${Namespace.DATA_MODEL}" xmlns:r="${Namespace.RPID}" entity=" sip:a@b.example ">${inner}</presence>`;

  test('another order, person as default namespace, unknown elements of our namespaces', () => {
    const xml = wrap(
      `<person xmlns="${Namespace.DATA_MODEL}" id=" p "><timestamp>2024-02-29T00:00:00</timestamp><x:aura xmlns:x="${Namespace.RPID}"/>` +
        '<note>n</note><r:activities id="a"><r:busy/><r:dancing/><r:note>m</r:note></r:activities><later/></person>' +
        '<later/><tuple id="t"><note xml:lang="de">x</note><note xml:lang=""/><contact> </contact><status/></tuple><plain xmlns=""/>',
    );
    expect(readPidf(xml)).toEqual({
      entity: 'sip:a@b.example',
      tuples: [{ id: 't', notes: [{ text: 'x', lang: 'de' }, { text: '' }] }],
      persons: [
        {
          id: 'p',
          activities: [{ id: 'a', notes: [{ text: 'm' }], values: ['busy'] }],
          extensions: [element(Namespace.RPID, 'aura')],
          notes: [{ text: 'n' }],
          timestamp: '2024-02-29T00:00:00',
        },
      ],
    });
  });

  test('only a person, only a device, nothing at all', () => {
    expect(readPidf(wrap('<dm:person/>'))).toEqual({ entity: 'sip:a@b.example', persons: [{}] });
    expect(readPidf(wrap('<dm:device><dm:deviceID>urn:x</dm:deviceID></dm:device>'))).toEqual({
      entity: 'sip:a@b.example',
      devices: [{ deviceId: 'urn:x' }],
    });
    expect(readPidf(wrap(''))).toEqual({ entity: 'sip:a@b.example' });
  });

  test.each([
    ['0.', 0],
    ['1.000', 1],
    ['0.125', 0.125],
    ['1.5', undefined],
    ['0.1234', undefined],
    ['high', undefined],
    ['-1', undefined],
  ])('the priority %s', (text, priority) => {
    const doc = readPidf(wrap(`<tuple><status/><contact priority="${text}">sip:x</contact></tuple>`));
    expect(doc.tuples![0]!.contact).toEqual(priority === undefined ? { uri: 'sip:x' } : { uri: 'sip:x', priority });
  });

  test.each([
    [
      '<tuple/><tuple><status><basic>away</basic></status></tuple>',
      /^presence\/tuple\[2\]\/status\/basic: "away" is neither open nor closed/,
    ],
    ['<tuple><status/><status/></tuple>', /^presence\/tuple\[1\]: more than one status/],
    ['<tuple><timestamp>yesterday</timestamp></tuple>', /^presence\/tuple\[1\]\/timestamp: "yesterday"/],
    ['<tuple><contact>a b</contact></tuple>', /^presence\/tuple\[1\]\/contact: "a b" is no URI/],
    [
      '<tuple><note>a<b/></note></tuple>',
      /^presence\/tuple\[1\]\/note: only text is allowed here, found the element b/,
    ],
    ['<dm:device/>', /^presence\/device\[1\]: has no deviceID/],
    ['<dm:person><r:activities from="now"/></dm:person>', /^presence\/person\[1\]\/activities\[1\]\/@from: "now"/],
  ])('refused: %s', (inner, message) => {
    expect(refusal(() => readPidf(wrap(inner)))).toMatch(message);
  });

  test('a root that is none, or has no entity', () => {
    expect(refusal(() => readPidf('<presence entity="sip:a"/>'))).toMatch(
      /the root must be presence in the namespace "urn:ietf:params:xml:ns:pidf", not presence in ""/,
    );
    expect(refusal(() => readPidf(`<list xmlns="${Namespace.PIDF}"/>`))).toMatch(/not list in/);
    expect(refusal(() => readPidf(`<presence xmlns="${Namespace.PIDF}"/>`))).toMatch(/no attribute entity/);
    expect(refusal(() => readPidf(`<presence xmlns="${Namespace.PIDF}" entity=""/>`))).toMatch(/no URI/);
  });

  test('the limits can be set', () => {
    expect(refusal(() => readPidf(wrap('<dm:person/>'), { maxDepth: 1 }))).toMatch(/nested deeper than 1/);
  });
});

describe('the writer refuses', () => {
  const tuple = { basic: 'open' } as const;
  const refused: readonly (readonly [doc: Partial<Pidf>, message: RegExp])[] = [
    [{ entity: '' }, /^presence\/@entity: "" is no URI/],
    [{ entity: undefined as unknown as string }, /^presence\/@entity: "undefined" is no URI/],
    [{ entity: 'sip:a b' }, /^presence\/@entity/],
    [{ tuples: [tuple, {}] }, /^presence\/tuple\[2\]\/status: has neither basic nor an extension/],
    [{ tuples: [{ basic: 'away' as 'open' }] }, /^presence\/tuple\[1\]\/status\/basic: "away"/],
    [{ tuples: [{ ...tuple, id: '1a' }] }, /^presence\/tuple\[1\]: the id "1a" must start with a letter/],
    [
      { tuples: [{ ...tuple, id: 'a' }], persons: [{ id: 'a' }] },
      /^presence\/person\[1\]: the id "a" is that of presence\/tuple\[1\]/,
    ],
    [{ tuples: [{ ...tuple, contact: { uri: '' } }] }, /^presence\/tuple\[1\]\/contact: "" is no URI/],
    [{ tuples: [{ ...tuple, contact: { uri: 'sip:a', priority: 1.1 } }] }, /@priority: 1\.1 is not between/],
    [{ tuples: [{ ...tuple, contact: { uri: 'sip:a', priority: Number.NaN } }] }, /@priority: NaN is not between/],
    [{ notes: [{ text: 'a', lang: '' }] }, /^presence\/note\/@xml:lang: ""/],
    [{ notes: [{ text: 'a', lang: 'no way' }] }, /^presence\/note\/@xml:lang: "no way"/],
    [{ notes: [{ text: 'a' }, { text: 'b\u0007' }] }, /^presence\/note\[2\]: the character U\+0007 is illegal/],
    [{ extensions: [element(Namespace.PIDF, 'x')] }, /^presence\/x: an extension must be in a namespace of its own/],
    [{ extensions: [element('', 'x')] }, /^presence\/x: an extension must be/],
    [{ persons: [{ activities: [{ values: ['unknown', 'away'] }] }] }, /activities\[1\]: "unknown" stands alone/],
    [
      { persons: [{ activities: [{ values: ['dancing' as 'away'] }] }] },
      /activities\[1\]: "dancing" is no value of RFC 4480; put words into "others"/,
    ],
  ];

  test.each(refused)('%j', (doc, message) => {
    expect(refusal(() => writePidf({ entity: 'sip:a@b.example', ...doc }))).toMatch(message);
  });

  test.each([
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-00T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:60Z',
    '2024-01-01T00:00:00+15:00',
    '2024-01-01T00:00:00+01:60',
    '2024-01-01 00:00:00Z',
    '2024-01-01',
    '',
  ])('the timestamp %s', (timestamp) => {
    expect(refusal(() => writePidf({ entity: 'sip:a', tuples: [{ basic: 'open', timestamp }] }))).toMatch(
      /^presence\/tuple\[1\]\/timestamp: .* is no date and time/,
    );
  });

  test.each([
    '2024-02-29T23:59:59.123456Z',
    '2000-02-29T00:00:00-14:00',
    '2023-12-31T00:00:00',
    '12024-01-01T00:00:00Z',
  ])('but not the timestamp %s', (timestamp) => {
    expect(writePidf({ entity: 'sip:a', tuples: [{ basic: 'open', timestamp }] })).toContain(timestamp);
  });
});
