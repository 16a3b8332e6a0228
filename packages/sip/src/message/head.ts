/** The head of a message: its header lines in one pass, and the fields that decide what happens to it. */
import { HeaderFields, STRIDE } from './fields.js';
import { spells } from './names.js';
import { ParameterCursor, skipSpace } from './parameters.js';
import { addressSpan } from './uri.js';
import { scanVia, type Via } from './via.js';

/** A message with more header lines is refused. */
export const MAX_HEADER_LINES = 512;
/** A message with a longer head (start line and header fields, in bytes) is refused. */
export const MAX_HEAD_BYTES = 65_535;

export interface CSeq {
  readonly number: number;
  readonly method: string;
}

// Scanning never suspends, so one cursor serves all.
const cursor = new ParameterCursor();

/** Header lines with the places of those that every message needs; -1 where one is missing. */
export class Head {
  readonly lines: number[] = [];
  via = -1;
  from = -1;
  to = -1;
  callId = -1;
  cseq = -1;
  contentLength = -1;
  contentType = -1;
  /** Name of a field that stands twice and may not. */
  twice = '';
  viaLines = 0;
  /** Where the body begins; -1 while the head has no end. */
  end = -1;
  readonly fields: HeaderFields;

  constructor(
    bytes: Buffer,
    readonly text: string,
  ) {
    this.fields = new HeaderFields(bytes, text, this.lines);
  }

  topVia(): Via | undefined {
    if (this.via < 0) return undefined;
    return scanVia(this.text, this.lines[this.via + 2]!, this.lines[this.via + 3]!);
  }

  /** The tag of From or To: undefined without one, null when the field can't be read. */
  tag(line: number): string | undefined | null {
    const { text, lines } = this;
    const end = lines[line + 3]!;
    const span = addressSpan(text, lines[line + 2]!, end);
    if (!span) return null;
    cursor.over(text, span.parameters, end);
    while (cursor.next()) {
      if (cursor.nameEnd - cursor.nameStart === 3 && spells(text, cursor.nameStart, 'tag')) {
        return cursor.valueEnd > cursor.valueStart ? text.slice(cursor.valueStart, cursor.valueEnd) : null;
      }
    }
    return undefined;
  }

  /** Indexes the lines from `at` on; false when there are too many or the head has no end. */
  index(at: number): boolean {
    const { text, lines } = this;
    const length = text.length;
    while (at < length) {
      const first = text.charCodeAt(at);
      if (first === 0x0a || (first === 0x0d && text.charCodeAt(at + 1) === 0x0a)) {
        this.end = at + (first === 0x0a ? 1 : 2);
        return this.end <= MAX_HEAD_BYTES;
      }
      let lineEnd = text.indexOf('\n', at);
      if (lineEnd < 0) return false;
      for (;;) {
        const after = text.charCodeAt(lineEnd + 1);
        if (after !== 0x20 && after !== 0x09) break;
        const folded = text.indexOf('\n', lineEnd + 1);
        if (folded < 0) return false;
        lineEnd = folded;
      }
      if (lines.length >= MAX_HEADER_LINES * STRIDE) return false;
      this.line(at, lineEnd);
      at = lineEnd + 1;
    }
    return false;
  }

  private line(start: number, lineEnd: number): void {
    const { text, lines } = this;
    let at = start;
    let code = 0;
    for (; at < lineEnd; at++) {
      code = text.charCodeAt(at);
      if (code === 0x3a || code <= 0x20) break;
    }
    const nameLength = at - start;
    while (at < lineEnd && (code === 0x20 || code === 0x09)) code = text.charCodeAt(++at);
    // A line that is no header field does no harm: what a message needs is looked for below.
    if (code !== 0x3a || nameLength === 0) return;
    let valueStart = at + 1;
    while (valueStart < lineEnd && text.charCodeAt(valueStart) <= 0x20) valueStart++;
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && text.charCodeAt(valueEnd - 1) <= 0x20) valueEnd--;
    const line = lines.length;
    lines.push(start, nameLength, valueStart, valueEnd);
    this.note(line, start, nameLength);
  }

  /** Remembers the lines that decide what happens to the message. */
  private note(line: number, at: number, length: number): void {
    const { text } = this;
    const letter = text.charCodeAt(at) | 0x20;
    const short = length === 1;
    if (letter === 0x76) {
      if (!short && !(length === 3 && spells(text, at, 'via'))) return;
      this.viaLines++;
      if (this.via < 0) this.via = line;
    } else if (letter === 0x66) {
      if (!short && !(length === 4 && spells(text, at, 'from'))) return;
      if (this.from >= 0) this.twice = 'From';
      this.from = line;
    } else if (letter === 0x74) {
      if (!short && !(length === 2 && spells(text, at, 'to'))) return;
      if (this.to >= 0) this.twice = 'To';
      this.to = line;
    } else if (letter === 0x69) {
      if (short) this.noteCallId(line);
    } else if (letter === 0x6c) {
      if (short) this.noteLength(line);
    } else if (letter === 0x63) {
      if (short) this.contentType = line;
      else if (length === 7 && spells(text, at, 'call-id')) this.noteCallId(line);
      else if (length === 4 && spells(text, at, 'cseq')) {
        if (this.cseq >= 0) this.twice = 'CSeq';
        this.cseq = line;
      } else if (length === 14 && spells(text, at, 'content-length')) this.noteLength(line);
      else if (length === 12 && spells(text, at, 'content-type')) this.contentType = line;
    }
  }

  private noteCallId(line: number): void {
    if (this.callId >= 0) this.twice = 'Call-ID';
    this.callId = line;
  }

  private noteLength(line: number): void {
    if (this.contentLength >= 0) this.twice = 'Content-Length';
    this.contentLength = line;
  }

  /** What is missing or wrong for every message; '' when nothing is. */
  fault(): string {
    if (this.via < 0) return 'Missing Via';
    if (this.from < 0) return 'Missing From';
    if (this.to < 0) return 'Missing To';
    if (this.callId < 0 || this.lines[this.callId + 2] === this.lines[this.callId + 3]) return 'Missing Call-ID';
    if (this.cseq < 0) return 'Missing CSeq';
    return this.twice && `More Than One ${this.twice}`;
  }

  /** RFC 3261 20.16: below 2^31; undefined when it can't be read. */
  readCSeq(): CSeq | undefined {
    const { text, lines } = this;
    const end = lines[this.cseq + 3]!;
    let at = lines[this.cseq + 2]!;
    const start = at;
    let number = 0;
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    if (at === start || number > 0x7fff_ffff) return undefined;
    const methodStart = skipSpace(text, at, end);
    if (methodStart === at || methodStart === end) return undefined;
    return { number, method: text.slice(methodStart, end) };
  }

  /** Length of the body in a datagram: what Content-Length says, else all that is left; -1 when that is wrong. */
  bodyLength(): number {
    const rest = this.text.length - this.end;
    if (this.contentLength < 0) return rest;
    const { text, lines } = this;
    const end = lines[this.contentLength + 3]!;
    const start = lines[this.contentLength + 2]!;
    let length = start === end ? -1 : 0;
    for (let at = start; at < end && length >= 0 && length <= rest; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      length = digit < 0 || digit > 9 ? -1 : length * 10 + digit;
    }
    return length > rest ? -1 : length;
  }
}
