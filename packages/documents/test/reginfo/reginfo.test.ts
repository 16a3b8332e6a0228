import {
  element,
  Namespace,
  type RegInfo,
  type Registration,
  type RegistrationContact,
  readRegInfo,
  registrationEvents,
  registrationStates,
  writeRegInfo,
} from '@pua/documents';
import fc from 'fast-check';
import { regInfoArb } from '../arbitraries/reginfo';
import { mutatedFrom } from '../mutations';
import { refusal } from '../refusal';
import { complaints as complaintsOf, describeWithSchemas, temporaryFolder } from '../xmllint';

const { REGINFO, GRUUINFO } = Namespace;

const AOR = 'sip:nina@fleet.example';
const of = (...registrations: readonly Registration[]): RegInfo => ({ version: 0, state: 'full', registrations });
const active = (...contacts: readonly RegistrationContact[]) => of({ aor: AOR, id: 'r', state: 'active', contacts });
const bound: RegistrationContact = { id: 'c', state: 'active', event: 'registered', uri: 'sip:nina@192.0.2.61' };
const ended: RegistrationContact = { ...bound, state: 'terminated', event: 'expired' };

const wrap = (inner: string, attributes = 'version="0" state="full"') =>
  `<reginfo xmlns="${REGINFO}" xmlns:gr="${GRUUINFO}" ${attributes}>${inner}</reginfo>`;
const inRegistration = (inner: string) =>
  wrap(`<registration aor="${AOR}" id="r" state="active">${inner}</registration>`);
const inContact = (inner: string, attributes = '') =>
  inRegistration(
    `<contact id="c" state="active" event="registered"${attributes}><uri>sip:nina@192.0.2.61</uri>${inner}</contact>`,
  );
const contactsOf = (xml: string) => readRegInfo(xml).registrations[0]!.contacts;

test('a document in the order of the schema', () => {
  const doc: RegInfo = {
    version: 12,
    state: 'full',
    registrations: [
      {
        aor: AOR,
        id: 'r-6b1f',
        state: 'active',
        contacts: [
          {
            id: 'c-91aa',
            state: 'active',
            event: 'refreshed',
            uri: 'sip:nina@192.0.2.61:49812;transport=tcp',
            displayName: 'Nina "N" & Söhne',
            lang: 'de',
            durationRegistered: 5400,
            expires: 1740,
            q: 0.7,
            callId: 'reg-55d@192.0.2.61',
            cseq: 18,
            params: [
              { name: '+sip.instance', value: '"<urn:uuid:0b7f6a52-1111-4c7e-9d1a-2f3b4c5d6e7f>"' },
              { name: 'audio', value: '' },
            ],
            pubGruu: 'sip:nina@fleet.example;gr=hha9s8d-999a',
            tempGruu: { uri: 'sip:8ffkas08af7fasklzi9@fleet.example;gr', firstCseq: 12 },
            extensions: [element('urn:x', 'in-contact')],
          },
          {
            id: 'c-20e4',
            state: 'terminated',
            event: 'probation',
            uri: 'sip:nina@198.51.100.77',
            retryAfter: 60,
          },
        ],
        extensions: [element('urn:x', 'in-registration')],
      },
      { aor: 'sip:omar@fleet.example', id: 'r-2', state: 'init' },
    ],
    extensions: [element('urn:x', 'in-root')],
  };
  const xml = writeRegInfo(doc);
  expect(xml).toBe(
    [
      '<?xml version="1.0" encoding="UTF-8"?>\n',
      `<reginfo xmlns="${REGINFO}" xmlns:gr="${GRUUINFO}" xmlns:ns2="urn:x" version="12" state="full">`,
      '<registration aor="sip:nina@fleet.example" id="r-6b1f" state="active">',
      '<contact id="c-91aa" state="active" event="refreshed" duration-registered="5400" expires="1740" q="0.7"',
      ' callid="reg-55d@192.0.2.61" cseq="18"><uri>sip:nina@192.0.2.61:49812;transport=tcp</uri>',
      '<display-name xml:lang="de">Nina "N" &amp; Söhne</display-name>',
      '<unknown-param name="+sip.instance">"&lt;urn:uuid:0b7f6a52-1111-4c7e-9d1a-2f3b4c5d6e7f&gt;"</unknown-param>',
      '<unknown-param name="audio"/><gr:pub-gruu uri="sip:nina@fleet.example;gr=hha9s8d-999a"/>',
      '<gr:temp-gruu uri="sip:8ffkas08af7fasklzi9@fleet.example;gr" first-cseq="12"/><ns2:in-contact/></contact>',
      '<contact id="c-20e4" state="terminated" event="probation" retry-after="60"><uri>sip:nina@198.51.100.77</uri></contact>',
      '<ns2:in-registration/></registration>',
      '<registration aor="sip:omar@fleet.example" id="r-2" state="init"/><ns2:in-root/></reginfo>',
    ].join(''),
  );
  expect(readRegInfo(xml)).toEqual(doc);
});

