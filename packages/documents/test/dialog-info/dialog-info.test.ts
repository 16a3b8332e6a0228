import {
  type Dialog,
  type DialogInfo,
  dialogEvents,
  dialogStates,
  element,
  Namespace,
  readDialogInfo,
  writeDialogInfo,
} from '@pua/documents';
import fc from 'fast-check';
import { dialogInfoArb } from '../arbitraries/dialog-info';
import { mutatedFrom } from '../mutations';
import { refusal } from '../refusal';
import { complaints as complaintsOf, describeWithSchemas, temporaryFolder } from '../xmllint';

const { DIALOG_INFO } = Namespace;

const of = (...dialogs: readonly Dialog[]): DialogInfo => ({
  version: 0,
  state: 'full',
  entity: 'sip:alice@example.com',
  dialogs,
});
const wrap = (inner: string, attributes = 'version="0" state="full" entity="sip:alice@example.com"') =>
  `<dialog-info xmlns="${DIALOG_INFO}" ${attributes}>${inner}</dialog-info>`;
const dialogOf = (xml: string) => readDialogInfo(wrap(`<dialog id="d">${xml}</dialog>`)).dialogs[0]!;
const written = (dialog: Partial<Dialog>) => writeDialogInfo(of({ id: 'd', state: 'confirmed', ...dialog }));

test('a document in the order of the schema', () => {
  const doc: DialogInfo = {
    version: 4,
    state: 'full',
    entity: 'sip:reception@hotel.example',
    dialogs: [
      {
        id: 'd-3fa1c0-callee',
        callId: 'q8v1-77c0@198.51.100.9',
        localTag: 'as55e1',
        remoteTag: '9k2mz',
        direction: 'recipient',
        state: 'terminated',
        event: 'rejected',
        code: 486,
        duration: 184,
        replaces: { callId: 'hg287s98s89', localTag: '6762h7', remoteTag: '09278hsb' },
        referredBy: { uri: 'sip:bob@example.com', display: 'Bob' },
        routeSet: ['sip:p1.example;lr', 'sip:p2.example;lr'],
        local: {
          identity: { uri: 'sip:reception@hotel.example', display: 'Reception & Concierge' },
          target: {
            uri: 'sip:reception@203.0.113.40:5066;transport=tcp',
            display: 'reception',
            params: [{ name: '+sip.rendering', value: 'no' }],
          },
          sessionDescription: { type: 'application/sdp', text: 'v=0\r\n' },
          cseq: 7,
          extensions: [element('urn:x', 'in-side')],
        },
        remote: { identity: { uri: 'sip:room214@hotel.example' } },
        extensions: [element('urn:x', 'in-dialog')],
      },
    ],
    extensions: [element('urn:x', 'in-root')],
  };
  const xml = writeDialogInfo(doc);
  expect(xml).toBe(
    [
      '<?xml version="1.0" encoding="UTF-8"?>\n',
      `<dialog-info xmlns="${DIALOG_INFO}" xmlns:ns1="urn:x" version="4" state="full" entity="sip:reception@hotel.example">`,
      '<dialog id="d-3fa1c0-callee" call-id="q8v1-77c0@198.51.100.9" local-tag="as55e1" remote-tag="9k2mz" direction="recipient">',
      '<state event="rejected" code="486">terminated</state><duration>184</duration>',
      '<replaces call-id="hg287s98s89" local-tag="6762h7" remote-tag="09278hsb"/>',
      '<referred-by display="Bob">sip:bob@example.com</referred-by>',
      '<route-set><hop>sip:p1.example;lr</hop><hop>sip:p2.example;lr</hop></route-set>',
      '<local><identity display="Reception &amp; Concierge">sip:reception@hotel.example</identity>',
      '<target uri="sip:reception@203.0.113.40:5066;transport=tcp" display="reception">',
      '<param pname="+sip.rendering" pval="no"/></target>',
      '<session-description type="application/sdp">v=0&#13;\n</session-description><cseq>7</cseq><ns1:in-side/></local>',
      '<remote><identity>sip:room214@hotel.example</identity></remote>',
      '<ns1:in-dialog/></dialog><ns1:in-root/></dialog-info>',
    ].join(''),
  );
  expect(readDialogInfo(xml)).toEqual(doc);
});

test('several dialogs in one document, or none', () => {
  const doc = of({ id: 'a', state: 'early' }, { id: 'b', state: 'early' }, { id: 'c', state: 'trying' });
  expect(readDialogInfo(writeDialogInfo(doc))).toEqual(doc);
  expect(readDialogInfo(writeDialogInfo(of()))).toEqual(of());
});

