import {
  activityNames,
  attribute,
  element,
  moodNames,
  Namespace,
  type Person,
  type Pidf,
  readPidf,
  type Tuple,
  writePidf,
} from '@pua/documents';
import { refusal } from '../refusal';

const { RPID } = Namespace;
const wrap = (inner: string) =>
  `<presence xmlns="${Namespace.PIDF}" xmlns:dm="${Namespace.DATA_MODEL}" xmlns:r="${RPID}" xmlns:lt="${Namespace.LOCATION_TYPE}" entity="sip:a@b.example">${inner}</presence>`;
const readPerson = (inner: string) => readPidf(wrap(`<dm:person>${inner}</dm:person>`)).persons![0];
const readTuple = (inner: string) =>
  readPidf(wrap(`<tuple><status><basic>open</basic></status>${inner}</tuple>`)).tuples![0];

test('the example of RFC 4480 section 4', () => {
  const xml = wrap(
    `<tuple id="bs35r9"><status><basic>open</basic></status>
       <dm:deviceID>urn:device:0003ba4811e3</dm:deviceID>
       <r:relationship><r:self/></r:relationship>
       <r:service-class><r:electronic/></r:service-class>
       <contact priority="0.8">im:someone@mobile.example.net</contact>
     </tuple>
     <tuple id="eg92n8"><status><basic>open</basic></status>
       <dm:deviceID>urn:x-mac:0003ba4811e3</dm:deviceID>
       <r:class>email</r:class>
       <r:status-icon>http://example.com/mail.png</r:status-icon>
       <contact priority="1.0">mailto:someone@example.com</contact>
     </tuple>
     <dm:device id="pc147">
       <r:user-input idle-threshold="600" last-input="2004-10-21T13:20:00-05:00">idle</r:user-input>
       <dm:deviceID>urn:device:0003ba4811e3</dm:deviceID>
       <dm:note>PC</dm:note>
     </dm:device>
     <dm:person id="p1">
       <r:activities from="2005-05-30T12:00:00+05:00" until="2005-05-30T17:00:00+05:00">
          <r:note>Far away</r:note>
          <r:away/>
       </r:activities>
       <r:class>calendar</r:class>
       <r:mood><r:angry/><r:other>brooding</r:other></r:mood>
       <r:place-is><r:audio><r:noisy/></r:audio></r:place-is>
       <r:place-type><lt:residence/></r:place-type>
       <r:privacy><r:unknown/></r:privacy>
       <r:sphere>bowling league</r:sphere>
       <r:status-icon>http://example.com/play.gif</r:status-icon>
       <r:time-offset>-240</r:time-offset>
       <dm:note>Scoring 120</dm:note>
       <dm:timestamp>2005-05-30T16:09:44+05:00</dm:timestamp>
     </dm:person>`,
  );
  expect(readPidf(xml)).toEqual({
    entity: 'sip:a@b.example',
    tuples: [
      {
        id: 'bs35r9',
        basic: 'open',
        deviceIds: ['urn:device:0003ba4811e3'],
        relationship: { value: 'self' },
        serviceClass: { value: 'electronic' },
        contact: { uri: 'im:someone@mobile.example.net', priority: 0.8 },
      },
      {
        id: 'eg92n8',
        basic: 'open',
        deviceIds: ['urn:x-mac:0003ba4811e3'],
        class: 'email',
        statusIcon: [{ uri: 'http://example.com/mail.png' }],
        contact: { uri: 'mailto:someone@example.com', priority: 1 },
      },
    ],
    devices: [
      {
        id: 'pc147',
        deviceId: 'urn:device:0003ba4811e3',
        userInput: { state: 'idle', idleThreshold: 600, lastInput: '2004-10-21T13:20:00-05:00' },
        notes: [{ text: 'PC' }],
      },
    ],
    persons: [
      {
        id: 'p1',
        activities: [
          {
            from: '2005-05-30T12:00:00+05:00',
            until: '2005-05-30T17:00:00+05:00',
            notes: [{ text: 'Far away' }],
            values: ['away'],
          },
        ],
        class: 'calendar',
        mood: [{ values: ['angry'], others: [{ text: 'brooding' }] }],
        placeIs: [{ audio: 'noisy' }],
        placeType: [{ values: ['residence'] }],
        privacy: [{ values: ['unknown'] }],
        // Text in a sphere is against the schema, and nobody's value.
        sphere: [{}],
        statusIcon: [{ uri: 'http://example.com/play.gif' }],
        timeOffset: [{ minutes: -240 }],
        notes: [{ text: 'Scoring 120' }],
        timestamp: '2005-05-30T16:09:44+05:00',
      },
    ],
  });
});

