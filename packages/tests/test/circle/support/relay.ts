/**
 * Between us and the presence server: sees our PUBLISHes, and can hold back the answers, so that a round trip takes as long as
 * a test wants.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface Publish {
  /** Presentity. */
  readonly uri: string;
  readonly event: string;
  /** SIP-If-Match; empty for an initial one. */
  readonly ifMatch: string;
  /** Empty for a refresh and a removal. */
  readonly body: string;
  /** Status of its final answer; 0 while there is none. */
  status: number;
}

const field = (head: string, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*?)\\r?$`, 'im').exec(head)?.[1] ?? '';

export class Relay {
  /** By branch, in the order in which they went out; retransmissions are one. */
  readonly #publishes = new Map<string, Publish>();
  readonly #socket: Socket;
  readonly #server: number;
  /** Where the last request came from. */
  #client = 0;
  #held: Buffer[] | undefined;

  private constructor(socket: Socket, server: number) {
    this.#socket = socket;
    this.#server = server;
    socket.on('message', (data, from) => this.#pass(data, from));
  }

  /** @param server port of 127.0.0.1 */
  static async open(server: number): Promise<Relay> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Relay(socket, server);
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.#socket.address().port}`;
  }

  publishes(): Publish[] {
    return [...this.#publishes.values()];
  }

  /** From now on answers wait. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const data of held) this.#socket.send(data, this.#client, '127.0.0.1');
  }

  async stop(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #pass(data: Buffer, { port }: RemoteInfo): void {
    this.#note(data.toString('utf8'));
    if (port !== this.#server) {
      this.#client = port;
      this.#socket.send(data, this.#server, '127.0.0.1');
    } else if (this.#held) {
      this.#held.push(data);
    } else {
      this.#socket.send(data, this.#client, '127.0.0.1');
    }
  }

  #note(text: string): void {
    const [head = '', body = ''] = text.split('\r\n\r\n', 2);
    const branch = /;branch=([^;,\s]+)/i.exec(field(head, 'Via'))?.[1] ?? '';
    const uri = /^PUBLISH (\S+) /.exec(head)?.[1];
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(head)?.[1] ?? 0);
    const known = this.#publishes.get(branch);
    if (known && status >= 200) known.status = status;
    if (known || uri === undefined) return;
    const [event, ifMatch] = [field(head, 'Event'), field(head, 'SIP-If-Match')];
    this.#publishes.set(branch, { uri, event, ifMatch, body, status: 0 });
  }
}
