/** The head of a message: its header lines in one pass, values when asked for, and the fields that decide its fate. */
import type { HeaderView } from '@pua/core';
import { nameKey, spells } from './names.js';
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

/** In `lines`: where the line starts, times this, plus the length of its name; 0 for a line that is no header field. */
const NAME = 256;
const CR = 0x0d;
const LF = 0x0a;
const COLON = 0x3a;

// Scanning never suspends, so one cursor serves all.
const cursor = new ParameterCursor();

/** One line again: folds, and line ends that stand where they may not, become a space. */
export function unfolded(value: string): string {
  return /[\r\n]/.test(value) ? value.replace(/[\r\n][\r\n\t ]*/g, ' ') : value;
}

export class Head implements HeaderView {
  private readonly lines: number[] = [];
  // Numbers of the lines that every message needs; -1 where one is missing.
  via = -1;
  from = -1;
  to = -1;
  callId = -1;
  cseq = -1;
  contentLength = -1;
  contentType = -1;
  viaLines = 0;
  /** Name of a field that stands twice and may not. */
  twice = '';
  cseqNumber = -1;
  cseqMethod = '';
  /** Where the body begins; -1 while the head has no end. */
  end = -1;
  private linesEnd = 0;

  /** `text` is the message as latin1, so that its indices are those of `bytes`. */
  constructor(
    readonly bytes: Buffer,
    readonly text: string,
  ) {}

  get(name: string): string | undefined {
    const line = this.find(name, 0);
    return line < 0 ? undefined : this.value(line);
  }

  all(name: string): readonly string[] {
    const values: string[] = [];
    for (let line = this.find(name, 0); line >= 0; line = this.find(name, line + 1)) values.push(this.value(line));
    return values;
  }

  /** The first line of that name at or after `line`, -1 when there is none. */
  find(name: string, line: number): number {
    const { lines, text } = this;
    const { name: wanted, compact } = nameKey(name);
    for (let i = line; i < lines.length; i++) {
      const packed = lines[i]!;
      const length = packed & (NAME - 1);
      if (length === wanted.length) {
        if (spells(text, packed >>> 8, wanted)) return i;
      } else if (length === 1 && (text.charCodeAt(packed >>> 8) | 0x20) === compact) return i;
    }
    return -1;
  }

  /** Where the value of a line begins, without the white space around it. */
  start(line: number): number {
    const { text } = this;
    const packed = this.lines[line]!;
    let at = (packed >>> 8) + (packed & (NAME - 1));
    while (text.charCodeAt(at) !== COLON) at++;
    return skipSpace(text, at + 1, this.lineEnd(line));
  }

  /** Where it ends; not before `start`. */
  stop(line: number, start: number): number {
    const { text } = this;
    let at = this.lineEnd(line);
    while (at > start && text.charCodeAt(at - 1) <= 0x20) at--;
    return at;
  }

  private lineEnd(line: number): number {
    return line + 1 < this.lines.length ? this.lines[line + 1]! >>> 8 : this.linesEnd;
  }

  /** Value of a line as text. */
  value(line: number): string {
    const start = this.start(line);
    return this.decode(start, this.stop(line, start));
  }

  /**
   * Text from `start` to `end`, NULs as spaces. It is decoded from the bytes and not cut from the text: a cut string would keep the whole
   * message alive for as long as somebody keeps an entity-tag.
   */
  decode(start: number, end: number): string {
    const { text, bytes } = this;
    let odd = false;
    for (let at = start; at < end; at++) {
      const code = text.charCodeAt(at);
      if (code < 0x20 || code > 0x7e) odd = true;
    }
    if (!odd) return bytes.toString('latin1', start, end);
    return unfolded(bytes.toString('utf8', start, end)).replaceAll('\0', ' ');
  }

  /** Value of a line as it goes out again: one character per byte. */
  binary(line: number): string {
    const start = this.start(line);
    return unfolded(this.text.slice(start, this.stop(line, start)));
  }