test('written in the order of table 1 of RFC 4480', () => {
  const foreign = element('urn:x', 'y');
  const person: Person = {
    timestamp: '2024-01-01T00:00:00Z',
    userInput: { id: 'u', state: 'active' },
    timeOffset: [{ minutes: 60, description: 'Europe/Berlin' }],
    statusIcon: [{ uri: 'http://e.example/a.png?a=1&b=2' }],
    sphere: [{ value: 'work' }],
    privacy: [{ values: ['video', 'audio'] }],
    placeType: [{ values: ['office'], extensions: [foreign] }],
    placeIs: [{ video: 'toobright', text: 'ok' }],
    mood: [{ values: ['in_awe'] }],
    class: 'c',
    activities: [{ values: ['busy'], from: '2024-01-01T00:00:00Z' }],
  };
  const xml = writePidf({ entity: 'sip:a@b.example', persons: [person] });
  expect(xml.slice(xml.indexOf('<dm:person>'))).toBe(
    '<dm:person><rpid:activities from="2024-01-01T00:00:00Z"><rpid:busy/></rpid:activities><rpid:class>c</rpid:class>' +
      '<rpid:mood><rpid:in_awe/></rpid:mood>' +
      '<rpid:place-is><rpid:video><rpid:toobright/></rpid:video><rpid:text><rpid:ok/></rpid:text></rpid:place-is>' +
      '<rpid:place-type><lt:office/><ns4:y/></rpid:place-type><rpid:privacy><rpid:audio/><rpid:video/></rpid:privacy>' +
      '<rpid:sphere><rpid:work/></rpid:sphere><rpid:status-icon>http://e.example/a.png?a=1&amp;b=2</rpid:status-icon>' +
      '<rpid:time-offset description="Europe/Berlin">60</rpid:time-offset><rpid:user-input id="u">active</rpid:user-input>' +
      '<dm:timestamp>2024-01-01T00:00:00Z</dm:timestamp></dm:person></presence>',
  );
});

test('all activities and moods there and back', () => {
  const doc: Pidf = {
    entity: 'sip:a@b.example',
    persons: [...activityNames.map((v) => ({ activities: [{ values: [v] }] }))],
  };
  expect(readPidf(writePidf(doc))).toEqual(doc);
  const moods: Pidf = { entity: 'sip:a@b.example', persons: moodNames.map((v) => ({ mood: [{ values: [v] }] })) };
  expect(readPidf(writePidf(moods))).toEqual(moods);
});

describe('reading what others write', () => {
  test('lunch, which only the text of the RFC has, is a meal', () => {
    expect(readPerson('<r:activities><r:lunch/></r:activities>')).toEqual({ activities: [{ values: ['meal'] }] });
  });

  test('unknown values are passed over', () => {
    expect(
      readPerson(
        '<r:mood><r:smug/><r:sad/></r:mood><r:place-is><r:audio><r:echoing/></r:audio><r:smell/></r:place-is>' +
          '<r:privacy><r:video/><r:smell/><r:audio/></r:privacy><r:sphere><r:club/></r:sphere>',
      ),
    ).toEqual({
      mood: [{ values: ['sad'] }],
      placeIs: [{}],
      privacy: [{ values: ['audio', 'video'] }],
      sphere: [{}],
    });
    expect(readTuple('<r:relationship><r:foe/></r:relationship><r:service-class><r:drone/></r:service-class>')).toEqual(
      { basic: 'open', relationship: {}, serviceClass: {} },
    );
  });

  test('what stands where RPID does not put it is an extension', () => {
    expect(readTuple('<r:mood/>')).toEqual({ basic: 'open', extensions: [element(RPID, 'mood')] });
    expect(readPerson('<r:relationship/>')).toEqual({ extensions: [element(RPID, 'relationship')] });
    expect(readPidf(wrap('<r:activities/>')).extensions).toEqual([element(RPID, 'activities')]);
  });

  test('white space around values does not count', () => {
    expect(
      readPerson(
        '<r:class>\n a\t b </r:class><r:time-offset> +60\n</r:time-offset><r:user-input idle-threshold=" 5 "> idle </r:user-input>',
      ),
    ).toEqual({ class: 'a b', timeOffset: [{ minutes: 60 }], userInput: { state: 'idle', idleThreshold: 5 } });
  });

  test.each([
    ['<r:class>a</r:class><r:class>b</r:class>', /^presence\/person\[1\]: more than one class/],
    ['<r:user-input>idle</r:user-input><r:user-input>idle</r:user-input>', /: more than one user-input/],
    ['<r:user-input>asleep</r:user-input>', /\/user-input: "asleep" is neither active nor idle/],
    [
      '<r:user-input idle-threshold="0">idle</r:user-input>',
      /\/user-input\/@idle-threshold: "0" is no whole number of 1/,
    ],
    ['<r:user-input last-input="now">idle</r:user-input>', /\/user-input\/@last-input: "now" is no date/],
    ['<r:time-offset>1.5</r:time-offset>', /\/time-offset\[1\]: "1\.5" is no whole number$/],
    ['<r:time-offset>99999999999999999999</r:time-offset>', /is no whole number$/],
    ['<r:mood/><r:mood until="later"><r:sad/></r:mood>', /\/mood\[2\]\/@until: "later" is no date/],
    ['<r:status-icon/>', /\/status-icon\[1\]: "" is no URI/],
    ['<r:place-is><r:audio/><r:audio/></r:place-is>', /\/place-is\[1\]: more than one audio/],
  ])('refused: %s', (inner, message) => {
    expect(refusal(() => readPerson(inner))).toMatch(message);
  });
});