test('an empty route set is none: the schema wants a hop', () => {
  expect(written({ routeSet: [] })).toBe(written({}));
});

test('what stands in a Call-ID, a tag or a display name comes back as it was', () => {
  const awkward = `"'<&>]]> é😀\t\n`;
  const dialog: Dialog = {
    id: awkward,
    callId: awkward,
    localTag: awkward,
    remoteTag: awkward,
    state: 'confirmed',
    replaces: { callId: awkward, localTag: '', remoteTag: awkward },
    local: { identity: { uri: 'sip:a&b@example.com', display: awkward } },
  };
  const xml = writeDialogInfo(of(dialog));
  expect(xml).toContain('call-id="&quot;\'&lt;&amp;&gt;]]&gt; é😀&#9;&#10;"');
  expect(xml).toContain('>sip:a&amp;b@example.com</identity>');
  expect(readDialogInfo(xml).dialogs[0]).toEqual(dialog);
});

test('what is written is what is read', () => {
  fc.assert(
    fc.property(dialogInfoArb(true), (doc) => {
      expect(readDialogInfo(writeDialogInfo(doc))).toEqual(doc);
    }),
    { seed: 21, numRuns: 300 },
  );
});

describe('examples of RFC 4235', () => {
  test('section 4.2, with the entity that it forgets', () => {
    const xml = `<?xml version="1.0" encoding="UTF-8"?>
   <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
     xsi:schemaLocation="urn:ietf:params:xml:ns:dialog-info"
     version="1" state="full">
     <dialog id="123456">
        <state>confirmed</state>
        <duration>274</duration>
        <local>
          <identity display="Alice">sip:alice@example.com</identity>
          <target uri="sip:alice@pc33.example.com">
            <param pname="isfocus" pval="true"/>
            <param pname="class" pval="personal"/>
          </target>
        </local>
        <remote>
          <identity display="Bob">sip:bob@example.org</identity>
          <target uri="sip:bobster@phone21.example.org"/>
        </remote>
     </dialog>
   </dialog-info>`;
    expect(refusal(() => readDialogInfo(xml))).toMatch(/^dialog-info: has no attribute entity/);
    const complete = xml.replace('state="full"', 'state="full" entity="sip:alice@example.com"');
    const expected: DialogInfo = {
      version: 1,
      state: 'full',
      entity: 'sip:alice@example.com',
      dialogs: [
        {
          id: '123456',
          state: 'confirmed',
          duration: 274,
          local: {
            identity: { uri: 'sip:alice@example.com', display: 'Alice' },
            target: {
              uri: 'sip:alice@pc33.example.com',
              params: [
                { name: 'isfocus', value: 'true' },
                { name: 'class', value: 'personal' },
              ],
            },
          },
          remote: {
            identity: { uri: 'sip:bob@example.org', display: 'Bob' },
            target: { uri: 'sip:bobster@phone21.example.org' },
          },
        },
      ],
    };
    expect(readDialogInfo(complete)).toEqual(expected);
    expect(readDialogInfo(Buffer.from(complete))).toEqual(expected);
  });

  test('section 4.1.1: the attributes of a dialog', () => {
    const xml = wrap(
      '<dialog id="as7d900as8" call-id="a84b4c76e66710" local-tag="1928301774" direction="initiator"><state>trying</state></dialog>',
      'version="0" state="partial" entity="sip:alice@example.com"',
    );
    expect(readDialogInfo(xml)).toEqual({
      ...of({
        id: 'as7d900as8',
        callId: 'a84b4c76e66710',
        localTag: '1928301774',
        direction: 'initiator',
        state: 'trying',
      }),
      state: 'partial',
    });
  });

  test('section 4.1.2: a state with its cause', () => {
    expect(dialogOf('<state event="rejected" code="486">terminated</state>')).toEqual({
      id: 'd',
      state: 'terminated',
      event: 'rejected',
      code: 486,
    });
  });

  test('section 4.1.4 and 4.1.5: replaces and referred-by', () => {
    const xml = `<state>early</state><replaces call-id="hg287s98s89"
             local-tag="6762h7" remote-tag="09278hsb"/>
      <referred-by display="Bob">sip:bob@example.com</referred-by>`;
    expect(dialogOf(xml)).toMatchObject({
      replaces: { callId: 'hg287s98s89', localTag: '6762h7', remoteTag: '09278hsb' },
      referredBy: { uri: 'sip:bob@example.com', display: 'Bob' },
    });
  });

  test('section 4.1.6.1: an identity with white space around it', () => {
    const xml = `<state>early</state><remote><identity display="Anonymous">
           sip:anonymous@anonymous.invalid</identity></remote>`;
    expect(dialogOf(xml).remote).toEqual({
      identity: { uri: 'sip:anonymous@anonymous.invalid', display: 'Anonymous' },
    });
  });

  test('section 4.1.6.2: a target on hold', () => {
    const xml = `<state>confirmed</state><local><target uri="sip:alice@pc33.example.com">
        <param pname="isfocus" pval="true"/>
        <param pname="class" pval="business"/>
        <param pname="description" pval="Alice's desk &amp; office"/>
        <param pname="sip.rendering" pval="no"/>
      </target></local>`;
    const { local } = dialogOf(xml);
    expect(local!.target).toEqual({
      uri: 'sip:alice@pc33.example.com',
      params: [
        { name: 'isfocus', value: 'true' },
        { name: 'class', value: 'business' },
        { name: 'description', value: "Alice's desk & office" },
        { name: 'sip.rendering', value: 'no' },
      ],
    });
    expect(written({ local: local! })).toContain(xml.slice(xml.indexOf('<target'), -8).replace(/\s+(?=<)/g, ''));
  });
});

