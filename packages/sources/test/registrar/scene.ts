/** A registrar without a wire: messages are read by the engine's parser, time is simulated. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { BindingEvent, Headers, Hop, IncomingRequest, PuaApi } from '@pua/core';
import { parseMessage } from '@pua/sip';
import { type RegistrarOptions, registrar } from '@pua/sources';
import { answerChallenge, SimClock, SimRandom, settle } from '@pua/testkit';

export const PHONE: Hop = { transport: 'udp', host: '192.0.2.7', port: 4001 };
export const PROXY: Hop = { transport: 'udp', host: '10.0.0.5', port: 5060 };
export const USERS = [{ username: 'alice', password: 'secret' }];
export const HOME = 'sip:alice@192.0.2.7:4001';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly reason: string | undefined;
  all(name: string): string[];
  get(name: string): string | undefined;
}

/** Header fields that replace the usual ones; undefined leaves one out, a list gives several. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

export class Scene {
  readonly clock = new SimClock();
  readonly events: BindingEvent[] = [];
  readonly faults: { where: string; error: Error }[] = [];
  readonly source;
  handle: (request: IncomingRequest) => void = () => {};
  #cseq = 0;
  readonly #onFault = (message: unknown) => void this.faults.push(message as { where: string; error: Error });

  constructor(options: RegistrarOptions) {
    this.source = registrar(options);
    const handle = (_: string, handler: (request: IncomingRequest) => void) => {
      this.handle = handler;
    };
    this.source.setup({ clock: this.clock, random: new SimRandom(1), handle } as unknown as PuaApi);
    this.source.onEvent((event) => void this.events.push(event));
    subscribe('pua:fault', this.#onFault);
  }

  static async start(options: RegistrarOptions): Promise<Scene> {
    const scene = new Scene(options);
    await scene.source.start();
    return scene;
  }

  async stop(): Promise<void> {
    await this.source.stop();
    unsubscribe('pua:fault', this.#onFault);
  }

  /** Kinds and contacts of the events since it was asked last. */
  told(): string[] {
    return this.events.splice(0).map(({ kind, binding }) => `${kind} ${binding.contact}`);
  }

  /** One REGISTER for alice@example.com; the answer as soon as there is one. */
  send(fields: Fields = {}, source: Hop = PHONE, uri = 'sip:example.com'): Promise<Answer> {
    const all: Fields = {
      Via: 'SIP/2.0/UDP phone.example.com;branch=z9hG4bK1',
      From: '<sip:alice@example.com>;tag=1',
      To: '<sip:alice@example.com>',
      'Call-ID': 'call',
      CSeq: `${++this.#cseq} REGISTER`,
      Contact: `<${HOME}>`,
      ...fields,
    };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      (value === undefined ? [] : [value].flat()).map((one) => `${name}: ${one}`),
    );
    return this.receive(`REGISTER ${uri} SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n`, source);
  }

  receive(text: string, source: Hop): Promise<Answer> {
    const message = parseMessage(Buffer.from(text));
    if (message.kind !== 'request') throw new Error(`the engine would not let it pass: ${message.kind}`);
    return new Promise((resolve) => {
      const reply = (status: number, headers: Headers = [], reason?: string) => {
        const all = (name: string) => headers.filter(([n]) => n === name).map(([, value]) => value);
        resolve({ status, headers, reason, all, get: (name) => all(name)[0] });
      };
      const { method, uri, headers } = message;
      this.handle({ method, uri, headers, source, reply, pass: () => reply(405) });
    });
  }

  /** As send(), and again with credentials when it is challenged. */
  async login(
    fields: Fields = {},
    { username = 'alice', password = 'secret', source = PHONE, uri = 'sip:example.com' } = {},
  ): Promise<Answer> {
    const challenged = await this.send(fields, source, uri);
    if (challenged.status !== 401) return challenged;
    const given = answerChallenge(
      challenged.all('WWW-Authenticate')[0]!,
      { username, password },
      { method: 'REGISTER', uri },
    );
    return this.send({ ...fields, Authorization: given }, source, uri);
  }
}

export { settle };
