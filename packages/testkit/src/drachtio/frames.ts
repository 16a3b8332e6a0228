/**
 * The admin protocol of drachtio-server: frames `<bytes>#<text>` over TCP, read the way the server reads them. It takes
 * at most 8192 bytes at a time into a ring of 12 228, and a ring that overflows forgets its oldest bytes:
 *
 *   a frame of up to 4036 bytes     may be followed by others at once
 *   a longer one                    has lost its beginning when too much follows it before it is complete
 *   one of more than 12 228 bytes   never fits: neither it nor anything behind it is ever seen
 */
const READ_BYTES = 8192;
const RING_BYTES = 12_228;
const LENGTH_DIGITS = 5;

export class FrameReader {
  #ring = Buffer.alloc(0);
  /** Of the frame that is being read; 0: its length has not been read yet. */
  #length = 0;

  /**
   * The frames that these bytes complete.
   * @throws Error when a length is no number, which is what becomes of lost bytes; the server hangs up then
   */
  *read(bytes: Uint8Array): IterableIterator<string> {
    for (let at = 0; at < bytes.length; at += READ_BYTES) {
      const ring = Buffer.concat([this.#ring, bytes.subarray(at, at + READ_BYTES)]);
      this.#ring = ring.subarray(Math.max(0, ring.length - RING_BYTES));
      for (let text = this.#next(); text !== undefined; text = this.#next()) yield text;
    }
  }

  #next(): string | undefined {
    if (this.#length === 0) this.#readLength();
    if (this.#length === 0 || this.#ring.length < this.#length) return undefined;
    const text = this.#ring.toString('utf8', 0, this.#length);
    this.#ring = this.#ring.subarray(this.#length);
    this.#length = 0;
    return text;
  }

  #readLength(): void {
    if (this.#ring.length === 0) return;
    const end = this.#ring.indexOf('#');
    const digits = this.#ring.toString('latin1', 0, end < 0 ? LENGTH_DIGITS + 1 : end);
    if (digits.length > LENGTH_DIGITS || !/^\d+$/.test(digits)) {
      throw new Error(`no frame length: ${JSON.stringify(digits.slice(0, 20))}`);
    }
    if (end < 0) return;
    this.#length = Number(digits);
    this.#ring = this.#ring.subarray(end + 1);
  }
}

export function frame(text: string): string {
  return `${Buffer.byteLength(text)}#${text}`;
}

/** The text of a frame in its parts; the SIP message is absent in most. */
export interface Command {
  readonly id: string;
  readonly type: string;
  /** What follows the type. */
  readonly arguments: readonly string[];
  readonly startLine: string;
  /** Header lines in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export function parseCommand(text: string): Command {
  const [meta, message] = cut(text, '\r\n');
  const [head, body] = cut(message, '\r\n\r\n');
  const [startLine, lines] = cut(head, '\r\n');
  const [id = '', type = '', ...rest] = meta.split('|');
  const headers = lines
    .split(/[\r\n]+/)
    .filter((line) => line.includes(':'))
    .map((line) => cut(line, ':').map((part) => part.trim()) as [string, string]);
  return { id, type, arguments: rest, startLine, headers, body };
}

/** What stands before and behind the first `mark`. */
function cut(text: string, mark: string): [before: string, behind: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + mark.length)];
}