test("Kamailio's attributes are written when they are given, and read when they say something", () => {
  const contact = { ...bound, compat: { received: 'sip:192.0.2.61:49812', path: '', userAgent: 'Truck "Phone" 2.1' } };
  const xml = writeRegInfo(active(contact));
  expect(xml).toContain(' received="sip:192.0.2.61:49812" path="" user_agent="Truck &quot;Phone&quot; 2.1">');
  expect(contactsOf(xml)).toEqual([
    { ...bound, compat: { received: 'sip:192.0.2.61:49812', userAgent: 'Truck "Phone" 2.1' } },
  ]);
  expect(contactsOf(inContact('', ' received="" path="" user_agent=""'))).toEqual([bound]);
});

test('what stands in an id, a Call-ID, a display name or a URI comes back as it was', () => {
  const awkward = `"'<&>]]> é😀\t\n`;
  const contact: RegistrationContact = {
    ...bound,
    id: awkward,
    uri: 'sip:a&b<é>@192.0.2.1',
    displayName: awkward,
    callId: awkward,
  };
  const doc = of({ aor: 'sip:a&b@fleet.example', id: awkward, state: 'active', contacts: [contact] });
  expect(writeRegInfo(doc)).toContain('<uri>sip:a&amp;b&lt;é&gt;@192.0.2.1</uri>');
  expect(readRegInfo(writeRegInfo(doc))).toEqual(doc);
});

test('what is written is what is read', () => {
  fc.assert(
    fc.property(regInfoArb(true), (doc) => {
      expect(readRegInfo(writeRegInfo(doc))).toEqual(doc);
    }),
    { seed: 31, numRuns: 300 },
  );
});

test('the example of RFC 3680 section 5.3', () => {
  const xml = `<?xml version="1.0"?>
       <reginfo xmlns="urn:ietf:params:xml:ns:reginfo"
           xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                    version="0" state="full">
         <registration aor="sip:user@example.com" id="as9"
                       state="active">
           <contact id="76" state="active" event="registered"
                    duration-registered="7322"
                    q="0.8">
                    <uri>sip:user@pc887.example.com</uri>
           </contact>
           <contact id="77" state="terminated" event="expired"
                    duration-registered="3600"
                    q="0.5">
                    <uri>sip:user@university.edu</uri>
           </contact>
         </registration>
       </reginfo>`;
  const expected: RegInfo = {
    version: 0,
    state: 'full',
    registrations: [
      {
        aor: 'sip:user@example.com',
        id: 'as9',
        state: 'active',
        contacts: [
          {
            id: '76',
            state: 'active',
            event: 'registered',
            uri: 'sip:user@pc887.example.com',
            durationRegistered: 7322,
            q: 0.8,
          },
          {
            id: '77',
            state: 'terminated',
            event: 'expired',
            uri: 'sip:user@university.edu',
            durationRegistered: 3600,
            q: 0.5,
          },
        ],
      },
    ],
  };
  expect(readRegInfo(xml)).toEqual(expected);
  expect(readRegInfo(Buffer.from(xml))).toEqual(expected);
});