describe('the reader forgives', () => {
  test('states in any case, as Kamailio writes Trying', () => {
    for (const state of dialogStates) {
      expect(dialogOf(`<state> ${state[0]!.toUpperCase()}${state.slice(1)}\n</state>`).state).toBe(state);
    }
  });

  test('display-name, as the schema calls it; the name of the text wins', () => {
    const display = (attributes: string) =>
      dialogOf(`<state>early</state><local><identity ${attributes}>sip:a</identity></local>`).local!.identity!.display;
    expect(display('display-name="Bob"')).toBe('Bob');
    expect(display('display-name="Bob" display="Alice"')).toBe('Alice');
  });

  test('any order of elements', () => {
    const xml = '<remote><target uri="sip:t"/><identity>sip:b</identity></remote><local/><state>early</state>';
    expect(dialogOf(xml)).toEqual({
      id: 'd',
      state: 'early',
      local: {},
      remote: { identity: { uri: 'sip:b' }, target: { uri: 'sip:t' } },
    });
  });

  test('elements and attributes that it does not know; those of other namespaces it keeps', () => {
    const xml = wrap(
      `<later/><dialog id="d" later="1"><state later="1">early</state><later/><x:e xmlns:x="urn:x"/></dialog>`,
      'version="00000000000" state="full" entity="sip:alice@example.com" notify-state="full"',
    );
    expect(readDialogInfo(xml)).toEqual(of({ id: 'd', state: 'early', extensions: [element('urn:x', 'e')] }));
  });

  test('an empty identity or target, a parameter without value, a second identity', () => {
    const local = (xml: string) => dialogOf(`<state>early</state><local>${xml}</local>`).local;
    expect(local('<identity display="x"/><target uri=""/>')).toEqual({});
    expect(local('<target/>')).toEqual({});
    expect(local('<target uri="sip:t"><param pname="isfocus"/></target>')).toEqual({
      target: { uri: 'sip:t', params: [{ name: 'isfocus', value: 'true' }] },
    });
    expect(local('<identity>sip:a</identity><identity>tel:+1</identity>')).toEqual({ identity: { uri: 'sip:a' } });
  });
});

const inDialog = (xml: string) => wrap(`<dialog id="d">${xml}</dialog>`);
const inLocal = (xml: string) => inDialog(`<state>early</state><local>${xml}</local>`);

