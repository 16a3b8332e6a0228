import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Hop } from '@pua/core';
import { type ParsedRequest, type ParsedResponse, parseMessage } from '@pua/sip';
import { Mailbox } from './mailbox.js';

/** A request as it came off the wire. */
export interface WireRequest extends ParsedRequest {
  readonly raw: string;
  readonly port: number;
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

/** A burst of long requests must not overflow the default of 208 KiB. */
const BUFFER_BYTES = 4 << 20;

let branches = 0;

/** The other side of the wire: a UDP socket without any SIP logic, so that nothing is hidden from a test. */
export class WirePeer {
  /** Requests in the order of their arrival; retransmissions of them are counted in `repeated`. */
  readonly requests = new Mailbox<WireRequest>();
  readonly responses = new Mailbox<ParsedResponse>();
  repeated = 0;
  readonly #socket: Socket;
  readonly #seen = new Set<string>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (bytes, { port }) => {
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
      this.requests.put({ kind: 'request', method, uri, headers, body, via, cseq, callId, toTag, raw, port });
    });
  }

  static async open(): Promise<WirePeer> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new WirePeer(socket);
  }

  get hop(): Hop {
    const { address, port } = this.#socket.address() as AddressInfo;
    return { transport: 'udp', host: address, port };
  }

  close(): Promise<void> {
    return new Promise((done) => this.#socket.close(done));
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
      `To: ${request.toTag === undefined && status > 100 ? `${to};tag=${tag}` : to}`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, request.port, '127.0.0.1');
  }

  /** Sends a request; gives its branch. */
  send(message: WireMessage): string {
    const { method, uri, callId, cseq = 1, from = '<sip:peer@example.com>;tag=peer', to, headers = [] } = message;
    const { body = '', branch = `z9hG4bKpeer${branches++}` } = message;
    const { host, port } = this.hop;
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${host}:${port};branch=${branch}`,
      'Max-Forwards: 70',
      `From: ${from}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    const [, toHost, toPort] = /@(.*):(\d+)/.exec(uri)!;
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, Number(toPort), toHost);
    return branch;
  }

  /** The final answer to a request of ours. */
  response(branch: string): Promise<ParsedResponse> {
    return this.responses.take(({ via, status }) => via.branch === branch && status >= 200);
  }
}