  topVia(): Via | undefined {
    if (this.via < 0) return undefined;
    const start = this.start(this.via);
    return scanVia(this.text, start, this.stop(this.via, start));
  }

  /** The tag of From or To: undefined without one, null when the field can't be read. */
  tag(line: number): string | undefined | null {
    const { text } = this;
    const start = this.start(line);
    const end = this.stop(line, start);
    const parameters = addressSpan(text, start, end)?.parameters;
    if (parameters === undefined) return null;
    cursor.over(text, parameters, end);
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
    for (;;) {
      let code = text.charCodeAt(at);
      if (code === LF || (code === CR && text.charCodeAt(at + 1) === LF)) {
        this.linesEnd = at;
        this.end = code === LF ? at + 1 : at + 2;
        return this.end <= MAX_HEAD_BYTES;
      }
      let colon = at;
      while (code > 0x20 && code !== COLON) code = text.charCodeAt(++colon);
      let length = colon - at;
      while (code === 0x20 || code === 0x09) code = text.charCodeAt(++colon);
      // A line that is no header field does no harm: what a message needs is looked for later.
      if (code !== COLON || length >= NAME) length = 0;
      let newline = text.indexOf('\n', colon);
      for (;;) {
        if (newline < 0) return false;
        code = text.charCodeAt(newline + 1);
        if (code !== 0x20 && code !== 0x09) break;
        newline = text.indexOf('\n', newline + 1);
      }
      if (lines.length >= MAX_HEADER_LINES) return false;
      lines.push(at * NAME + length);
      if (length > 0) this.note(lines.length - 1, at, length);
      at = newline + 1;
    }
  }

  /** Remembers the lines that decide what happens to the message. */
  private note(line: number, at: number, length: number): void {
    const { text } = this;
    const short = length === 1;
    switch (text.charCodeAt(at) | 0x20) {
      case 0x76: // v
        if (!short && !(length === 3 && spells(text, at, 'via'))) return;
        this.viaLines++;
        if (this.via < 0) this.via = line;
        return;
      case 0x66: // f
        if (!short && !(length === 4 && spells(text, at, 'from'))) return;
        if (this.from >= 0) this.twice = 'From';
        this.from = line;
        return;
      case 0x74: // t
        if (!short && !(length === 2 && spells(text, at, 'to'))) return;
        if (this.to >= 0) this.twice = 'To';
        this.to = line;
        return;
      case 0x69: // i
        if (short) this.noteCallId(line);
        return;
      case 0x6c: // l
        if (short) this.noteLength(line);
        return;
      case 0x63: // c
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
    if (this.callId < 0) return 'Missing Call-ID';
    if (this.cseq < 0) return 'Missing CSeq';
    const callId = this.start(this.callId);
    if (callId === this.stop(this.callId, callId)) return 'Missing Call-ID';
    return this.twice && `More Than One ${this.twice}`;
  }

  /** RFC 3261 20.16: below 2^31; false when it can't be read. */
  readCSeq(): boolean {
    const { text } = this;
    const start = this.start(this.cseq);
    const end = this.stop(this.cseq, start);
    let at = start;
    let number = 0;
    for (; at < end; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    if (at === start || number > 0x7fff_ffff) return false;
    const method = skipSpace(text, at, end);
    if (method === at || method === end) return false;
    this.cseqNumber = number;
    this.cseqMethod = text.slice(method, end);
    return true;
  }

  /** Length of the body in a datagram: what Content-Length says, else all that is left; -1 when that is wrong. */
  bodyLength(): number {
    const { text } = this;
    const rest = text.length - this.end;
    if (this.contentLength < 0) return rest;
    const start = this.start(this.contentLength);
    const end = this.stop(this.contentLength, start);
    let length = start === end ? -1 : 0;
    for (let at = start; at < end && length >= 0 && length <= rest; at++) {
      const digit = text.charCodeAt(at) - 0x30;
      length = digit < 0 || digit > 9 ? -1 : length * 10 + digit;
    }
    return length > rest ? -1 : length;
  }
}