test('the example of RFC 5628 section 7, its long lines joined', () => {
  const xml = `<?xml version="1.0"?>
     <reginfo xmlns="urn:ietf:params:xml:ns:reginfo"
         xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"
         version="0" state="full">
       <registration aor="sip:user@example.com" id="as9" state="active">
         <contact id="76" state="active" event="registered"
            duration-registered="36001" expires="3599"
            callid="1j9FpLxk3uxtm8tn@192.0.2.1" cseq="54321"
            q="0.8">
              <uri>
                 sip:user@192.0.2.1
              </uri>
              <unknown-param name="+sip.instance">
 "&lt;urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6&gt;"
 </unknown-param>
              <gr:pub-gruu uri="sip:user@example.com;gr=hha9s8d-999a"/>
              <gr:temp-gruu uri="sip:8ffkas08af7fasklzi9@example.com;gr" first-cseq="54301"/>
         </contact>
       </registration>
     </reginfo>`;
  expect(contactsOf(xml)).toEqual([
    {
      id: '76',
      state: 'active',
      event: 'registered',
      uri: 'sip:user@192.0.2.1',
      durationRegistered: 36001,
      expires: 3599,
      q: 0.8,
      callId: '1j9FpLxk3uxtm8tn@192.0.2.1',
      cseq: 54321,
      params: [{ name: '+sip.instance', value: '"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"' }],
      pubGruu: 'sip:user@example.com;gr=hha9s8d-999a',
      tempGruu: { uri: 'sip:8ffkas08af7fasklzi9@example.com;gr', firstCseq: 54301 },
    },
  ]);
});

test('what Kamailio publishes: memory addresses as ids, empty attributes, a contact that never expires', () => {
  const xml = `<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="0" state="full">
  <registration aor="sip:nina@fleet.example" id="0x7f10c2a0" state="active">
    <contact id="0x7f10c3b8" state="active" event="unknown" expires="-1747000000" q="0.700" callid="7c1e" cseq="4" received="" path="" user_agent="">
      <uri>sip:nina@192.0.2.61:49812;transport=tcp</uri>
    </contact>
    <contact id="0x7f10c5d0" state="terminated" event="unregistered" expires="222" callid="7c1f" cseq="5" received="" path="" user_agent="">
      <uri>sip:nina@198.51.100.77</uri>
    </contact>
  </registration>
</reginfo>`;
  expect(contactsOf(xml)).toEqual([
    {
      id: '0x7f10c3b8',
      state: 'active',
      event: 'registered',
      uri: 'sip:nina@192.0.2.61:49812;transport=tcp',
      q: 0.7,
      callId: '7c1e',
      cseq: 4,
    },
    {
      id: '0x7f10c5d0',
      state: 'terminated',
      event: 'unregistered',
      uri: 'sip:nina@198.51.100.77',
      expires: 222,
      callId: '7c1f',
      cseq: 5,
    },
  ]);
});

describe('the reader forgives', () => {
  test('a missing id: the AOR or the URI stands for it', () => {
    const xml = wrap(
      `<registration aor="${AOR}" state="active"><contact state="active" event="registered" callid="x"><uri>sip:a</uri></contact></registration>`,
    );
    expect(readRegInfo(xml).registrations).toEqual([
      { aor: AOR, id: AOR, state: 'active', contacts: [{ ...bound, id: 'sip:a', uri: 'sip:a', callId: 'x' }] },
    ]);
  });

  test('an event that the RFC does not have: the state tells', () => {
    const eventOf = (state: string, event: string) =>
      contactsOf(inRegistration(`<contact id="c" state="${state}" event="${event}"><uri>sip:a</uri></contact>`))![0]!
        .event;
    expect(eventOf('active', 'moved')).toBe('registered');
    expect(eventOf('terminated', 'moved')).toBe('unregistered');
    for (const event of registrationEvents) expect(eventOf('active', event)).toBe(event);
  });

  test('no expires, one below 0, and one of 0, which is one', () => {
    expect(contactsOf(inContact(''))![0]!.expires).toBeUndefined();
    expect(contactsOf(inContact('', ' expires="-1"'))![0]!.expires).toBeUndefined();
    expect(contactsOf(inContact('', ' expires="0"'))![0]!.expires).toBe(0);
  });

  test.each(['', 'high', '1.5', '-0.5', '0.1234'])('the impossible q "%s"', (q) => {
    expect(contactsOf(inContact('', ` q="${q}"`))).toEqual([bound]);
  });

  test('several URIs in a contact: each is one', () => {
    const xml = inContact('<uri>sip:b</uri>', ' callid="x"');
    expect(contactsOf(xml)).toEqual([
      { ...bound, callId: 'x' },
      { ...bound, callId: 'x', id: 'sip:b', uri: 'sip:b' },
    ]);
  });

  test('any order of elements, what it does not know; elements of other namespaces it keeps', () => {
    const xml = wrap(
      `<later/><registration later="1" aor="${AOR}" id="r" state="active"><later/><contact later="1" id="c" state="active" event="registered">
        <later/><gr:later/><display-name>N</display-name><uri>sip:nina@192.0.2.61</uri></contact></registration><x:e xmlns:x="urn:x"/>`,
    );
    expect(readRegInfo(xml)).toEqual({
      ...active({ ...bound, displayName: 'N', extensions: [element(GRUUINFO, 'later')] }),
      extensions: [element('urn:x', 'e')],
    });
  });

  test('every state of a registration, with and without contacts', () => {
    for (const state of registrationStates) {
      const xml = wrap(`<registration aor="${AOR}" id="r" state="${state}"/>`, 'version="000" state="partial"');
      expect(readRegInfo(xml)).toEqual({ ...of({ aor: AOR, id: 'r', state }), state: 'partial' });
    }
  });
});