test.each([
  [wrap('', 'state="full" entity="sip:a"'), /^dialog-info: has no attribute version/],
  [wrap('', 'version="1" entity="sip:a"'), /^dialog-info: has no attribute state/],
  [
    wrap('', 'version="-1" state="full" entity="sip:a"'),
    /^dialog-info\/@version: "-1" is no whole number of 0 or more/,
  ],
  [wrap('', 'version="1" state="Full" entity="sip:a"'), /^dialog-info\/@state: "Full" is none of full, partial/],
  [wrap('', 'version="1" state="full" entity="a b"'), /^dialog-info\/@entity: "a b" is no URI/],
  [wrap('<dialog><state>early</state></dialog>'), /^dialog-info\/dialog\[1\]: has no attribute id/],
  [wrap('<dialog id=""><state>early</state></dialog>'), /^dialog-info\/dialog\[1\]: has no attribute id/],
  [inDialog(''), /^dialog-info\/dialog\[1\]: has no state/],
  [inDialog('<state>early</state><state>early</state>'), /^dialog-info\/dialog\[1\]: more than one state/],
  [inDialog('<state>ringing</state>'), /dialog\[1\]\/state: "ringing" is none of trying, proceeding, early/],
  [inDialog('<state event="bye">terminated</state>'), /state\/@event: "bye" is none of cancelled, rejected/],
  [inDialog('<state code="99">terminated</state>'), /state\/@code: "99" is no whole number from 100 to 699/],
  [inDialog('<state code="700">terminated</state>'), /state\/@code: "700" is no/],
  [inDialog('<state>early</state><duration>-1</duration>'), /dialog\[1\]\/duration: "-1" is no whole number of 0/],
  [inDialog('<state>early</state><replaces call-id="a" local-tag="b"/>'), /replaces: has no attribute remote-tag/],
  [inDialog('<state>early</state><route-set><hop/></route-set>'), /route-set\/hop\[1\]: "" is no URI/],
  [inDialog('<state>early</state><local/><local/>'), /dialog\[1\]: more than one local/],
  [inLocal('<identity>a b</identity>'), /dialog\[1\]\/local\/identity: "a b" is no URI/],
  [inLocal('<identity><a/></identity>'), /local\/identity: only text is allowed here/],
  [inLocal('<target uri="a b"/>'), /local\/target\/@uri: "a b" is no URI/],
  [inLocal('<target uri="sip:a"><param pval="1"/></target>'), /local\/target\/param\[1\]: has no attribute pname/],
  [inLocal('<session-description>v=0</session-description>'), /session-description: has no attribute type/],
  [inLocal('<cseq>x</cseq>'), /local\/cseq: "x" is no whole number/],
  [wrap('').replace(DIALOG_INFO, 'urn:other'), /the root must be dialog-info in the namespace/],
  ['<dialog-info version="1" state="full" entity="sip:a"/>', /the root must be dialog-info in the namespace/],
  [`<!DOCTYPE dialog-info>${wrap('')}`, /a DTD/],
])('not read: %s', (xml, message) => {
  expect(refusal(() => readDialogInfo(xml))).toMatch(message);
});

test('size and depth are bounded', () => {
  expect(refusal(() => readDialogInfo(wrap(''), { maxBytes: 50 }))).toMatch(/larger than 50 bytes/);
  expect(refusal(() => readDialogInfo(inDialog(''), { maxDepth: 1 }))).toMatch(/nested deeper than 1/);
});

const bad = (wrong: object) => wrong as Partial<Dialog>;

test.each<[string, Partial<Dialog>, RegExp]>([
  ['an empty id', { id: '' }, /^dialog-info\/dialog\[1\]: has no id/],
  ['no state', bad({ state: undefined }), /dialog\[1\]\/state: "undefined" is none of trying/],
  ['an unknown state', bad({ state: 'Trying' }), /dialog\[1\]\/state: "Trying" is none of trying/],
  ['an unknown event', bad({ state: 'terminated', event: 'bye' }), /state\/@event: "bye" is none of cancelled/],
  ['an event of a dialog that goes on', { event: 'cancelled' }, /state\/@event: tells why a dialog is terminated/],
  ['a code below', { code: 99 }, /state\/@code: 99 is no whole number from 100 to 699/],
  ['a code above', { code: 700 }, /state\/@code: 700 is no/],
  ['half a second', { duration: 0.5 }, /dialog\[1\]\/duration: 0.5 is no whole number of 0 or more/],
  ['an unknown direction', bad({ direction: 'in' }), /dialog\[1\]\/@direction: "in" is none of initiator, recipient/],
  ['a Call-ID that is no text', bad({ callId: 5 }), /^dialog-info\/dialog: expected a text, not number/],
  ['half a Replaces', bad({ replaces: { callId: 'a' } }), /dialog\/replaces: expected a text, not undefined/],
  ['a referrer without URI', { referredBy: { uri: '' } }, /dialog\[1\]\/referred-by: "" is no URI/],
  ['a hop that is none', { routeSet: ['sip:p', 'a b'] }, /route-set\/hop\[2\]: "a b" is no URI/],
  [
    'an identity with a blank',
    { local: { identity: { uri: 'a b' } } },
    /dialog\[1\]\/local\/identity: "a b" is no URI/,
  ],
  ['a target without URI', { remote: { target: { uri: '' } } }, /dialog\[1\]\/remote\/target\/@uri: "" is no URI/],
  [
    'a parameter without name',
    { local: { target: { uri: 'sip:a', params: [{ name: '', value: '' }] } } },
    /target\/param\[1\]\/@pname: "" must be one word/,
  ],
  ['a type with a blank', { local: { sessionDescription: { type: '', text: '' } } }, /session-description\/@type: ""/],
  ['a CSeq below 0', { local: { cseq: -1 } }, /dialog\[1\]\/local\/cseq: -1 is no whole number of 0 or more/],
  ['a character XML has not', { callId: 'a\0' }, /^dialog-info\/dialog: the character U\+0000 is illegal/],
  ['our own elements as extensions', { extensions: [element(DIALOG_INFO, 'x')] }, /dialog\[1\]\/x: an extension must/],
])('not written: %s', (_what, wrong, message) => {
  expect(refusal(() => written(wrong))).toMatch(message);
});

