/** A B2BUA on the double, between a caller and a callee. */
import type { DialogEvent, PuaApi } from '@pua/core';
import { type B2buaTracker, type CallInfo, trackB2bua } from '@pua/drachtio';
import { DrachtioServer, Phone, WirePeer, type WireRequest } from '@pua/testkit';
import Srf from 'drachtio-srf';
import { systemClock } from '../../dist/runtime.js';
import { until } from '../support';

export const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n';
export const ALICE = 'sip:alice@example.com';
export const BOB = 'sip:bob@example.com';

/** All of pua that a source looks at. */
export const apiWith = (clock = systemClock) => ({ clock }) as PuaApi;

export async function connect(srf: Srf, server: DrachtioServer): Promise<void> {
  srf.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    srf.once('connect', (error: Error | null) => (error ? reject(error) : resolve()));
    srf.connect({ host: '127.0.0.1', port: server.port, secret: server.secret });
  });
}

type Handler = (req: Srf.SrfRequest, res: Srf.SrfResponse) => void;

export class Scene {
  readonly events: DialogEvent[] = [];
  readonly calls: B2buaTracker;
  /** What the application got from createB2BUA(). */
  readonly made: { uas: Srf.Dialog; uac: Srf.Dialog }[] = [];
  readonly failures: unknown[] = [];
  /** Takes the INVITEs. */
  handler: Handler = (req, res) => this.bridge(req, res);
  /** Where calls go. */
  target = '';
  options: Srf.CreateB2BUAOptions = { localSdpB: SDP };
  info: CallInfo = {};

  private constructor(
    readonly server: DrachtioServer,
    readonly srf: Srf,
    readonly caller: Phone,
    readonly callee: Phone,
    readonly peer: WirePeer,
  ) {
    this.calls = trackB2bua(srf);
    this.calls.setup(apiWith());
    this.calls.onEvent((event) => void this.events.push(event));
    this.target = callee.contact;
    srf.invite((req, res) => this.handler(req, res));
  }

  static async open(t1?: number): Promise<Scene> {
    const server = await DrachtioServer.start(t1 === undefined ? {} : { t1 });
    const srf = new Srf();
    await connect(srf, server);
    const uri = `sip:127.0.0.1:${server.address.port}`;
    const caller = await Phone.start({ aor: ALICE, display: 'Alice "A" <&>', server: uri });
    const callee = await Phone.start({ aor: BOB, display: 'Bob', server: uri });
    return new Scene(server, srf, caller, callee, await WirePeer.open());
  }

  async close(): Promise<void> {
    this.srf.disconnect();
    await until('the link is closed', () => this.server.links === 0);
    await Promise.all([this.server.stop(), this.caller.stop(), this.callee.stop(), this.peer.close()]);
  }

  /** What an application does that joins two phones. */
  bridge(req: Srf.SrfRequest, res: Srf.SrfResponse): void {
    this.calls.createB2BUA(req, res, this.target, { ...this.options }, {}, this.info).then(
      (legs) => {
        this.made.push(legs);
        joined(legs);
      },
      (error) => void this.failures.push(error),
    );
  }

  call(more: readonly (readonly [string, string])[] = []) {
    return this.caller.call(BOB, more);
  }

  /** The callee is a socket, for what phones don't do. */
  toPeer(): void {
    this.target = `sip:bob@127.0.0.1:${this.peer.hop.port}`;
  }

  answer(invite: WireRequest, status: number, tag: string, body = ''): void {
    const headers = [`Contact: <sip:${tag}@127.0.0.1:${this.peer.hop.port}>`];
    if (body !== '') headers.push('Content-Type: application/sdp');
    this.peer.answer(invite, status, { tag, body, headers });
  }

  /** The events in short: `early(tag)`. */
  get story(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  get last(): DialogEvent {
    return this.events.at(-1)!;
  }

  until(kind: DialogEvent['kind']): Promise<void> {
    return until(`an event ${kind}`, () => this.last?.kind === kind);
  }

  async living(): Promise<unknown[]> {
    const all: unknown[] = [];
    for await (const { key, state, callee } of this.calls.live()) all.push([key, state, callee.tag]);
    return all;
  }
}

export function joined({ uas, uac }: { uas: Srf.Dialog; uac: Srf.Dialog }): void {
  uas.on('destroy', () => void uac.destroy());
  uac.on('destroy', () => void uas.destroy());
}
