/**
 * Messages out of a byte stream (RFC 3261 7.5, 18.3): no sockets, no time. Wherever the stream is cut, the messages and
 * keep-alives are the same, and each byte is looked at and copied a bounded number of times.
 *
 *   [CRLF ...]  head  CRLF CRLF  Content-Length bytes  [CRLF ...]  head ...
 *
 * What stands between two messages are keep-alives: CRLF CRLF is a ping, CRLF a pong (RFC 5626 3.5.1).
 */
import { MAX_HEAD_BYTES } from '../message/head.js';
import { MAX_BODY_BYTES } from './limits.js';

export interface FrameSink {
  /** A whole message; the bytes are the receiver's. */
  message(bytes: Buffer): void;
  /** CRLF CRLF between two messages. */
  ping(): void;
  /** CRLF between two messages; a ping is two of them. */
  pong(): void;
}

const CR = 0x0d;
const LF = 0x0a;
const EMPTY = Buffer.alloc(0);
const CONTENT_LENGTH = /^(?:content-length|l)[ \t]*:/i;
/** `Content-Length: 5`, its value perhaps on a line of its own. */
const LENGTH_FIELD = /^[^:]*:\s*([0-9]{1,10})\s*$/;

export class Framing {
  /** Bytes of the message that is not complete yet, in the first `held` bytes. */
  private store = EMPTY;
  private heldBytes = 0;
  // Of that message, counted from its start: where its current line begins, how far it has been searched for line ends,
  // where Content-Length stands (-1: not seen), and its size as soon as its head is complete (-1 before).
  private line = 0;
  private searched = 0;
  private lengthLine = -1;
  private size = -1;
  /** How much of CRLF CRLF has been seen between messages. */
  private lineEnds = 0;
  private fault: string | undefined;

  constructor(private readonly sink: FrameSink) {}

  /** Bytes of a message whose end has not come yet. */
  get held(): number {
    return this.heldBytes;
  }

  /** Takes what came next. Returns what is wrong with the stream: from there on nothing can be read of it. */
  push(chunk: Buffer): string | undefined {
    if (this.fault !== undefined) return this.fault;
    const bytes = this.heldBytes > 0 ? this.append(chunk) : chunk;
    const owned = bytes !== chunk;
    let at = 0;
    while (at < bytes.length) {
      if (this.searched === 0 && this.size < 0) {
        at = this.skipLineEnds(bytes, at);
        if (at === bytes.length) break;
        // A TLS handshake on a TCP port, a NUL: no need to wait for the end of the line.
        if (bytes[at]! <= 0x20 || bytes[at]! > 0x7e) return this.end('what came is not SIP');
      }
      if (this.size < 0 && !this.readHead(bytes, at)) {
        if (this.fault !== undefined) return this.fault;
        break;
      }
      if (at + this.size > bytes.length) break;
      const message = bytes.subarray(at, at + this.size);
      at += this.size;
      this.forgetMessage();
      this.sink.message(message);
    }
    this.keep(bytes, at, owned);
    return undefined;
  }

  /** What has come of the message so far, in one piece. Its space doubles, so that no byte is copied often. */
  private append(chunk: Buffer): Buffer {
    const length = this.heldBytes + chunk.length;
    if (length > this.store.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.store.length));
      this.store.copy(larger, 0, 0, this.heldBytes);
      this.store = larger;
    }
    chunk.copy(this.store, this.heldBytes);
    return this.store.subarray(0, length);
  }

  /** Keeps what is left from `at` on. */
  private keep(bytes: Buffer, at: number, owned: boolean): void {
    this.heldBytes = bytes.length - at;
    if (this.heldBytes === 0) this.store = EMPTY;
    // A message that was given away lies in the old store.
    else if (!owned || at > 0) this.store = Buffer.from(bytes.subarray(at));
  }

  private forgetMessage(): void {
    this.line = 0;
    this.searched = 0;
    this.lengthLine = -1;
    this.size = -1;
    this.lineEnds = 0;
  }

  private skipLineEnds(bytes: Buffer, start: number): number {
    let at = start;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte !== CR && byte !== LF) break;
      if (byte === (this.lineEnds % 2 === 0 ? CR : LF)) this.lineEnds++;
      else this.lineEnds = byte === CR ? 1 : 0;
      if (this.lineEnds === 2 || this.lineEnds === 4) this.sink.pong();
      if (this.lineEnds < 4) continue;
      this.lineEnds = 0;
      this.sink.ping();
    }
    return at;
  }

  /** Reads on in the head of the message at `start`; true when `size` is known. */
  private readHead(bytes: Buffer, start: number): boolean {
    for (;;) {
      const newline = bytes.indexOf(LF, start + this.searched);
      if (newline < 0) {
        this.searched = bytes.length - start;
        if (this.searched > MAX_HEAD_BYTES) this.end(`a head of more than ${MAX_HEAD_BYTES} bytes`);
        return false;
      }
      const line = start + this.line;
      const next = newline + 1 - start;
      if (next > MAX_HEAD_BYTES) {
        this.end(`a head of more than ${MAX_HEAD_BYTES} bytes`);
        return false;
      }
      if (newline === line || (newline === line + 1 && bytes[line] === CR)) return this.readSize(bytes, start, next);
      const first = bytes[line]! | 0x20;
      if (
        (first === 0x63 || first === 0x6c) &&
        CONTENT_LENGTH.test(bytes.toString('latin1', line, Math.min(line + 32, newline)))
      ) {
        if (this.lengthLine >= 0) {
          this.end('more than one Content-Length');
          return false;
        }
        this.lengthLine = this.line;
      }
      this.line = next;
      this.searched = next;
    }
  }

  private readSize(bytes: Buffer, start: number, headSize: number): boolean {
    if (this.lengthLine < 0) {
      this.end('a message without Content-Length');
      return false;
    }
    const from = start + this.lengthLine;
    let end = bytes.indexOf(LF, from);
    while (bytes[end + 1] === 0x20 || bytes[end + 1] === 0x09) end = bytes.indexOf(LF, end + 1);
    const length = LENGTH_FIELD.exec(bytes.toString('latin1', from, end))?.[1];
    if (length === undefined) this.end('a Content-Length that is no number');
    else if (Number(length) > MAX_BODY_BYTES) this.end(`a body of more than ${MAX_BODY_BYTES} bytes`);
    else this.size = headSize + Number(length);
    return this.size >= 0;
  }

  private end(fault: string): string {
    this.fault = fault;
    this.store = EMPTY;
    this.heldBytes = 0;
    return fault;
  }
}