test.each<[Partial<DialogInfo>, RegExp]>([
  [{ version: -1 }, /^dialog-info\/@version: -1 is no whole number from 0 to 4294967295/],
  [{ version: 2 ** 32 }, /^dialog-info\/@version: 4294967296 is no/],
  [{ state: 'Full' as never }, /^dialog-info\/@state: "Full" is none of full, partial/],
  [{ entity: '' }, /^dialog-info\/@entity: "" is no URI/],
  [{ extensions: [element('', 'x')] }, /^dialog-info\/x: an extension must be in a namespace of its own/],
  [
    { dialogs: ['a', 'b', 'a'].map((id) => ({ id, state: 'early' as const })) },
    /^dialog-info\/dialog\[3\]: the id "a" is that of dialog-info\/dialog\[1\] already/,
  ],
])('not written: %j', (wrong, message) => {
  expect(refusal(() => writeDialogInfo({ ...of(), ...wrong }))).toMatch(message);
});

test('damaged documents are refused with a place, or read into what can be written again', () => {
  const documents = [
    writeDialogInfo(fc.sample(dialogInfoArb(true), { seed: 22, numRuns: 1 })[0]!),
    wrap(
      `<dialog id='d1' call-id="a&quot;b" local-tag="1" remote-tag="2" direction="recipient"><state event="remote-bye" code='200'>Terminated</state>
      <duration>184</duration><!-- a comment --><local><identity display="R &amp; C">sip:r@h.example</identity><target uri="sip:r@203.0.113.40"><param
      pname="+sip.rendering" pval="no"/></target></local><remote><identity><![CDATA[sip:x@h.example]]></identity><cseq>1</cseq></remote></dialog>`,
    ),
    `<d:dialog-info xmlns:d='${DIALOG_INFO}' version="1" state='partial' entity="sip:é@例.example"><d:dialog id="1"><d:state>early</d:state><y xmlns="urn:y"/></d:dialog></d:dialog-info>`,
  ];
  let read = 0;
  fc.assert(
    fc.property(mutatedFrom(documents), (text) => {
      let doc: DialogInfo;
      try {
        doc = readDialogInfo(text);
      } catch (error) {
        expect(error).toMatchObject({ code: 'PUA_ERR_DOCUMENT', message: expect.stringMatching(/^[^:]+: ./) });
        return;
      }
      read++;
      // The writer alone asks for a state that fits the event, and for a version of 32 bits.
      const fitting = doc.dialogs.every((dialog) => !dialog.event || dialog.state === 'terminated');
      if (fitting && doc.version < 2 ** 32) expect(readDialogInfo(writeDialogInfo(doc))).toEqual(doc);
    }),
    { seed: 23, numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(100);
});

describeWithSchemas('schema of dialog-info', () => {
  const folder = temporaryFolder();
  const complaints = (...documents: readonly string[]) =>
    complaintsOf(folder(), { [DIALOG_INFO]: 'dialog-info' }, documents);

  test('random documents are valid', () => {
    expect(complaints(...fc.sample(dialogInfoArb(false), { seed: 24, numRuns: 100 }).map(writeDialogInfo))).toBe('');
  });

  test('every state and event', () => {
    const all: Dialog[] = [
      ...dialogStates.map((state) => ({ id: state, state })),
      ...dialogEvents.map((event) => ({ id: event, state: 'terminated' as const, event, code: 487 })),
    ];
    expect(complaints(writeDialogInfo(of(...all)))).toBe('');
  });

  test('the display of a target, which is of our own accord, is not in it', () => {
    expect(complaints(written({ local: { target: { uri: 'sip:a', display: 'a' } } }))).toMatch(/'display'/);
  });

  test('the check can fail', () => {
    const xml = written({ duration: 1 });
    expect(complaints(xml.replace('<state>confirmed</state><duration>1</duration>', '<duration/>'))).toMatch(
      /duration/,
    );
    expect(complaints(xml.replace(' entity=', ' x='))).toMatch(/entity/);
  });
});
