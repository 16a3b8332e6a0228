/** Header fields of one received message: the lines are indexed once, values are read when asked for. */
import type { HeaderView, ReceivedBody } from '@pua/core';
import { nameKey, spells } from './names.js';

/** Numbers per line in the index: start of the name, its length, start of the value, end of the line. */
export const STRIDE = 4;

const LINE_BREAK = /[\0\r\n]/;
const NOT_ASCII = /[^\0-\x7f]/;

/** One line again: folds, and line ends or NULs that stand where they may not, become a space. */
export function unfolded(value: string): string {
  return LINE_BREAK.test(value) ? value.replace(/[\0\r\n][\0\r\n\t ]*/g, ' ').trim() : value;
}

export class HeaderFields implements HeaderView {
  /** `text` is the message as latin1, so that its indices are those of `bytes`. */
  constructor(
    readonly bytes: Buffer,
    readonly text: string,
    readonly lines: readonly number[],
  ) {}

  get(name: string): string | undefined {
    const line = this.find(name, 0);
    return line < 0 ? undefined : this.value(line);
  }

  all(name: string): readonly string[] {
    const values: string[] = [];
    for (let line = this.find(name, 0); line >= 0; line = this.find(name, line + STRIDE)) {
      values.push(this.value(line));
    }
    return values;
  }

  /** Index of the first line of that name at or after `line`, -1 when there is none. */
  find(name: string, line: number): number {
    const { lines, text } = this;
    const key = nameKey(name);
    for (let i = line; i < lines.length; i += STRIDE) {
      const length = lines[i + 1]!;
      if (length === key.name.length) {
        if (spells(text, lines[i]!, key.name)) return i;
      } else if (length === 1 && (text.charCodeAt(lines[i]!) | 0x20) === key.compact) return i;
    }
    return -1;
  }

  /**
   * Value of a line as text. It is decoded from the bytes and not cut from the text: a cut string would keep the whole
   * message alive for as long as somebody keeps an entity-tag.
   */
  value(line: number): string {
    return unfolded(this.decode(this.lines[line + 2]!, this.lines[line + 3]!));
  }

  /** Value of a line as it goes out again: one character per byte. */
  binary(line: number): string {
    return unfolded(this.text.slice(this.lines[line + 2]!, this.lines[line + 3]!));
  }

  decode(start: number, end: number): string {
    const latin1 = this.bytes.toString('latin1', start, end);
    return NOT_ASCII.test(latin1) ? this.bytes.toString('utf8', start, end) : latin1;
  }
}

export class MessageBody implements ReceivedBody {
  constructor(
    readonly type: string,
    readonly bytes: Buffer,
  ) {}

  text(): string {
    return this.bytes.toString('utf8');
  }
}
