/**
 * Reads one message: strict on what identifies a transaction or a dialog, lenient elsewhere, linear in time, and it never
 * throws (RFC 3261 7, 18.3, 25; the cases of RFC 4475).
 */
import type { HeaderView, ReceivedBody } from '@pua/core';
import { type CSeq, Head } from './head.js';
import { spells } from './names.js';
import type { Via } from './via.js';

interface ParsedCommon {
  readonly headers: HeaderView;
  readonly body: ReceivedBody | undefined;
  /** Topmost Via value. */
  readonly via: Via;
  readonly cseq: CSeq;
  readonly callId: string;
}

export interface ParsedRequest extends ParsedCommon {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  /** Tag of To; undefined outside of dialogs. */
  readonly toTag: string | undefined;
}

export interface ParsedResponse extends ParsedCommon {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

export interface ParseFailure {
  readonly kind: 'error';
  readonly of: 'request' | 'response' | 'unknown';
  /** What is wrong, fit for a reason phrase. */
  readonly reason: string;
}

export type ParsedMessage = ParsedRequest | ParsedResponse | ParseFailure;

/** A failure with all that could be read, so that a request can be refused (400, 505). */
export class Failure implements ParseFailure {
  readonly kind = 'error';
  constructor(
    readonly of: 'request' | 'response' | 'unknown',
    readonly reason: string,
    readonly status: number,
    readonly head: Head | undefined,
    readonly method: string,
  ) {}
}

/** A received body; text is decoded when asked for. */
class MessageBody implements ReceivedBody {
  constructor(
    readonly type: string,
    readonly bytes: Buffer,
  ) {}

  text(): string {
    return this.bytes.toString('utf8');
  }
}

abstract class Message {
  private content: ReceivedBody | undefined = undefined;
  constructor(
    readonly head: Head,
    readonly via: Via,
    private bodySize: number,
  ) {}

  get headers(): Head {
    return this.head;
  }

  get cseq(): CSeq {
    return { number: this.head.cseqNumber, method: this.head.cseqMethod };
  }

  get callId(): string {
    return this.head.value(this.head.callId);
  }

  get body(): ReceivedBody | undefined {
    if (this.bodySize > 0) {
      const { head } = this;
      const bytes = head.bytes.subarray(head.end, head.end + this.bodySize);
      this.content = new MessageBody(head.contentType < 0 ? '' : head.value(head.contentType), bytes);
      this.bodySize = 0;
    }
    return this.content;
  }
}

export class RequestMessage extends Message implements ParsedRequest {
  readonly kind = 'request';
  constructor(
    head: Head,
    via: Via,
    bodySize: number,
    readonly method: string,
    readonly uri: string,
    readonly toTag: string | undefined,
  ) {
    super(head, via, bodySize);
  }
}

export class ResponseMessage extends Message implements ParsedResponse {
  readonly kind = 'response';
  constructor(
    head: Head,
    via: Via,
    bodySize: number,
    readonly status: number,
    readonly reason: string,
  ) {
    super(head, via, bodySize);
  }
}

const METHOD = /^[A-Za-z0-9\-.!%*_+`'~]{1,64}$/;
const UNFIT_URI = /[<>\0-\x20\x7f]/;

function parseRequest(head: Head, lineEnd: number, start: number, indexed: boolean): RequestMessage | Failure {
  const { text } = head;
  const first = text.indexOf(' ', start);
  const second = text.indexOf(' ', first + 1);
  const method = first < 0 || first > lineEnd ? '' : text.slice(start, first);
  const fail = (reason: string, status = 400) => new Failure('request', reason, status, head, method);
  if (!METHOD.test(method) || second < 0 || second > lineEnd) return fail('Malformed Request-Line');
  const version = text.slice(second + 1, lineEnd);
  if (version !== 'SIP/2.0' && version.toUpperCase() !== 'SIP/2.0') {
    return /^SIP\/\d+\.\d+$/i.test(version) ? fail('Version Not Supported', 505) : fail('Malformed Request-Line');
  }
  const uri = head.decode(first + 1, second);
  if (uri.length === 0 || UNFIT_URI.test(uri)) return fail('Malformed Request-URI');
  if (!indexed) return fail('Malformed Header Section');
  const fault = head.fault();
  if (fault) return fail(fault);
  const via = head.topVia();
  // Where no branch identifies the transaction, the field itself does, and must be sound.
  if (!via || (via.gaps && via.branch === undefined)) return fail('Malformed Via');
  if (!head.readCSeq()) return fail('Malformed CSeq');
  if (head.cseqMethod !== method) return fail('CSeq Method Differs');
  if (head.tag(head.from) === null) return fail('Malformed From');
  const toTag = head.tag(head.to);
  if (toTag === null) return fail('Malformed To');
  const bodySize = head.bodyLength();
  if (bodySize < 0) return fail('Malformed Content-Length');
  return new RequestMessage(head, via, bodySize, method, uri, toTag);
}

function parseResponse(head: Head, lineEnd: number, start: number, indexed: boolean): ResponseMessage | Failure {
  const { text } = head;
  const fail = (reason: string) => new Failure('response', reason, 0, undefined, '');
  const code = start + 8;
  const digits = text.slice(code, code + 3);
  const status = /^[1-6]\d\d$/.test(digits) ? Number(digits) : 0;
  const gap = text.charCodeAt(code + 3);
  const end = code + 3 >= lineEnd;
  if (status === 0 || text.charCodeAt(code - 1) !== 0x20 || !(end || gap === 0x20)) {
    return fail('Malformed Status-Line');
  }
  if (!indexed) return fail('Malformed Header Section');
  const fault = head.fault();
  if (fault) return fail(fault);
  const via = head.topVia();
  if (!via) return fail('Malformed Via');
  // RFC 3261 8.1.3.3: one that went astray.
  if (head.viaLines > 1 || text.charCodeAt(via.end) === 0x2c) return fail('More Than One Via');
  if (!head.readCSeq()) return fail('Malformed CSeq');
  const bodySize = head.bodyLength();
  if (bodySize < 0) return fail('Malformed Content-Length');
  const reason = end
    ? ''
    : text.startsWith('OK', code + 4) && lineEnd === code + 6
      ? 'OK'
      : head.decode(code + 4, lineEnd);
  return new ResponseMessage(head, via, bodySize, status, reason);
}

/** parseMessage() with what the engine needs beyond the public view. */
export function readMessage(bytes: Buffer): RequestMessage | ResponseMessage | Failure {
  const text = bytes.toString('latin1');
  let start = 0;
  // RFC 3261 7.5: line ends before the start line are ignored.
  while (text.charCodeAt(start) === 0x0d || text.charCodeAt(start) === 0x0a) start++;
  const newline = text.indexOf('\n', start);
  if (newline < 0) return new Failure('unknown', 'Not a SIP Message', 0, undefined, '');
  const lineEnd = text.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline;
  const head = new Head(bytes, text);
  const indexed = head.index(newline + 1);
  if (spells(text, start, 'sip/') && text.startsWith('2.0 ', start + 4)) {
    return parseResponse(head, lineEnd, start, indexed);
  }
  return parseRequest(head, lineEnd, start, indexed);
}

/**
 * Reads one datagram or one framed message. Never throws: what can't be used comes back as `kind: 'error'` with the
 * reason. Header values and the body are read when asked for.
 */
export function parseMessage(bytes: Uint8Array): ParsedMessage {
  return readMessage(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
