/** An adapter on the double, with a presence server behind it. */
import type { Clock, IncomingRequest, Outcome, OutgoingRequest } from '@pua/core';
import { type ConnectingOptions, type DrachtioSip, drachtioSip } from '@pua/drachtio';
import { DrachtioServer, type DrachtioServerOptions, type StartedServer, startPresenceServer } from '@pua/testkit';

const PATIENCE_MS = 3_000;

/** Waits until something has come true elsewhere. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Real time, made faster. */
export function fasterClock(factor: number): Clock {
  return {
    now: () => performance.now() * factor,
    wall: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms / factor);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

export type Response = Extract<Outcome, { kind: 'response' }>;

export function responseOf(outcome: Outcome): Response {
  if (outcome.kind !== 'response') throw new Error(`${outcome.kind}, no response`);
  return outcome;
}

let calls = 0;

export class Setting {
  /** NOTIFYs and others, in their order; all are answered 200. */
  readonly incoming: IncomingRequest[] = [];

  private constructor(
    readonly server: DrachtioServer,
    readonly presence: StartedServer,
    readonly sip: DrachtioSip,
  ) {}

  static async open(options: ConnectingOptions = {}, double: DrachtioServerOptions = {}): Promise<Setting> {
    const server = await DrachtioServer.start(double);
    const presence = await startPresenceServer();
    const setting = new Setting(server, presence, drachtioSip({ port: server.port, ...options }));
    await setting.start();
    return setting;
  }

  start(sip = this.sip): Promise<void> {
    return sip.start((request) => {
      this.incoming.push(request);
      request.reply(200);
    });
  }

  async close(): Promise<void> {
    await this.sip.stop(0);
    await this.server.stop();
    await this.presence.server.stop();
  }

  /** The values of Subscription-State that came in. */
  get states(): string[] {
    return this.incoming.map(({ headers }) => headers.get('Subscription-State') ?? '');
  }

  draft(given: Partial<OutgoingRequest> = {}): OutgoingRequest {
    const number = ++calls;
    return {
      method: 'PUBLISH',
      uri: 'sip:alice@example.com',
      callId: `call-${number}`,
      cseq: 1,
      from: { uri: 'sip:alice@example.com', tag: `local${number}` },
      to: { uri: 'sip:alice@example.com' },
      routes: [],
      headers: [['Event', 'presence']],
      body: { type: 'application/pidf+xml', content: '<presence/>' },
      hop: this.presence.addresses[0]!,
      ...given,
    };
  }

  send(request: OutgoingRequest = this.draft(), sip = this.sip): Promise<Outcome> {
    return new Promise((done) => sip.request(request, done));
  }

  /** Opens a subscription; gives the request that refreshes it. */
  async subscribe(expires = 600): Promise<OutgoingRequest> {
    const { body: _, ...request } = this.draft({ method: 'SUBSCRIBE' });
    const contact = this.sip.contact('watcher', request.hop);
    const before = this.incoming.length;
    const headers = [
      ['Event', 'presence'],
      ['Expires', String(expires)],
    ] as const;
    const answer = responseOf(await this.send({ ...request, contact, headers }));
    await until('the first NOTIFY', () => this.incoming.length > before);
    return {
      ...request,
      contact,
      headers,
      cseq: answer.cseq + 1,
      uri: /<(.*)>/.exec(answer.headers.get('Contact')!)![1]!,
      to: { uri: request.to.uri, tag: /tag=(.*)/.exec(answer.headers.get('To')!)![1]! },
      ...(answer.binding ? { binding: answer.binding } : {}),
    };
  }
}
