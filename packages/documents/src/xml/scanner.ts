/**
 * A strict scanner: one pass over a document, linear in its length, without building anything. It accepts nothing but
 * well-formed documents of XML 1.0 with namespaces that have no DTD and stay inside the limits, and is what both the reader
 * and the body processors rely on for that; a DOM parser forgives too much, and costs far more.
 */
import type { PuaError } from '@pua/core';
import { Attributes } from './attributes.js';
import type { Bindings } from './bindings.js';
import * as chars from './chars.js';
import { codePointName, isPair, isSpace, ncNameEnd } from './chars.js';
import { declarationEnd } from './declaration.js';
import { documentError, position, quote, shorten } from './errors.js';
import { checkSize, DEFAULT_MAX_DEPTH, MAX_ATTRIBUTES, MAX_MARKUP, type XmlLimits } from './limits.js';
import { referenceAt } from './references.js';
import { type Workspace, withWorkspace } from './workspace.js';

/** A start tag as a handler sees it; the object is the same one every time and only valid during the call. */
export interface StartTag {
  /** 1 for the root. */
  readonly depth: number;
  /** Namespace name; '' for none. */
  readonly namespace: string;
  /** Offset of the tag's "<". */
  readonly start: number;
  /** Offset behind the tag's name: where an attribute can be inserted. */
  readonly nameEnd: number;
  /** Is this its local name? */
  isNamed(localName: string): boolean;
  localName(): string;
  /** Normalised value of an attribute; null when it has none. */
  attribute(localName: string, namespace?: string): string | null;
  /** Offsets of the value between the quotes, of an attribute without prefix; null when it has none. */
  valueRange(localName: string): readonly [start: number, end: number] | null;
}

/**
 * Reads `source` through and calls `onElement` for every start tag, in document order.
 * @throws PuaError `PUA_ERR_DOCUMENT` with line and column: not well-formed, a DTD, too big, too deep.
 */
export function scan(source: string, onElement: (tag: StartTag) => void, limits: XmlLimits = {}): void {
  checkSize(source, limits);
  const maxDepth = limits.maxDepth ?? DEFAULT_MAX_DEPTH;
  withWorkspace(source, (workspace) => new Scanner(source, workspace, onElement, maxDepth).run());
}

// Constants of this module: an imported one is looked up in the other module's exports at every use, here per character.
const { classes, SUSPECT, TEXT_STOP, VALUE_STOP } = chars;

const LT = 0x3c;
const GT = 0x3e;
const AMPERSAND = 0x26;
const BRACKET = 0x5d;
const SLASH = 0x2f;
const COLON = 0x3a;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const BANG = 0x21;
const QUESTION = 0x3f;
const BYTE_ORDER_MARK = 0xfeff;

class Scanner implements StartTag {
  depth = 0;
  namespace = '';
  start = 0;
  nameEnd = 0;
  /** Offset of the colon in the element's name; -1: it has none. */
  private nameColon = -1;
  /** The same of the name read last. */
  private colon = -1;
  private readonly codes: Uint16Array;
  private readonly attributes: Attributes;
  private readonly bindings: Bindings;
  private readonly open: number[];
  private readonly marks: number[];
  private rootSeen = false;
  private markup = 0;

  constructor(
    private readonly source: string,
    workspace: Workspace,
    private readonly onElement: (tag: StartTag) => void,
    private readonly maxDepth: number,
  ) {
    this.codes = workspace.codes;
    this.attributes = new Attributes(source, workspace);
    this.bindings = workspace.bindings;
    this.open = workspace.open;
    this.marks = workspace.marks;
  }

  run(): void {
    const { source, codes } = this;
    let at = declarationEnd(source, codes[0] === BYTE_ORDER_MARK ? 1 : 0);
    for (;;) {
      at = this.depth === 0 ? this.outside(at) : this.text(at);
      if (at === source.length) break;
      const next = codes[at + 1];
      if (next === SLASH) at = this.endTag(at);
      else {
        if (++this.markup > MAX_MARKUP)
          throw this.error(at, `more than ${MAX_MARKUP} elements, attributes and the like`);
        at = next === BANG ? this.declaration(at) : next === QUESTION ? this.instruction(at) : this.startTag(at);
      }
    }
    if (this.depth > 0) throw this.error(at, `the element ${this.openName()} is not closed`);
    if (!this.rootSeen) throw this.error(at, 'there is no root element');
  }

  isNamed(localName: string): boolean {
    const start = this.localStart();
    return this.nameEnd - start === localName.length && this.source.startsWith(localName, start);
  }

  localName(): string {
    return this.source.slice(this.localStart(), this.nameEnd);
  }

  attribute(localName: string, namespace = ''): string | null {
    const { attributes } = this;
    const index = attributes.count === 0 ? -1 : attributes.find(localName, namespace, this.bindings);
    return index < 0 ? null : attributes.value(index);
  }