const contact = (attributes: string, inner = '<uri>sip:a</uri>') =>
  inRegistration(`<contact ${attributes}>${inner}</contact>`);

test.each([
  [wrap('', 'state="full"'), /^reginfo: has no attribute version/],
  [wrap('', 'version="1"'), /^reginfo: has no attribute state/],
  [wrap('', 'version="1.5" state="full"'), /^reginfo\/@version: "1.5" is no whole number of 0 or more/],
  [wrap('', 'version="1" state="some"'), /^reginfo\/@state: "some" is none of full, partial/],
  [wrap('<registration id="r" state="init"/>'), /^reginfo\/registration\[1\]: has no attribute aor/],
  [wrap('<registration aor="a b" id="r" state="init"/>'), /registration\[1\]\/@aor: "a b" is no URI/],
  [wrap('<registration aor="sip:a" id="r"/>'), /^reginfo\/registration\[1\]: has no attribute state/],
  [wrap('<registration aor="sip:a" id="r" state="on"/>'), /registration\[1\]\/@state: "on" is none of init, active/],
  [contact('id="c" event="registered"'), /^reginfo\/registration\[1\]\/contact\[1\]: has no attribute state/],
  [contact('id="c" state="init" event="registered"'), /contact\[1\]\/@state: "init" is none of active, terminated/],
  [contact('id="c" state="active"'), /contact\[1\]: has no attribute event/],
  [contact('id="c" state="active" event="created"', ''), /contact\[1\]: has no uri/],
  [contact('id="c" state="active" event="created"', '<uri/>'), /contact\[1\]\/uri: "" is no URI/],
  [contact('id="c" state="active" event="created"', '<uri>a b</uri>'), /contact\[1\]\/uri: "a b" is no URI/],
  [inContact('', ' expires="soon"'), /contact\[1\]\/@expires: "soon" is no whole number/],
  [inContact('', ' cseq="-1"'), /contact\[1\]\/@cseq: "-1" is no whole number of 0 or more/],
  [inContact('', ' duration-registered=""'), /contact\[1\]\/@duration-registered: "" is no/],
  [inContact('', ' retry-after="x"'), /contact\[1\]\/@retry-after: "x" is no/],
  [inContact('<display-name/><display-name/>'), /contact\[1\]: more than one display-name/],
  [inContact('<unknown-param>1</unknown-param>'), /contact\[1\]\/unknown-param\[1\]: has no attribute name/],
  [inContact('<unknown-param name="a"><b/></unknown-param>'), /unknown-param\[1\]: only text is allowed here/],
  [inContact('<gr:pub-gruu/>'), /contact\[1\]\/pub-gruu: has no attribute uri/],
  [inContact('<gr:temp-gruu uri="sip:a"/>'), /contact\[1\]\/temp-gruu: has no attribute first-cseq/],
  [inContact('<gr:temp-gruu uri="sip:a" first-cseq="x"/>'), /temp-gruu\/@first-cseq: "x" is no whole number/],
  [wrap('').replace(REGINFO, 'urn:other'), /the root must be reginfo in the namespace/],
  [`<x>${wrap('')}</x>`, /the root must be reginfo in the namespace/],
  [`<!DOCTYPE reginfo [<!ENTITY e SYSTEM "file:///etc/passwd">]>${wrap('')}`, /a DTD/],
])('not read: %s', (xml, message) => {
  expect(refusal(() => readRegInfo(xml))).toMatch(message);
});

