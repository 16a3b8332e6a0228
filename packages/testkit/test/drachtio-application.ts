import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { DrachtioServer } from '@pua/testkit';
import { Mailbox } from '../dist/compliance/mailbox.js';
import { type Command, FrameReader, frame, parseCommand } from '../dist/drachtio/frames.js';

/** An application of drachtio-server, by hand. */
export class Application {
  readonly frames = new Mailbox<Command>();
  #number = 0;
  readonly closed: Promise<unknown>;

  private constructor(readonly socket: Socket) {
    const reader = new FrameReader();
    socket.on('data', (bytes) => {
      for (const text of reader.read(bytes)) this.frames.put(parseCommand(text));
    });
    this.closed = once(socket, 'close');
  }

  static async open(server: DrachtioServer, ...verbs: string[]): Promise<Application> {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    const application = new Application(socket);
    for (const verb of verbs) await application.ask(`route|${verb}`);
    return application;
  }

  send(text: string): string {
    const id = `id-${++this.#number}`;
    this.socket.write(frame(`${id}|${text}`));
    return id;
  }

  /** What the server responds. */
  async ask(text: string): Promise<readonly string[]> {
    return (await this.response(this.send(text))).arguments.slice(1);
  }

  response(id: string): Promise<Command> {
    return this.frames.take(({ type, arguments: given }) => type === 'response' && given[0] === id);
  }

  /** A SIP message that the server passes on. */
  sip(): Promise<Command> {
    return this.frames.take(({ type }) => type === 'sip');
  }

  close(): void {
    this.socket.destroy();
  }
}