  valueRange(localName: string): readonly [start: number, end: number] | null {
    const { attributes } = this;
    const index = attributes.find(localName, '', this.bindings);
    return index < 0 ? null : [attributes.valueStart(index), attributes.valueEnd(index)];
  }

  private startTag(tag: number): number {
    const { codes, attributes, bindings } = this;
    if (this.rootSeen && this.depth === 0) throw this.error(tag, 'a second root element');
    const mark = bindings.count;
    attributes.clear();
    this.start = tag;
    let at = this.name(tag + 1, 'an element name');
    this.nameEnd = at;
    this.nameColon = this.colon;
    // Well-formed, but its name is reserved (XML 1.0, 2.3), and no DOM can hold it.
    if (at - tag === 6 && this.source.startsWith('xmlns', tag + 1)) throw this.error(tag, 'an element named xmlns');
    for (;;) {
      const next = this.skipSpace(at);
      if (codes[next] === GT || codes[next] === SLASH) {
        at = next;
        break;
      }
      if (next === at) throw this.error(at, 'expected white space, ">" or "/>" in a tag');
      at = this.readAttribute(next);
    }
    this.resolve();
    this.markup += attributes.count;
    if (++this.depth > this.maxDepth) throw this.error(tag, `nested deeper than ${this.maxDepth} elements`);
    this.rootSeen = true;
    this.onElement(this);
    if (codes[at] === GT) {
      this.open[this.depth * 2] = tag + 1;
      this.open[this.depth * 2 + 1] = this.nameEnd;
      this.marks[this.depth] = mark;
      return at + 1;
    }
    if (codes[at + 1] !== GT) throw this.error(at, '"/" without ">" in a tag');
    bindings.cut(mark);
    this.depth--;
    return at + 2;
  }

  private endTag(tag: number): number {
    const { codes, open, depth } = this;
    if (depth === 0) throw this.error(tag, 'an end tag without a start tag');
    const nameEnd = open[depth * 2 + 1]!;
    let at = tag + 2;
    for (let i = open[depth * 2]!; i < nameEnd; i++, at++) {
      if (codes[i] !== codes[at]) throw this.mismatch(tag);
    }
    at = this.skipSpace(at);
    if (codes[at] !== GT) throw this.mismatch(tag);
    this.bindings.cut(this.marks[depth]!);
    this.depth = depth - 1;
    return at + 1;
  }

  /** Reads `name = "value"` and notes where its parts are. */
  private readAttribute(start: number): number {
    const { codes, attributes } = this;
    const nameEnd = this.name(start, 'an attribute name');
    let at = this.skipSpace(nameEnd);
    if (codes[at] !== EQUALS) throw this.error(at, 'an attribute without "="');
    at = this.skipSpace(at + 1);
    const quoteMark = codes[at];
    if (quoteMark !== QUOTE && quoteMark !== APOSTROPHE) throw this.error(at, 'an attribute value without quotes');
    const valueStart = ++at;
    for (;;) {
      while ((classes[codes[at]!]! & VALUE_STOP) === 0) at++;
      const code = codes[at];
      if (code === quoteMark) break;
      if (code === LT) throw this.error(at, '"<" in an attribute value; write "&lt;"');
      if (at === this.source.length) throw this.error(valueStart - 1, 'an attribute value that does not end');
      if (code === AMPERSAND) at = this.reference(at);
      else at = code === QUOTE || code === APOSTROPHE ? at + 1 : this.legal(at);
    }
    if (attributes.has(start, nameEnd)) {
      throw this.error(start, `a second attribute ${shorten(this.source.slice(start, nameEnd))}`);
    }
    if (attributes.count === MAX_ATTRIBUTES) throw this.error(start, `more than ${MAX_ATTRIBUTES} attributes`);
    if (attributes.add(start, this.colon, nameEnd, valueStart, at)) this.declare(attributes.count - 1);
    return at + 1;
  }

  private declare(index: number): void {
    const { attributes, bindings } = this;
    const prefix = attributes.hasPrefix(index) ? attributes.localName(index) : '';
    const wrong = bindings.bind(prefix, attributes.value(index));
    if (wrong !== undefined) throw this.error(attributes.start(index), wrong);
    if (bindings.count > MAX_ATTRIBUTES) {
      throw this.error(attributes.start(index), `more than ${MAX_ATTRIBUTES} namespace declarations`);
    }
  }

  /** Namespaces of the element and its attributes, once all declarations of the tag are known. */
  private resolve(): void {
    const { attributes, bindings, codes } = this;
    const start = this.start + 1;
    const namespace = bindings.resolve(codes, start, this.nameColon < 0 ? start : this.nameColon);
    if (namespace === undefined) throw this.unbound(start);
    this.namespace = namespace;
    if (attributes.prefixed === 0) return;
    const names = attributes.prefixed === 1 ? null : new Set<string>();
    for (let index = 0; index < attributes.count; index++) {
      if (!attributes.hasPrefix(index) || attributes.isDeclaration(index)) continue;
      const own = attributes.namespace(index, bindings);
      if (own === undefined) throw this.unbound(attributes.start(index));
      if (names === null) continue;
      const local = attributes.localName(index);
      if (names.size === names.add(`${local} ${own}`).size) {
        throw this.error(
          attributes.start(index),
          `a second attribute ${shorten(local)} of the namespace ${quote(own)}`,
        );
      }
    }
  }