test('size, depth and number of contacts are bounded', () => {
  expect(refusal(() => readRegInfo(wrap(''), { maxBytes: 50 }))).toMatch(/larger than 50 bytes/);
  expect(refusal(() => readRegInfo(inContact(''), { maxDepth: 3 }))).toMatch(/nested deeper than 3/);
  const many = inRegistration('<contact/>'.repeat(25_000));
  expect(refusal(() => readRegInfo(many))).toMatch(/20000/);
});

const bad = (wrong: object) => wrong as Partial<RegistrationContact>;

test.each<[string, Partial<RegistrationContact>, RegExp]>([
  ['an empty id', { id: '' }, /^reginfo\/registration\[1\]\/contact\[1\]: has no id/],
  ['an unknown state', bad({ state: 'init' }), /contact\[1\]\/@state: "init" is none of active, terminated/],
  ['an unknown event', bad({ event: 'unknown' }), /contact\[1\]\/@event: "unknown" is none of registered/],
  ['an end of a contact that is active', { event: 'expired' }, /the event expired does not lead to the state active/],
  ['a refresh of one that is over', { state: 'terminated' }, /the event registered does not lead to the state term/],
  ['shortened, but not to what', { event: 'shortened' }, /contact\[1\]: shortened needs expires/],
  [
    'probation without its time',
    { state: 'terminated', event: 'probation' },
    /contact\[1\]: probation needs retryAfter/,
  ],
  ['a time to retry without probation', { retryAfter: 5 }, /contact\[1\]: only probation has retryAfter/],
  ['no URI', bad({ uri: undefined }), /contact\[1\]\/uri: "undefined" is no URI/],
  ['a negative expires', { expires: -1 }, /contact\[1\]\/@expires: -1 is no whole number of 0 or more/],
  ['a part of a second', { durationRegistered: 0.5 }, /contact\[1\]\/@duration-registered: 0.5 is no/],
  ['a CSeq that is none', { cseq: Number.NaN }, /contact\[1\]\/@cseq: NaN is no/],
  ['a q above 1', { q: 1.1 }, /contact\[1\]\/@q: 1.1 is not between 0 and 1/],
  [
    'a language that is none',
    { displayName: 'N', lang: 'e n' },
    /contact\[1\]\/display-name\/@xml:lang: "e n" is no lang/,
  ],
  ['a parameter without name', { params: [{ name: '', value: '' }] }, /unknown-param\[1\]\/@name: "" must be one word/],
  [
    'a value with white space around it',
    { params: [{ name: 'a', value: ' 1' }] },
    /unknown-param\[1\]: " 1" is no value/,
  ],
  ['a value that is no text', bad({ params: [{ name: 'a', value: true }] }), /unknown-param\[1\]: "true" is no value/],
  ['a GRUU with a blank', { pubGruu: 'a b' }, /contact\[1\]\/pub-gruu\/@uri: "a b" is no URI/],
  ['a GRUU without its CSeq', bad({ tempGruu: { uri: 'sip:a' } }), /temp-gruu\/@first-cseq: undefined is no whole/],
  [
    'a GRUU as an extension',
    { extensions: [element(GRUUINFO, 'pub-gruu')] },
    /pub-gruu: is no extension: it has a field/,
  ],
  ['a character XML has not', { callId: 'a\0' }, /^reginfo\/registration\/contact: the character U\+0000 is illegal/],
])('not written: %s', (_what, wrong, message) => {
  expect(refusal(() => writeRegInfo(active({ ...bound, ...wrong })))).toMatch(message);
});

const registration: Registration = { aor: AOR, id: 'r', state: 'active' };

