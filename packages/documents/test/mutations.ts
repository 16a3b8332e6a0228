/** Documents that are nearly right: what a scanner and a parser may disagree about. */
import fc from 'fast-check';

export const documents: readonly string[] = [
  `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" entity="sip:a@b.example">
  <tuple id="t1"><status><basic>open</basic></status><contact priority="0.8">sip:a@c.example</contact></tuple>
  <tuple><status><basic>closed</basic></status><note xml:lang="en">a &amp; b &lt;c&gt; &#65;&#x1F600;</note></tuple>
  <dm:person id='p1'><dm:note>on the phone</dm:note></dm:person>
</presence>`,
  `<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf' entity="pres:x@y.example"><p:tuple><p:status/></p:tuple>` +
    `<person xmlns="urn:ietf:params:xml:ns:pidf:data-model"/><!-- a comment - with < and & --><p:note/></p:presence>\n<!--end-->`,
  `\uFEFF<?xml version='1.0' standalone='yes'?><?style sheet="a"?><presence entity="sip:x@y.example" xmlns="urn:ietf:params:xml:ns:pidf">` +
    `<tuple id = "a&quot;b" ><status><basic>open</basic></status><note><![CDATA[<tuple id="no">&]] ]]></note></tuple></presence >`,
  `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:é@例.example"><tuple xmlns:a="urn:a" xmlns:b="urn:b" a:id="1" b:id="2"` +
    ` id="ï"><a:b/><b:a b:c="😀"/></tuple><device xmlns="urn:ietf:params:xml:ns:pidf:data-model"><deviceID>urn:x</deviceID></device></presence>`,
];

const snippets = [
  ...[
    '<',
    '>',
    '&',
    ';',
    '"',
    "'",
    '/',
    '=',
    ':',
    '-',
    '!',
    '?',
    ']',
    ' ',
    '\n',
    '\r',
    '\t',
    'a',
    'x',
    '1',
    '_',
    'é',
    '😀',
    '\ufffd',
  ],
  ...['\0', '\u0001', '\u000b', '\ud800', '\udc00', '\ufffe', '\u0085', '\u00d7', '\u2028', '\u037e', '\u00b7'],
  ...[
    '&amp;',
    '&lt;',
    '&#38;',
    '&#x26;',
    '&#0;',
    '&#xD800;',
    '&#xFFFE;',
    '&#1114112;',
    '&nbsp;',
    '&amp',
    '&#;',
    '&#x;',
    '& ',
  ],
  ...[
    '<a>',
    '</a>',
    '<a/>',
    '<tuple>',
    '</tuple>',
    '</status>',
    '<p:a/>',
    '<q:a/>',
    '<xmlns:a/>',
    '<1/>',
    '<a b/>',
    '<a b=c/>',
    '<a: />',
  ],
  ...[
    ' id="t1"',
    " id='t1'",
    ' id=""',
    ' a:id="3"',
    ' xml:id="z"',
    ' xmlns:q="urn:q"',
    ' xmlns:q=""',
    ' xmlns=""',
    ' xmlns:a="urn:b"',
  ],
  ...[
    ' xmlns:xml="urn:x"',
    ' xmlns:xmlns="urn:x"',
    ' xmlns:xml="http://www.w3.org/XML/1998/namespace"',
    ' q:z="1"',
    ' a="1"b="2"',
  ],
  ...[
    '<!--',
    '-->',
    '--',
    '<!---->',
    '<!-- - -->',
    '<!-- -- -->',
    '<!--->',
    '<![CDATA[',
    ']]>',
    '<![CDATA[]]>',
    '<![cdata[]]>',
  ],
  ...[
    '<?pi?>',
    '<?pi x?>',
    '<?xml?>',
    '<?xml version="1.0"?>',
    '<?XML a?>',
    '<?a:b?>',
    '<??>',
    '<?pi',
    '?>',
    '<!DOCTYPE a>',
    '<!ENTITY a "b">',
  ],
];

type Edit = (text: string, at: number, length: number, snippet: string) => string;
const edits: readonly Edit[] = [
  (text, at, _length, snippet) => text.slice(0, at) + snippet + text.slice(at),
  (text, at, length) => text.slice(0, at) + text.slice(at + length),
  (text, at, _length, snippet) => text.slice(0, at) + snippet + text.slice(at + 1),
  (text, at, length) => text.slice(0, at + length) + text.slice(at),
  // A piece moves to another place.
  (text, at, length) =>
    text.slice(0, at) +
    text.slice(at + length, at + 2 * length) +
    text.slice(at, at + length) +
    text.slice(at + 2 * length),
  (text, at) => text.slice(0, at),
  (text, _at, _length, snippet) => text + snippet,
];

const edit = fc.record({
  kind: fc.oneof({ weight: 2, arbitrary: fc.constant(edits[0]!) }, { weight: 3, arbitrary: fc.constantFrom(...edits) }),
  place: fc.nat({ max: 100_000 }),
  anchor: fc.constantFrom('', '', '<', '>', '"', ' ', '</', '/>', '&', '='),
  length: fc.integer({ min: 1, max: 12 }),
  snippet: fc.constantFrom(...snippets),
});

/** One of these documents with one to three edits. */
export function mutatedFrom(documents: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({ text: fc.constantFrom(...documents), all: fc.array(edit, { minLength: 1, maxLength: 3 }) })
    .map(({ text, all }) =>
      all.reduce(
        (now, { kind, place, anchor, length, snippet }) => kind(now, spot(now, place, anchor), length, snippet),
        text,
      ),
    );
}

export const mutated = mutatedFrom(documents);

/** Anywhere, or one of the places where the anchor stands: there an edit often leaves the document well-formed. */
function spot(text: string, place: number, anchor: string): number {
  const spots = anchor === '' ? [] : [...text.matchAll(new RegExp(anchor, 'g'))].map((match) => match.index);
  return spots.length === 0 ? place % (text.length + 1) : spots[place % spots.length]!;
}
