import { PuaError } from '@pua/core';
import { attribute, element, readXml, writeXml, type XmlElement } from '@pua/documents';
import fc from 'fast-check';
import { elementArb } from '../arbitraries/xml';

function refusal(xml: string | Uint8Array, limits?: Parameters<typeof readXml>[1]): PuaError {
  try {
    readXml(xml, limits);
  } catch (error) {
    expect(error).toBeInstanceOf(PuaError);
    expect((error as PuaError).code).toBe('PUA_ERR_DOCUMENT');
    return error as PuaError;
  }
  throw new Error(`accepted: ${xml.slice(0, 200)}`);
}

test('what was written is what is read', () => {
  fc.assert(
    fc.property(elementArb, (tree) => {
      expect(readXml(writeXml(tree))).toEqual(tree);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('whatever the prefixes, the names are the same', () => {
  const tree: XmlElement = element(
    'urn:a',
    'r',
    [attribute('x', '1'), attribute('y', '2', 'urn:b')],
    [element('urn:b', 'c', [], [element('', 'd')])],
  );
  const forms = [
    '<r xmlns="urn:a" xmlns:b="urn:b" x="1" b:y="2"><b:c><d xmlns=""/></b:c></r>',
    '<q:r xmlns:q="urn:a" xmlns:w="urn:b" x="1" w:y="2"><c xmlns="urn:b"><d xmlns=""></d></c></q:r>',
    `<r xmlns='urn:a' x='1' p:y='2' xmlns:p='urn:b'><p:c><d xmlns=''/></p:c></r >`,
    '<b:r xmlns:b="urn:a" xmlns:a="urn:b" x="&#x31;" a:y="2"><b:c xmlns:b="urn:b"><d/></b:c></b:r>',
  ];
  for (const form of forms) expect(readXml(form)).toEqual(tree);
});

test('comments and processing instructions go, CDATA is text, white space in it stays', () => {
  expect(readXml('<?a b?><!-- x --><a> <!-- y -->b<![CDATA[<c>]]>\r\nd<?e?> </a><!-- z -->\n')).toEqual(
    element('', 'a', [], [' b<c>\nd ']),
  );
});

test('line ends and white space in values are those of XML 1.0', () => {
  expect(readXml('<a b="1\t2\r\n3&#10;4\u00855">\u0085\u2028\r</a>')).toEqual(
    element('', 'a', [attribute('b', '1 2 3\n4\u00855')], ['\u0085\u2028\n']),
  );
});

describe('encodings', () => {
  const doc = '<a>é😀</a>';
  const tree = element('', 'a', [], ['é😀']);

  test.each([
    '',
    '\ufeff',
    '<?xml version="1.0"?>',
    '\ufeff<?xml version="1.0" encoding="utf-8"?>',
    `<?xml version='1.0' encoding='UTF-8' standalone="no" ?>\n`,
  ])('read after %j, as text and as bytes', (head) => {
    expect(readXml(head + doc)).toEqual(tree);
    expect(readXml(Buffer.from(head + doc))).toEqual(tree);
    expect(readXml(new Uint8Array(Buffer.from(head + doc)))).toEqual(tree);
  });

  test('U+FFFD is a character like others', () => {
    expect(readXml('<a>\ufffd</a>')).toEqual(element('', 'a', [], ['\ufffd']));
  });

  test('another declared encoding or version is refused, with the remedy', () => {
    expect(refusal(`<?xml version="1.0" encoding="ISO-8859-1"?>${doc}`).message).toMatch(
      /line 1.*"ISO-8859-1".*UTF-8.*convert/,
    );
    expect(refusal(`<?xml version="1.1"?>${doc}`).message).toMatch(/"1\.1"; only 1\.0/);
  });

  test('bytes that are not UTF-8 are refused', () => {
    expect(refusal(Buffer.from('<a>é</a>', 'latin1')).message).toMatch(/not valid UTF-8/);
    expect(refusal(Buffer.from('\ufeff<a/>', 'utf16le')).message).toMatch(/not valid UTF-8/);
  });
});

describe('attacks', () => {
  const laughs = `<!DOCTYPE a [<!ENTITY l0 "lol">${Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`).join('')}]><a>&l9;</a>`;

  test.each([
    ['billion laughs', laughs],
    ['an external entity', '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'],
    ['an external DTD', '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>'],
    ['a parameter entity', '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p">%p;]><a/>'],
    ['a plain DOCTYPE', '<!DOCTYPE a><a/>'],
    ['a declaration inside', '<a><!ENTITY x "y"></a>'],
  ])('%s is refused as a DTD', (_what, xml) => {
    expect(refusal(xml).message).toMatch(/^line 1, column \d+: a DTD/);
  });

  test('an entity nobody declared is refused', () => {
    expect(refusal('<a>&nbsp;</a>').message).toMatch(/line 1, column 4: "&" that starts no known reference/);
    // A name every object has.
    refusal('<a>&constructor;</a>');
    refusal('<a>&__proto__;</a>');
  });

  test('depth is bounded, and that before anything is built', () => {
    const deep = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(readXml(deep(64)).name).toBe('a');
    expect(refusal(deep(65)).message).toMatch(/column 193: nested deeper than 64/);
    expect(refusal('<a>'.repeat(80_000)).message).toMatch(/nested deeper than 64/);
    expect(readXml(deep(70), { maxDepth: 70 }).name).toBe('a');
  });

  test('size is bounded in bytes of UTF-8', () => {
    const of = (bytes: number) => `<a>${'é'.repeat((bytes - 8) / 2)} </a>`;
    expect(Buffer.byteLength(of(1024))).toBe(1024);
    expect(readXml(of(1024), { maxBytes: 1024 }).name).toBe('a');
    expect(refusal(of(1024), { maxBytes: 1023 }).message).toBe('document: larger than 1023 bytes');
    expect(refusal(Buffer.from(of(1024)), { maxBytes: 1023 }).message).toBe('document: larger than 1023 bytes');
    expect(refusal(`<a>${'x'.repeat(256 * 1024)}</a>`).message).toBe('document: larger than 262144 bytes');
  });

  test('10 MB are refused without being looked at', () => {
    // Were they read, the byte order mark's absence or the DTD at the end would come first.
    const huge = `<a>${'<b/>'.repeat(2_500_000)}</a>`;
    expect(refusal(huge).message).toBe('document: larger than 262144 bytes');
    expect(refusal(Buffer.from(huge)).message).toBe('document: larger than 262144 bytes');
  });

  test('swarms of tiny things are refused', () => {
    expect(refusal(`<a>${'<b/>'.repeat(30_000)}</a>`).message).toMatch(/more than 20000 elements/);
    expect(refusal(`<a>${'<!---->'.repeat(30_000)}</a>`).message).toMatch(/more than 20000 elements/);
    const many = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i)).join(' ');
    expect(refusal(`<a>${`<b ${many(200, (i) => `b${i}=""`)}/>`.repeat(120)}</a>`).message).toMatch(
      /more than 20000 elements, attr/,
    );
    expect(refusal(`<a ${many(257, (i) => `b${i}=""`)}/>`).message).toMatch(/more than 256 attributes/);
    const declaring = `<a ${many(200, (i) => `xmlns:p${i}="urn:x"`)}>`;
    expect(refusal(declaring + declaring).message).toMatch(/more than 256 namespace declarations/);
  });

  test('messages stay short, whatever is in the document', () => {
    const long = 'n'.repeat(100_000);
    for (const xml of [
      `<${long}>`,
      `<${long}></a>`,
      `<a ${long}="" ${long}=""/>`,
      `<${long}:a/>`,
      `<a xmlns:${long}=""/>`,
    ]) {
      expect(refusal(xml).message.length).toBeLessThan(150);
    }
  });

  test('names of the prototype are names like others', () => {
    const tree = readXml(
      '<__proto__ constructor="1" xmlns:hasOwnProperty="urn:x"><hasOwnProperty:toString/></__proto__>',
    );
    expect(tree).toEqual(element('', '__proto__', [attribute('constructor', '1')], [element('urn:x', 'toString')]));
  });
});

/** Each breaks one rule of XML 1.0 or of Namespaces in XML 1.0. */
const malformed: readonly (readonly [rule: string, xml: string])[] = [
  ['no document', ''],
  ['no root', '  <!-- x -->'],
  ['only text', 'presence'],
  ['two roots', '<a/><b/>'],
  ['text before the root', 'x<a/>'],
  ['text behind the root', '<a/>x'],
  ['a reference behind the root', '<a/>&#32;'],
  ['CDATA behind the root', '<a/><![CDATA[]]>'],
  ['a byte order mark inside', '<a/>\ufeff'],
  ['an open element', '<a><b></b>'],
  ['an end tag too many', '<a></a></a>'],
  ['wrong nesting', '<a><b></a></b>'],
  ['an end tag of another case', '<a></A>'],
  ['an end tag of another prefix', '<p:a xmlns:p="u" xmlns:q="u"></q:a>'],
  ['a longer end tag', '<a></ab>'],
  ['an attribute in an end tag', '<a></a b="">'],
  ['space before a name', '< a/>'],
  ['space before the name of an end tag', '<a></ a>'],
  ['a tag that does not end', '<a'],
  ['a value that does not end', '<a b="'],
  ['a value of two kinds of quotes', `<a b="c'/>`],
  ['a value without quotes', '<a b=c/>'],
  ['an attribute without value', '<a b/>'],
  ['no space between attributes', '<a b="1"c="2"/>'],
  ['a double attribute', '<a b="1" b="2"/>'],
  ['a double attribute by namespace', '<a xmlns:p="u" xmlns:q="u" p:b="1" q:b="2"/>'],
  ['"<" in a value', '<a b="<"/>'],
  ['a bare "&" in a value', '<a b="&"/>'],
  ['a bare "&" in text', '<a>a & b</a>'],
  ['a reference that does not end', '<a>&amp</a>'],
  ['"]]>" in text', '<a>]]></a>'],
  ['a character that is none', '<a>\u0001</a>'],
  ['the character U+0000', '<a>\0</a>'],
  ['U+0000 in a value', '<a b="\0"/>'],
  ['the character U+FFFE', '<a b="\ufffe"/>'],
  ['a control character in a comment', '<a><!--\u0002--></a>'],
  ['a control character in CDATA', '<a><![CDATA[\u0002]]></a>'],
  ['a control character in a processing instruction', '<a><?b \u0002?></a>'],
  ['half a surrogate pair', '<a>\ud800</a>'],
  ['the other half', '<a>\udc00\ud800</a>'],
  ['a reference to U+0000', '<a>&#0;</a>'],
  ['a reference to a surrogate', '<a>&#xD800;</a>'],
  ['a reference beyond Unicode', '<a>&#x110000;</a>'],
  ['"--" in a comment', '<a><!-- -- --></a>'],
  ['a comment that ends in "--->"', '<a><!-- ---></a>'],
  ['a comment that does not end', '<a><!-- </a>'],
  ['CDATA that does not end', '<a><![CDATA[ </a>'],
  ['a processing instruction without name', '<a><? ?></a>'],
  ['a second XML declaration', '<?xml version="1.0"?><?xml version="1.0"?><a/>'],
  ['an XML declaration behind a space', ' <?xml version="1.0"?><a/>'],
  ['an XML declaration without version', '<?xml encoding="UTF-8"?><a/>'],
  ['an XML declaration that does not end', '<?xml version="1.0"><a/>'],
  ['a name that starts with a digit', '<1/>'],
  ['a name that starts with "-"', '<a -b=""/>'],
  ['two colons in a name', '<p:a:b xmlns:p="u"/>'],
  ['nothing before the colon', '<:a/>'],
  ['nothing behind the colon', '<p: xmlns:p="u"/>'],
  ['an unbound prefix', '<p:a/>'],
  ['an unbound prefix of an attribute', '<a p:b=""/>'],
  ['a prefix out of scope', '<a><b xmlns:p="u"/><p:c/></a>'],
  ['a prefix bound to nothing', '<a xmlns:p=""/>'],
  ['the prefix xmlns', '<xmlns:a/>'],
  ['an element named xmlns', '<xmlns/>'],
  ['the prefix xmlns bound', '<a xmlns:xmlns="u"/>'],
  ['the prefix xml bound to something else', '<a xmlns:xml="u"/>'],
  ['another prefix for xml', '<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>'],
];

test.each(malformed)('not well-formed: %s', (_rule, xml) => {
  expect(refusal(xml).message).toMatch(/^line \d+, column \d+: /);
});

test('errors name line and column', () => {
  expect(refusal('<a>\r\n  <b>\r  </c></a>').message).toMatch(
    /^line 3, column 3: the end tag does not fit the open element b$/,
  );
  expect(refusal('<a>\n<b c="1"\n   c="2"/></a>').message).toMatch(/^line 3, column 4: a second attribute c$/);
});
