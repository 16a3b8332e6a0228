import { Namespace, presence, readPidf, writePidf } from '@pua/documents';
import fc from 'fast-check';
import { pidfArb } from '../arbitraries/pidf';
import { runProcessor } from '../process';
import { refusal } from '../refusal';

const wrap = (inner: string) =>
  `<presence xmlns="${Namespace.PIDF}" xmlns:dm="${Namespace.DATA_MODEL}" xmlns:r="${Namespace.RPID}" entity="sip:a@b.example">${inner}</presence>`;

function run(inner: string, tupleId: string | null = null, newId: () => string = () => 'new1') {
  const { body, tupleId: stored } = runProcessor(presence, { body: wrap(inner), tupleId, newId });
  const start = wrap('').indexOf('</presence>');
  return { inner: body.slice(start, -'</presence>'.length), stored };
}

const refused = (body: string) => refusal(() => runProcessor(presence, { body, newId: () => 'new1' }));

const never = () => {
  throw new Error('no new id is needed');
};

describe('the first tuple', () => {
  test('without id, nothing stored: a new id, which is stored', () => {
    expect(run('<tuple><status/></tuple>')).toEqual({ inner: '<tuple id="new1"><status/></tuple>', stored: 'new1' });
  });

  test('without id, one stored: the stored one', () => {
    expect(run('<tuple/>', 'kept', never)).toEqual({ inner: '<tuple id="kept"/>', stored: 'kept' });
  });

  test('with id, nothing stored: it is stored, and the document is the same string', () => {
    const body = wrap('<tuple id="mine"/>');
    const out = runProcessor(presence, { body, version: 3 });
    expect(out).toEqual({ body, tupleId: 'mine' });
  });

  test('with id, another stored: both stay', () => {
    expect(run('<tuple id="mine"/>', 'kept', never)).toEqual({ inner: '<tuple id="mine"/>', stored: 'kept' });
  });

  test('with an id of 64 characters, nothing stored: it is stored', () => {
    const long = 'a'.repeat(64);
    expect(run(`<tuple id="${long}"/>`, null, never).stored).toBe(long);
  });

  test('an empty text in the row counts as none', () => {
    expect(run('<tuple id="mine"/>', '', never).stored).toBe('mine');
    expect(run('<tuple/>', '').stored).toBe('new1');
  });
});

test('everything else without id gets one of its own, the same every time', () => {
  const inner =
    '<tuple/><tuple/><tuple id="x"/><tuple/><note>n</note><dm:person/><dm:person id="y"/><dm:device><dm:deviceID>urn:a</dm:deviceID></dm:device>';
  const first = run(inner);
  expect(first.inner).toBe(
    '<tuple id="new1"/><tuple id="new1-t2"/><tuple id="x"/><tuple id="new1-t4"/><note>n</note>' +
      '<dm:person id="new1-p1"/><dm:person id="y"/><dm:device id="new1-d1"><dm:deviceID>urn:a</dm:deviceID></dm:device>',
  );
  expect(run(inner, first.stored, never)).toEqual(first);
  // Once done, there is nothing left to do.
  expect(run(first.inner, first.stored, never)).toEqual(first);
});

test('whatever the document: the same ids every time, and nothing left to do', () => {
  fc.assert(
    fc.property(pidfArb(false), (doc) => {
      fc.pre(Boolean(doc.tuples || doc.persons || doc.devices));
      const body = writePidf(doc);
      const first = runProcessor(presence, { body, newId: () => 'new1' });
      expect(runProcessor(presence, { body, tupleId: first.tupleId, newId: () => 'new1' })).toEqual(first);
      expect(runProcessor(presence, { ...first })).toEqual(first);
      const { tuples = [], persons = [], devices = [] } = readPidf(first.body);
      const ids = [...tuples, ...persons, ...devices].map(({ id }) => id);
      expect(ids).not.toContain(undefined);
      expect(new Set(ids).size).toBe(ids.length);
      if (tuples.length > 0) expect(first.tupleId).toBe(tuples[0]!.id);
    }),
    { seed: 13, numRuns: 100 },
  );
});

test('a person keeps its id while the tuples around it change', () => {
  const alone = run('<dm:person/>');
  expect(alone).toEqual({ inner: '<dm:person id="new1-p1"/>', stored: 'new1' });
  expect(run('<tuple/><dm:person/>', alone.stored, never).inner).toBe('<tuple id="new1"/><dm:person id="new1-p1"/>');
  expect(run('<tuple id="z"/><dm:person/>', alone.stored, never).inner).toBe(
    '<tuple id="z"/><dm:person id="new1-p1"/>',
  );
});

test('only a person or a device, ids in place: nothing to store', () => {
  expect(run('<dm:person id="p"/>', null, never)).toEqual({ inner: '<dm:person id="p"/>', stored: null });
  expect(run('<dm:device id="d"/>', null, never)).toEqual({ inner: '<dm:device id="d"/>', stored: null });
});

