/** A B2BUA on the double, between a caller and a callee. */
import type { DialogEvent, Hop, PuaApi } from '@pua/core';
import { type B2buaTracker, type CallInfo, type ConnectingOptions, trackB2bua } from '@pua/drachtio';
import { DrachtioServer, Phone, WirePeer, type WireRequest } from '@pua/testkit';
import Srf from 'drachtio-srf';
import { parseHostports } from '../../dist/addresses.js';
import { systemClock } from '../../dist/runtime.js';
import { until } from '../support';

export const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n';
export const ALICE = 'sip:alice@example.com';
export const BOB = 'sip:bob@example.com';

/** All of pua that a source looks at. */
export const apiWith = (clock = systemClock) => ({ clock }) as PuaApi;

/** Gives the SIP addresses of the server. */
export function connect(srf: Srf, { host = '127.0.0.1', port, secret }: ConnectingOptions): Promise<string> {
  srf.on('error', () => undefined);
  return new Promise((resolve, reject) => {
    srf.once('connect', (error: Error | null, hostports: string) => (error ? reject(error) : resolve(hostports)));
    srf.connect({ host, port: port!, secret: secret! });
  });
}

/** `drachtio://:secret@127.0.0.1:9022`; its SIP must be on udp:127.0.0.1. */
export function realServer(url: string): ConnectingOptions {
  const { hostname, port, password } = new URL(url);
  return { host: hostname, port: Number(port || 9022), secret: decodeURIComponent(password) };
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
    readonly double: DrachtioServer | undefined,
    /** SIP address of the server. */
    readonly sip: Hop,
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

  /** On the double, or on a real server. */
  static async open({ t1, url }: { t1?: number; url?: string } = {}): Promise<Scene> {
    const double = url ? undefined : await DrachtioServer.start(t1 === undefined ? {} : { t1 });
    const srf = new Srf();
    const hostports = await connect(srf, double ?? realServer(url!));
    const sip = parseHostports(hostports).find(({ transport, host }) => transport === 'udp' && host === '127.0.0.1')!;
    const server = `sip:127.0.0.1:${sip.port}`;
    const caller = await Phone.start({ aor: ALICE, display: 'Alice "A" <&>', server });
    const callee = await Phone.start({ aor: BOB, display: 'Bob', server });
    return new Scene(double, sip, srf, caller, callee, await WirePeer.open());
  }

  async close(): Promise<void> {
    this.srf.disconnect();
    const { double } = this;
    if (double) await until('the link is closed', () => double.links === 0);
    await Promise.all([double?.stop(), this.caller.stop(), this.callee.stop(), this.peer.close()]);
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
