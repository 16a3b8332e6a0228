/** A UDP socket that speaks Message, on loopback: nothing gets lost there but what a full buffer drops. */
import { createSocket, type Socket } from 'node:dgram';
import { addressOf, Message } from './message.js';

export class MessageSocket {
  readonly host = '127.0.0.1';
  readonly #socket: Socket;
  port = 0;
  onMessage: (message: Message) => void = () => undefined;

  private constructor() {
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    this.#socket.on('message', (data) => {
      const message = Message.parse(data);
      if (message) this.onMessage(message);
    });
    // The peer may have gone; whoever waits for it notices.
    this.#socket.on('error', () => undefined);
  }

  static async open(): Promise<MessageSocket> {
    const opened = new MessageSocket();
    await new Promise<void>((resolve) => void opened.#socket.bind(0, opened.host, resolve));
    opened.port = opened.#socket.address().port;
    return opened;
  }

  /** `127.0.0.1:port` */
  get address(): string {
    return `${this.host}:${this.port}`;
  }

  /** To where a URI leads. */
  send(message: Message, uri: string): void {
    const { host, port } = addressOf(uri);
    this.#socket.send(message.toBuffer(), port, host);
  }

  /** A response goes to the topmost Via. */
  respond(response: Message): void {
    this.send(response, response.get('Via'));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