test('an id that somebody in the document has is not given again', () => {
  // What Kamailio makes of a person: the id of the tuple.
  expect(run('<tuple/><dm:person id="kept"/>', 'kept', never).inner).toBe(
    '<tuple id="kept-t1"/><dm:person id="kept"/>',
  );
  expect(run('<tuple id="kept-t2"/><tuple/><tuple id="kept-t2.2"/>', 'kept', never).inner).toContain(
    '<tuple id="kept-t2.3"/>',
  );
  // Not surely an xs:ID, but perhaps.
  expect(run('<tuple><x:y xmlns:x="urn:x" id="kept"/></tuple>', 'kept', never).inner).toContain('<tuple id="kept-t1">');
  expect(run('<tuple><x:y xmlns:x="urn:x" xml:id="kept"/></tuple>', 'kept', never).inner).toContain(
    '<tuple id="kept-t1">',
  );
});

test('ids we make are names of at most 64 characters', () => {
  expect(run('<tuple/>', null, () => '7f & "x"').inner).toBe('<tuple id="_7f____x_"/>');
  expect(run('<tuple/>', null, () => 'x'.repeat(100)).stored).toBe('x'.repeat(64));
  const long = 'y'.repeat(64);
  expect(run('<tuple/><tuple/>', long, never).inner).toBe(`<tuple id="${long}"/><tuple id="${'y'.repeat(61)}-t2"/>`);
});

test('a stored id that is no name goes on in its chain, escaped; what is made from it is a name', () => {
  expect(run('<tuple/><tuple/>', '0x7f<&">', never)).toEqual({
    inner: '<tuple id="0x7f&lt;&amp;&quot;>"/><tuple id="_0x7f____-t2"/>',
    stored: '0x7f<&">',
  });
});

test('the id is found as a parser would, and goes behind the name whatever follows', () => {
  expect(run("<tuple id = '&#x61;&amp;b' ><status/></tuple>").stored).toBe('a&b');
  expect(run('<tuple\n  id="\n a "/>').stored).toBe('a');
  expect(run('<!--<tuple id="no"/>--><note><![CDATA[<tuple id="no">]]></note><tuple\n/>').inner).toBe(
    '<!--<tuple id="no"/>--><note><![CDATA[<tuple id="no">]]></note><tuple id="new1"\n/>',
  );
  expect(run('<tuple r:id="no" xml:lang="en" Id="no"></tuple>').inner).toBe(
    '<tuple id="new1" r:id="no" xml:lang="en" Id="no"></tuple>',
  );
});

test('prefixes do not matter, namespaces and depth do', () => {
  const body = `<q:presence xmlns:q="${Namespace.PIDF}" entity="sip:a"><tuple/><q:tuple/><person/><person xmlns="${Namespace.DATA_MODEL}"/><x:y xmlns:x="urn:x"><q:tuple/></x:y></q:presence>`;
  const out = runProcessor(presence, { body, newId: () => 'n' });
  expect(out.body).toBe(
    `<q:presence xmlns:q="${Namespace.PIDF}" entity="sip:a"><tuple/><q:tuple id="n"/><person/><person id="n-p1" xmlns="${Namespace.DATA_MODEL}"/><x:y xmlns:x="urn:x"><q:tuple/></x:y></q:presence>`,
  );
  expect(readPidf(out.body).tuples).toEqual([{ id: 'n' }]);
});

test('a byte order mark and characters beyond ASCII shift nothing', () => {
  const body = `\ufeff<?xml version="1.0"?>${wrap('<note>é😀</note><tuple/>')}`;
  expect(runProcessor(presence, { body, tupleId: 'k' }).body).toBe(body.replace('<tuple/>', '<tuple id="k"/>'));
});

describe('refused', () => {
  test.each([
    ['neither tuple nor person nor device', wrap('<note>x</note>'), /has neither tuple nor person nor device/],
    ['two equal ids', wrap('<tuple id="a"/><dm:person id=" a"/>'), /the id "a" is there twice/],
    [
      'an id that activities have already',
      wrap('<tuple id="a"/><dm:person id="b"><r:activities id="a"/></dm:person>'),
      /the id "a" is there twice/,
    ],
    [
      'equal ids among many',
      wrap(`${Array.from({ length: 20 }, (_, i) => `<tuple id="a${i}"/>`).join('')}<tuple id="a19"/>`),
      /"a19" is there twice/,
    ],
    ['an empty id', wrap('<tuple id="a"/><tuple id=" "/>'), /^presence\/tuple\[2\]: has an empty id/],
    ['a first id too long for the column', wrap(`<tuple id="${'a'.repeat(65)}"/>`), /has more than 64 characters/],
    ['another root', `<winfo xmlns="${Namespace.PIDF}"/>`, /the root must be presence/],
    ['no namespace', '<presence entity="sip:a"><tuple/></presence>', /the root must be presence/],
    ['a DTD', `<!DOCTYPE presence>${wrap('<tuple/>')}`, /^line 1, column 1: a DTD/],
    ['wrong nesting', wrap('<tuple><status></tuple></status>'), /the end tag does not fit/],
    ['no document', '', /there is no root element/],
    ['a document too big', wrap(`<tuple/><note>${'x'.repeat(262_144)}</note>`), /larger than 262144 bytes/],
  ])('%s', (_what, body, message) => {
    expect(refused(body)).toMatch(message);
  });

  test('but a long first id is fine when it need not be stored, and as one further down', () => {
    const long = 'a'.repeat(65);
    expect(run(`<tuple id="${long}"/>`, 'kept', never).stored).toBe('kept');
    expect(run(`<tuple id="b"/><tuple id="${long}"/>`, null, never).stored).toBe('b');
  });
});