describe('the writer refuses', () => {
  const foreign = element('urn:x', 'y');
  const persons: readonly (readonly [Person, RegExp])[] = [
    [{ mood: [{}] }, /^presence\/person\[1\]\/mood\[1\]: has no value/],
    [{ mood: [{ values: ['unknown'], others: [{ text: 'x' }] }] }, /mood\[1\]: "unknown" stands alone/],
    [{ mood: [{ values: ['smug' as 'sad'] }] }, /mood\[1\]: "smug" is no value of RFC 4480/],
    [{ activities: [{ extensions: [element(RPID, 'busy')] }] }, /activities\[1\]\/busy: an extension must be/],
    [{ placeIs: [{ audio: 'loud' as 'ok' }] }, /place-is\[1\]\/audio: "loud" is none of noisy, ok, quiet, unknown/],
    [{ placeType: [{}] }, /place-type\[1\]: needs exactly one of other, or values and extensions, not 0/],
    [{ placeType: [{ other: { text: 'x' }, values: ['office'] }] }, /place-type\[1\]: needs exactly one of .* not 2/],
    [{ placeType: [{ values: ['my office'] }] }, /place-type\[1\]: "my office" is no name/],
    [
      { placeType: [{ extensions: [element(Namespace.LOCATION_TYPE, 'office')] }] },
      /place-type\[1\]\/office: is no extension: it has a field of its own/,
    ],
    [{ privacy: [{ values: ['unknown', 'audio'] }] }, /privacy\[1\]: "unknown" stands alone/],
    [{ privacy: [{ values: ['smell' as 'audio'] }] }, /privacy\[1\]: "smell" is none of/],
    [{ sphere: [{}] }, /sphere\[1\]: needs exactly one of value and extensions, not 0/],
    [{ sphere: [{ value: 'home', extensions: [foreign] }] }, /sphere\[1\]: needs exactly one of/],
    [{ statusIcon: [{ uri: '' }] }, /status-icon\[1\]: "" is no URI/],
    [{ timeOffset: [{ minutes: 0.5 }] }, /time-offset\[1\]: 0\.5 is no whole number/],
    [{ timeOffset: [{ minutes: Number.NaN }] }, /time-offset\[1\]: NaN is no whole number/],
    [{ userInput: { state: 'asleep' as 'idle' } }, /user-input: "asleep" is neither active nor idle/],
    [{ userInput: { state: 'idle', idleThreshold: 0 } }, /user-input\/@idle-threshold: 0 is no whole number of 1/],
    [{ userInput: { state: 'idle', lastInput: 'now' } }, /user-input\/@last-input: "now" is no date/],
    [{ class: ' a' }, /class: " a" must be words/],
    [{ class: '' }, /class: "" must be words/],
    [{ id: 'a', mood: [{ id: 'a', values: ['sad'] }] }, /: the id "a" is that of presence\/person\[1\]/],
    [{ extensions: [element(RPID, 'mood')] }, /person\[1\]\/mood: is no extension: it has a field of its own/],
  ];
  test.each(persons)('person %j', (person, message) => {
    expect(refusal(() => writePidf({ entity: 'sip:a', persons: [person] }))).toMatch(message);
  });

  const tuples: readonly (readonly [Tuple, RegExp])[] = [
    [{ relationship: {} }, /^presence\/tuple\[1\]\/relationship: needs exactly one of value, other and extensions/],
    [{ relationship: { value: 'friend', other: { text: 'x' } } }, /relationship: needs exactly one of .* not 2/],
    [{ relationship: { value: 'foe' as 'friend' } }, /relationship: "foe" is none of assistant, associate/],
    [{ serviceClass: {} }, /service-class: needs exactly one of value and extensions/],
    [
      { serviceClass: { value: 'postal' }, contact: { uri: 'sip:a' } },
      /^presence\/tuple\[1\]\/contact: must not stand beside the service class postal/,
    ],
    [{ deviceIds: ['a b'] }, /^presence\/tuple\[1\]\/deviceID: "a b" is no URI/],
    [
      { extensions: [element(Namespace.DATA_MODEL, 'deviceID', [], ['urn:x'])] },
      /tuple\[1\]\/deviceID: is no extension/,
    ],
  ];
  test.each(tuples)('tuple %j', (tuple, message) => {
    expect(refusal(() => writePidf({ entity: 'sip:a', tuples: [{ basic: 'open', ...tuple }] }))).toMatch(message);
  });

  test('but an attribute of an extension that is called like a field is fine', () => {
    const extensions = [element('urn:x', 'mood', [attribute('class', 'a')])];
    const doc: Pidf = { entity: 'sip:a@b.example', persons: [{ extensions }] };
    expect(readPidf(writePidf(doc))).toEqual(doc);
  });
});
