import { PuaError } from '@pua/core';
import { attribute, element, Namespace, readXml, writeXml, type XmlElement } from '@pua/documents';
import fc from 'fast-check';
import { xmlText } from '../arbitraries/xml';

const head = '<?xml version="1.0" encoding="UTF-8"?>\n';
const body = (tree: XmlElement) => {
  const xml = writeXml(tree);
  expect(xml.startsWith(head)).toBe(true);
  return xml.slice(head.length);
};

function refusal(tree: XmlElement): string {
  try {
    writeXml(tree);
  } catch (error) {
    expect(error).toBeInstanceOf(PuaError);
    expect((error as PuaError).code).toBe('PUA_ERR_DOCUMENT');
    return (error as PuaError).message;
  }
  throw new Error('written');
}

test('the root namespace is the default one, the others are declared at the root', () => {
  const tree = element(
    Namespace.PIDF,
    'presence',
    [attribute('entity', 'e')],
    [
      element(
        Namespace.DATA_MODEL,
        'person',
        [attribute('id', 'p')],
        [element(Namespace.RPID, 'activities'), element('urn:x', 'y')],
      ),
      element('urn:x', 'z', [attribute('a', 'b', 'urn:q')]),
    ],
  );
  expect(body(tree)).toBe(
    '<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"' +
      ' xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" xmlns:ns3="urn:x" xmlns:ns4="urn:q" entity="e">' +
      '<dm:person id="p"><rpid:activities/><ns3:y/></dm:person><ns3:z ns4:a="b"/></presence>',
  );
});

test('elements in no namespace, and what stands in them', () => {
  const tree = element(
    'urn:r',
    'r',
    [attribute('a', '1', 'urn:r')],
    [element('', 'n', [], [element('urn:r', 's'), element('', 'o')])],
  );
  expect(body(tree)).toBe('<r xmlns="urn:r" xmlns:ns1="urn:r" ns1:a="1"><n xmlns=""><s xmlns="urn:r"/><o/></n></r>');
  expect(readXml(writeXml(tree))).toEqual(tree);
  expect(body(element('', 'r'))).toBe('<r/>');
});

test('text and values are escaped', () => {
  expect(body(element('', 'a', [attribute('b', `<&>"'\t\n\r]]>`)], [`<&>"'\t\n\r]]>é😀`]))).toBe(
    `<a b="&lt;&amp;&gt;&quot;'&#9;&#10;&#13;]]&gt;">&lt;&amp;&gt;"'\t\n&#13;]]&gt;é😀</a>`,
  );
});

test('no text gets out of its place', () => {
  fc.assert(
    fc.property(xmlText, xmlText, (text, value) => {
      const tree = element('', 'a', [attribute('b', value)], text === '' ? [] : [text]);
      expect(readXml(writeXml(tree))).toEqual(tree);
    }),
    { seed: 2, numRuns: 1_000 },
  );
});

describe('refused, with the place', () => {
  const nested = (...children: (XmlElement | string)[]) =>
    element('', 'a', [], [element('', 'b'), element('', 'b', [], [element('', 'c', [], children)])]);

  test.each(['\0', '\u0008', '\u000b', '\u001f', '\ufffe', '\uffff', 'x\ud800', '\udc00x', '\udc00\ud800'])(
    '%j',
    (text) => {
      expect(refusal(nested(`ok ${text}`))).toMatch(
        /^a\/b\[2\]\/c: the character U\+[0-9A-F]{4} is illegal in XML 1\.0/,
      );
      expect(refusal(element('', 'a', [attribute('x', text)]))).toMatch(/^a: the character U\+/);
      expect(refusal(element('urn:x', 'a', [], [element(`urn:${text}`, 'b')]))).toMatch(/: the character U\+/);
    },
  );

  test.each(['', '1a', 'a b', 'a:b', '<', 'a>', '-', 'é\u00d7', 'a\n'])('the name %j', (name) => {
    expect(refusal(nested(element('', name)))).toMatch(/^a\/b\[2\]\/c\/.*is no name/s);
    expect(refusal(element('', 'a', [attribute(name, '')]))).toMatch(/^a: .*is no name/);
  });

  test('what would be a namespace declaration', () => {
    expect(refusal(element('', 'a', [attribute('xmlns', 'urn:x')]))).toMatch(/namespace declaration/);
    expect(refusal(element('', 'a', [attribute('p', 'urn:x', Namespace.XMLNS)]))).toMatch(/namespace of xmlns/);
    expect(refusal(element('', 'xmlns'))).toMatch(/must not be named xmlns/);
    expect(refusal(element(Namespace.XMLNS, 'a'))).toMatch(/namespace of xmlns/);
  });

  test('double attributes, but not those of two namespaces', () => {
    expect(refusal(element('', 'a', [attribute('x', '1'), attribute('x', '2')]))).toBe('a: two attributes x');
    expect(body(element('', 'a', [attribute('x', '1'), attribute('x', '2', 'urn:x')]))).toBe(
      '<a xmlns:ns1="urn:x" x="1" ns1:x="2"/>',
    );
  });

  test('depth, so that a tree that contains itself is an error and no crash', () => {
    const children: XmlElement[] = [];
    const loop = element('', 'a', [], children);
    children.push(loop);
    expect(refusal(loop)).toMatch(/nested deeper than 64/);
  });

  test('what is no text', () => {
    expect(refusal(nested(undefined as unknown as string))).toBe('a/b[2]/c: expected a text, not undefined');
    expect(refusal(nested(null as unknown as string))).toBe('a/b[2]/c: expected a text, not null');
    expect(refusal(element('', 'a', [attribute('x', 5 as unknown as string)]))).toBe('a: expected a text, not number');
  });
});
