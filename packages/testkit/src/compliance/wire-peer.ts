import type { Hop } from '@pua/core';
import { type ParsedRequest, type ParsedResponse, parseMessage } from '@pua/sip';
import { Mailbox } from './mailbox.js';
import { openTcp, openUdp, type WireSocket } from './wire-socket.js';

/** A request as it came off the wire. */
export interface WireRequest extends ParsedRequest {
  readonly raw: string;
}

export interface WireAnswer {
  readonly reason?: string;
  /** Header lines; with To, it takes the place of the one with `tag`. */
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Default `peer`. */
  readonly tag?: string;
}

export interface WireMessage {
  readonly method: string;
  /** Where it goes, and the Request-URI. */
  readonly uri: string;
  readonly callId: string;
  readonly cseq?: number;
  readonly from?: string;
  readonly to: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  /** The same one again makes a retransmission. */
  readonly branch?: string;
}

let branches = 0;

/** The other side of the wire: sockets without any SIP logic, so that nothing is hidden from a test. */
export class WirePeer {
  /** Requests in the order of their arrival; retransmissions of them are counted in `repeated`. */
  readonly requests = new Mailbox<WireRequest>();
  readonly responses = new Mailbox<ParsedResponse>();
  repeated = 0;
  readonly #seen = new Set<string>();
  readonly #ways = new WeakMap<WireRequest, (text: string) => void>();
  #socket!: WireSocket;

  private constructor() {}

  static async open(transport: 'udp' | 'tcp' = 'udp'): Promise<WirePeer> {
    const peer = new WirePeer();
    const open = transport === 'udp' ? openUdp : openTcp;
    peer.#socket = await open((bytes, answer) => peer.#take(bytes, answer));
    return peer;
  }

  /** Where requests to it go. */
  get hop(): Hop {
    return this.#socket.hop;
  }

  /** Where its requests to that URI seem to come from. */
  source(uri: string): Hop {
    return this.#socket.source(...addressOf(uri));
  }

  close(): Promise<void> {
    return this.#socket.close();
  }

  answer(request: WireRequest, status: number, answer: WireAnswer = {}): void {
    const { reason = 'Said The Peer', headers = [], body = '', tag = 'peer' } = answer;
    const kept = ['Via', 'From', 'Call-ID', 'CSeq'].flatMap((name) =>
      request.headers.all(name).map((value) => `${name}: ${value}`),
    );
    const to = request.headers.get('To')!;
    const lines = [
      `SIP/2.0 ${status} ${reason}`,
      ...kept,
      ...(headers.some((line) => /^To[ \t]*:/i.test(line))
        ? []
        : [`To: ${request.toTag === undefined && status > 100 ? `${to};tag=${tag}` : to}`]),
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#ways.get(request)!(`${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  /** Sends a request; gives its branch. */
  send(message: WireMessage): string {
    const { method, uri, callId, cseq = 1, from = '<sip:peer@example.com>;tag=peer', to, headers = [] } = message;
    const { body = '', branch = `z9hG4bKpeer${branches++}` } = message;
    const { transport, host, port } = this.hop;
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${transport.toUpperCase()} ${host}:${port};branch=${branch}`,
      'Max-Forwards: 70',
      `From: ${from}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, ...addressOf(uri));
    return branch;
  }

  /** The final answer to a request of ours. */
  response(branch: string): Promise<ParsedResponse> {
    return this.responses.take(({ via, status }) => via.branch === branch && status >= 200);
  }

  #take(bytes: Buffer, answer: (text: string) => void): void {
    const message = parseMessage(bytes);
    if (message.kind === 'error') throw new Error(`what came is no SIP message: ${message.reason}\n${bytes}`);
    if (message.kind === 'response') return this.responses.put(message);
    const { method, uri, headers, body, via, cseq, callId, toTag } = message;
    const key = `${via.branch} ${method}`;
    if (this.#seen.has(key)) {
      this.repeated++;
      return;
    }
    this.#seen.add(key);
    const raw = bytes.toString('utf8');
    const request: WireRequest = { kind: 'request', method, uri, headers, body, via, cseq, callId, toTag, raw };
    this.#ways.set(request, answer);
    this.requests.put(request);
  }
}

function addressOf(uri: string): [host: string, port: number] {
  const [, host, port] = /@([^:;]*):(\d+)/.exec(uri)!;
  return [host!, Number(port)];
}
