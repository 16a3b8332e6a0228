import { DOMParser } from '@xmldom/xmldom';
import { decodeUtf8 } from './decode.js';
import type { XmlAttribute, XmlElement } from './element.js';
import { documentError } from './errors.js';
import { DEFAULT_MAX_BYTES, type XmlLimits } from './limits.js';
import { scan } from './scanner.js';

/**
 * Reads a document into plain elements. DTDs and entities are refused, comments and processing instructions are passed
 * over, CDATA sections are text; exactly one root; UTF-8 only, with or without byte order mark.
 *
 * The strict scanner goes first: it bounds size and depth and refuses what is not well-formed before the parser, which
 * forgives a lot (a lone `&`, `]]>` in text, references to control characters), allocates anything.
 * @throws PuaError `PUA_ERR_DOCUMENT` with line and column where known.
 */
export function readXml(xml: string | Uint8Array, limits: XmlLimits = {}): XmlElement {
  const source = typeof xml === 'string' ? xml : decode(xml, limits.maxBytes ?? DEFAULT_MAX_BYTES);
  scan(source, () => undefined, limits);
  return convert(parse(source).documentElement!);
}

function decode(bytes: Uint8Array, maxBytes: number): string {
  if (bytes.length > maxBytes) throw documentError('document', `larger than ${maxBytes} bytes`);
  return decodeUtf8(bytes);
}

/** The character is legal, and our decoder never makes one: the one thing the parser warns about for nothing. */
const HARMLESS = 'Unicode replacement character detected';

function parse(source: string) {
  let first = '';
  const parser = new DOMParser({
    // Only the line ends of XML 1.0; the parser's own choice also takes those of 1.1.
    normalizeLineEndings: (text) => text.replace(/\r\n?/g, '\n'),
    onError: (level, message, context) => {
      if (level === 'warning' && message.startsWith(HARMLESS)) return;
      const at = (context as { locator?: { lineNumber?: number; columnNumber?: number } }).locator;
      first ||= `${at?.lineNumber ? `line ${at.lineNumber}, column ${at.columnNumber}` : 'document'}: ${message}`;
      throw new Error(message);
    },
  });
  try {
    return parser.parseFromString(source.charCodeAt(0) === 0xfeff ? source.slice(1) : source, 'application/xml');
  } catch (cause) {
    const [place = 'document', ...what] = (first || `document: ${String(cause)}`).split(': ');
    throw documentError(place, what.join(': '), cause);
  }
}

type DomElement = NonNullable<ReturnType<typeof parse>['documentElement']>;

const ELEMENT = 1;
const TEXT = 3;
const CDATA = 4;

/** Recursive, which the depth limit makes safe. */
function convert(node: DomElement): XmlElement {
  const children: (XmlElement | string)[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.nodeType === ELEMENT) children.push(convert(child as DomElement));
    else if (child.nodeType === TEXT || child.nodeType === CDATA) addText(children, child.nodeValue ?? '');
  }
  return { namespace: node.namespaceURI ?? '', name: localName(node), attributes: attributes(node), children };
}

function addText(children: (XmlElement | string)[], text: string): void {
  const last = children.at(-1);
  if (text === '') return;
  if (typeof last === 'string') children[children.length - 1] = last + text;
  else children.push(text);
}

function attributes(node: DomElement): XmlAttribute[] {
  const found: XmlAttribute[] = [];
  for (const one of Array.from(node.attributes)) {
    if (one.name === 'xmlns' || one.prefix === 'xmlns') continue;
    found.push({ namespace: one.namespaceURI ?? '', name: localName(one), value: one.value });
  }
  return found;
}

function localName(node: { readonly localName: string | null; readonly nodeName: string }): string {
  return node.localName ?? node.nodeName;
}
