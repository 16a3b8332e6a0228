import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { type Command, FrameReader, frame, parseCommand } from './frames.js';

/** One application's link to the server. */
export class Application {
  /** Methods that it takes requests of, in lower case. */
  readonly verbs = new Set<string>();
  readonly #socket: Socket;

  /** `onCommand` gives false when the server hangs up on it. */
  constructor(socket: Socket, onCommand: (command: Command) => boolean) {
    this.#socket = socket;
    const reader = new FrameReader();
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      try {
        for (const text of reader.read(bytes)) if (!onCommand(parseCommand(text))) socket.end();
      } catch {
        socket.destroy();
      }
    });
  }

  get connected(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  onClose(listener: () => void): void {
    this.#socket.once('close', listener);
  }

  /** Answer to a command of the application. */
  respond(id: string, verdict: 'OK' | 'NO' | 'NOK', more = ''): void {
    this.#send(`response|${id}|${verdict}${more && `|${more}`}`);
  }

  /** A SIP message for the application. */
  deliver(meta: string, raw: string): void {
    this.#send(`sip|${meta}\r\n${raw}`);
  }

  cut(): void {
    this.#socket.destroy();
  }

  #send(text: string): void {
    if (this.connected) this.#socket.write(frame(`${randomUUID()}|${text}`));
  }
}

/** All that have a link. */
export class Applications extends Set<Application> {
  #turn = 0;

  /** Those that take such requests have their turn one after the other. */
  next(method: string): Application | undefined {
    const willing = [...this].filter(({ verbs }) => verbs.has(method.toLowerCase()));
    return willing[this.#turn++ % willing.length];
  }
}

/** How the server describes a message: source, bytes, transport, address, port, time. */
export function describe(source: 'network' | 'application', raw: string, host: string, port: number): string {
  const time = `${new Date().toISOString().slice(11, 23)}000`;
  return `${source}|${Buffer.byteLength(raw)}|udp|${host}|${port}|${time}`;
}