  /** `<!...`: a comment or a CDATA section; anything else is refused. */
  private declaration(tag: number): number {
    const { source } = this;
    if (source.startsWith('--', tag + 2)) {
      const end = this.find('--', tag + 4, tag, 'a comment that does not end');
      if (this.codes[end + 2] !== GT) throw this.error(end, '"--" in a comment');
      return end + 3;
    }
    if (source.startsWith('[CDATA[', tag + 2)) {
      if (this.depth === 0) throw this.error(tag, 'a CDATA section outside the root element');
      return this.find(']]>', tag + 9, tag, 'a CDATA section that does not end') + 3;
    }
    throw this.error(tag, 'a DTD or an entity declaration; these documents have none, and it is never read');
  }

  /** A processing instruction: none of our formats has a use for one, and it does nothing; passed over. */
  private instruction(tag: number): number {
    const targetEnd = ncNameEnd(this.codes, tag + 2);
    if (targetEnd === tag + 2) throw this.error(tag, 'a processing instruction without a name');
    if (/^xml$/i.test(this.source.slice(tag + 2, targetEnd))) {
      throw this.error(tag, 'an XML declaration that is not at the start');
    }
    const end = this.find('?>', targetEnd, tag, 'a processing instruction that does not end');
    if (end > targetEnd && !isSpace(this.codes[targetEnd]!)) {
      throw this.error(targetEnd, 'expected white space behind the name of a processing instruction');
    }
    return end + 2;
  }

  /** Where `text` next stands; what lies before it is checked for illegal characters. */
  private find(text: string, from: number, tag: number, missing: string): number {
    const end = this.source.indexOf(text, from);
    if (end < 0) throw this.error(tag, missing);
    const { codes } = this;
    for (let at = from; at < end; ) at = (classes[codes[at]!]! & SUSPECT) === 0 ? at + 1 : this.legal(at);
    return end;
  }

  /** End of the qualified name at `start`; notes its colon. */
  private name(start: number, what: string): number {
    let end = ncNameEnd(this.codes, start);
    if (end === start) throw this.error(start, `expected ${what}`);
    this.colon = -1;
    if (this.codes[end] === COLON) {
      this.colon = end;
      end = ncNameEnd(this.codes, end + 1);
      if (end === this.colon + 1) throw this.error(end, `expected ${what} behind ":"`);
    }
    return end;
  }

  /** White space up to the next tag or the end, outside the root. */
  private outside(start: number): number {
    const at = this.skipSpace(start);
    if (this.codes[at] === LT || at === this.source.length) return at;
    throw this.error(at, `text ${this.rootSeen ? 'behind' : 'before'} the root element`);
  }

  /** Text up to the next tag or the end, inside the root. */
  private text(start: number): number {
    const { codes } = this;
    let at = start;
    for (;;) {
      while ((classes[codes[at]!]! & TEXT_STOP) === 0) at++;
      const code = codes[at];
      if (code === LT || at === this.source.length) return at;
      if (code === AMPERSAND) at = this.reference(at);
      else if (code !== BRACKET) at = this.legal(at);
      else if (codes[at + 1] !== BRACKET || codes[at + 2] !== GT) at++;
      else throw this.error(at, '"]]>" in text; write "]]&gt;"');
    }
  }

  private skipSpace(start: number): number {
    const { codes } = this;
    let at = start;
    while (isSpace(codes[at]!)) at++;
    return at;
  }

  /** Passes over a suspect that is a legal pair. */
  private legal(at: number): number {
    if (isPair(this.codes, at)) return at + 2;
    throw this.error(at, `the character ${codePointName(this.source, at)} is illegal in XML 1.0`);
  }

  private reference(at: number): number {
    const found = referenceAt(this.source, at);
    if (found !== undefined) return found.end;
    throw this.error(at, '"&" that starts no known reference; write "&amp;" (entities cannot be declared)');
  }

  private localStart(): number {
    return this.nameColon < 0 ? this.start + 1 : this.nameColon + 1;
  }

  private openName(): string {
    return shorten(this.source.slice(this.open[this.depth * 2], this.open[this.depth * 2 + 1]));
  }

  private unbound(start: number): PuaError {
    const prefix = this.source.slice(start, this.source.indexOf(':', start));
    return this.error(start, `the prefix ${shorten(prefix)} is not bound to a namespace`);
  }

  private mismatch(tag: number): PuaError {
    return this.error(tag, `the end tag does not fit the open element ${this.openName()}`);
  }

  private error(at: number, what: string): PuaError {
    return documentError(position(this.source, at), what);
  }
}