test.each<[string, RegInfo, RegExp]>([
  ['a version below 0', { ...of(), version: -1 }, /^reginfo\/@version: -1 is no whole number from 0 to 4294967295/],
  ['a version of 33 bits', { ...of(), version: 2 ** 32 }, /^reginfo\/@version: 4294967296 is no/],
  ['an unknown state', { ...of(), state: 'Full' as never }, /^reginfo\/@state: "Full" is none of full, partial/],
  ['no AOR', of({ ...registration, aor: '' }), /^reginfo\/registration\[1\]\/@aor: "" is no URI/],
  ['no id', of({ ...registration, id: '' }), /^reginfo\/registration\[1\]: has no id/],
  ['a state that is none', of({ ...registration, state: 'on' as never }), /@state: "on" is none of init, active, term/],
  [
    'one AOR in two registrations',
    of(registration, { ...registration, id: 'r2' }),
    /^reginfo\/registration\[2\]: the aor "sip:nina@fleet.example" is that of reginfo\/registration\[1\] already/,
  ],
  [
    'two registrations of one id',
    of(registration, { ...registration, aor: 'sip:b' }),
    /^reginfo\/registration\[2\]: the id "r" is that of reginfo\/registration\[1\] already/,
  ],
  [
    'two contacts of one id, in two registrations',
    of(
      { ...registration, contacts: [bound] },
      { ...registration, aor: 'sip:b', id: 'r2', contacts: [{ ...bound, id: 'd' }, bound] },
    ),
    /registration\[2\]\/contact\[2\]: the id "c" is that of reginfo\/registration\[1\]\/contact\[1\] already/,
  ],
  [
    'an active contact of a registration that is over',
    of({ ...registration, state: 'terminated', contacts: [bound] }),
    /contact\[1\]: must not be active in a registration that is terminated/,
  ],
  [
    'our own elements as extensions',
    { ...of(), extensions: [element(REGINFO, 'x')] },
    /^reginfo\/x: an extension must/,
  ],
])('not written: %s', (_what, wrong, message) => {
  expect(refusal(() => writeRegInfo(wrong))).toMatch(message);
});

test('damaged documents are refused with a place, or read without a crash', () => {
  const documents = [
    inContact(
      '<unknown-param name="+sip.instance">"&lt;urn:uuid:1&gt;"</unknown-param><gr:pub-gruu uri="sip:a;gr=1"/>',
      ' expires="1740" q="0.7" callid="reg&quot;55d" cseq="18"',
    ),
    wrap(
      `<registration aor='sip:é@例.example' id='1' state="terminated"><!-- over --><contact id="a" state="terminated" event="expired"><uri><![CDATA[sip:a]]></uri></contact></registration>`,
      'version="3" state="partial"',
    ),
    `<r:reginfo xmlns:r="${REGINFO}" version="0" state="full"><r:registration aor="sip:a" id="1" state="init"><y xmlns="urn:y"/></r:registration></r:reginfo>`,
  ];
  let read = 0;
  fc.assert(
    fc.property(mutatedFrom(documents), (text) => {
      try {
        expect(readRegInfo(text).version).toBeGreaterThanOrEqual(0);
        read++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'PUA_ERR_DOCUMENT', message: expect.stringMatching(/^[^:]+: ./) });
      }
    }),
    { seed: 33, numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(100);
});

describeWithSchemas('schema of reginfo', () => {
  const folder = temporaryFolder();
  const complaints = (...documents: readonly string[]) => complaintsOf(folder(), { [REGINFO]: 'reginfo' }, documents);

  test('random documents are valid', () => {
    expect(complaints(...fc.sample(regInfoArb(false), { seed: 34, numRuns: 100 }).map(writeRegInfo))).toBe('');
  });

  test('every state and event', () => {
    const contacts = registrationEvents.map((event, i): RegistrationContact => {
      const extra = event === 'shortened' ? { expires: 5 } : event === 'probation' ? { retryAfter: 5 } : {};
      return { ...(i < 4 ? bound : ended), id: event, event, ...extra };
    });
    const all = registrationStates.map((state) => ({ aor: `sip:${state}`, id: state, state }));
    const doc = of(...all.map((one) => (one.state === 'active' ? { ...one, contacts } : one)));
    expect(complaints(writeRegInfo(doc))).toBe('');
  });

  test("Kamailio's attributes are not in it", () => {
    expect(complaints(writeRegInfo(active({ ...bound, compat: { path: '' } })))).toMatch(/'path'/);
  });

  test('the check can fail', () => {
    const xml = writeRegInfo(active(bound));
    expect(complaints(xml.replace('<uri>', '<display-name/><uri>'))).toMatch(/display-name/);
    expect(complaints(xml.replace(' aor=', ' x='))).toMatch(/aor/);
  });
});
