/**
 * The calls of a B2BUA on drachtio-srf, as dialog events.
 *
 *   caller              createB2BUA()              callee
 *   INVITE ->   created
 *                              INVITE ->
 *                       early                <- 180       for each To tag
 *               <- 180
 *                                            <- 200
 *               <- 200  confirmed
 *   BYE ->      terminated
 */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import {
  type Clock,
  type DialogEvent,
  type DialogEventKind,
  type DialogListener,
  type DialogReason,
  type DialogSnapshot,
  type DialogSource,
  type PuaApi,
  PuaError,
  type PuaModule,
} from '@pua/core';
import { Listeners } from '@pua/sources';
import type DrachtioSrf from 'drachtio-srf';
import { partyOf } from '../party.js';
import { RawMessage } from '../raw.js';
import { systemClock } from '../runtime.js';
import type { CallDialog, DialogRequest, SrfMessage } from '../srf.js';
import { Call, type Side } from './call.js';
import { byeOf, failureOf } from './ends.js';
import type { CallInfo } from './info.js';
import { watchLeg } from './legs.js';

/** Callbacks of createB2BUA(), as drachtio-srf calls them. */
export interface B2buaProgress {
  readonly cbRequest?: (error: Error | null, request: DrachtioSrf.SrfRequest) => void;
  readonly cbProvisional?: (response: DrachtioSrf.SrfResponse) => void;
  readonly cbFinalizedUac?: (uac: DrachtioSrf.Dialog) => void;
}

export interface Legs {
  readonly uas: DrachtioSrf.Dialog;
  readonly uac: DrachtioSrf.Dialog;
}

export interface B2buaTracker extends DialogSource, PuaModule {
  /**
   * `srf.createB2BUA()`, with the same effect, result and errors; the call is followed until it ends. A second attempt for the
   * same INVITE (`passFailure: false`) is a call of its own.
   */
  createB2BUA(
    req: DrachtioSrf.SrfRequest,
    res: DrachtioSrf.SrfResponse,
    uri: string,
    opts?: DrachtioSrf.CreateB2BUAOptions,
    progress?: B2buaProgress,
    info?: CallInfo,
  ): Promise<Legs>;
  /**
   * Follows dialogs that were made otherwise (createUAS, createUAC), from now on: a call that has been answered. With one of
   * them only, the other side gets no document unless `info.publish` says so.
   * @throws PuaError `PUA_ERR_ARGUMENT` with none
   */
  track(legs: Partial<Legs>, info?: CallInfo): void;
  /** Every call that lives, one snapshot for each dialog. */
  live(): AsyncIterable<DialogSnapshot>;
}

type Invite = SrfMessage & EventEmitter & { readonly socket?: Socket };
type CreateB2bua = (req: unknown, res: unknown, uri: string, opts: object, progress: object) => Promise<Legs>;

class Tracker implements B2buaTracker {
  readonly name = 'drachtio-calls';
  readonly #srf: { readonly createB2BUA: CreateB2bua };
  readonly #listeners = new Listeners<DialogEvent>('trackB2bua');
  /** With the link that tells of each. */
  readonly #calls = new Map<Call, Socket | undefined>();
  readonly #links = new WeakSet<Socket>();
  /** Calls that an INVITE has made. */
  readonly #made = new WeakMap<object, number>();
  #clock: Clock = systemClock;
  #isSetUp = false;

  constructor(srf: DrachtioSrf) {
    this.#srf = srf as unknown as { readonly createB2BUA: CreateB2bua };
  }

  setup(pua: PuaApi): void {
    this.#clock = pua.clock;
    this.#isSetUp = true;
  }

  onEvent(listener: DialogListener): () => void {
    return this.#listeners.add(listener);
  }

  async *live(): AsyncGenerator<DialogSnapshot> {
    if (!this.#isSetUp) throw new PuaError('PUA_ERR_STATE', 'live(): pua.use(trackB2bua(...)) it first');
    for (const call of this.#calls.keys()) yield* call.living();
  }

  async createB2BUA(
    req: DrachtioSrf.SrfRequest,
    res: DrachtioSrf.SrfResponse,
    uri: string,
    opts: DrachtioSrf.CreateB2BUAOptions = {},
    progress: B2buaProgress = {},
    info: CallInfo = {},
  ): Promise<Legs> {
    if (req.method !== 'INVITE') return this.#srf.createB2BUA(req, res, uri, opts, progress);
    const invite = req as unknown as Invite;
    const call = this.#begin(invite, info);
    invite.on('cancel', () => this.#end(call, 'failed', { event: 'cancelled', code: 487, by: 'caller' }));
    const cbRequest = (error: Error | null, sent: DrachtioSrf.SrfRequest) => {
      // Not cbProvisional, which drachtio-srf does not call for answers with SDP.
      if (sent) (sent as unknown as EventEmitter).on('response', (response) => this.#response(call, response));
      progress.cbRequest?.(error, sent);
    };
    try {
      const legs = await this.#srf.createB2BUA(req, res, uri, opts, { ...progress, cbRequest });
      this.#answered(call, legs.uas, legs.uac);
      return legs;
    } catch (error) {
      this.#end(call, 'failed', failureOf(error));
      throw error;
    }
  }

  track({ uas, uac }: Partial<Legs>, info: CallInfo = {}): void {
    const first = (uas ?? uac) as unknown as CallDialog | undefined;
    if (!first) throw new PuaError('PUA_ERR_ARGUMENT', 'track(): give it { uas, uac }, or one of them');
    const publish = { caller: uas !== undefined, callee: uac !== undefined, ...info.publish };
    this.#answered(this.#begin(first.req, { ...info, publish }), uas, uac);
  }

  #begin(request: SrfMessage & { readonly socket?: Socket }, info: CallInfo): Call {
    const invite = new RawMessage(request.raw);
    const count = (this.#made.get(request) ?? 0) + 1;
    this.#made.set(request, count);
    const name = `${invite.get('Call-ID')};${partyOf(invite.get('From')).tag}`;
    const key = count === 1 ? name : `${name};${count}`;
    const call = new Call({ key, invite, info, startedAt: this.#clock.wall() });
    this.#calls.set(call, request.socket);
    if (request.socket) this.#link(request.socket);
    this.#tell('created', call.snapshot());
    return call;
  }

  /** Nobody hears of a call any more when the link to the server is gone: drachtio-server keeps its dialogs bound to it. */
  #link(socket: Socket): void {
    if (this.#links.has(socket)) return;
    this.#links.add(socket);
    socket.once('close', () => {
      for (const [call, its] of this.#calls) if (its === socket) this.#end(call, 'terminated', { event: 'error' });
    });
  }

  #response(call: Call, response: SrfMessage & { readonly status: number }): void {
    if (call.over || response.status <= 100 || response.status >= 200) return;
    const dialog = call.rings(new RawMessage(response.raw));
    if (dialog) this.#tell('early', dialog);
  }

  #answered(call: Call, ...legs: readonly (DrachtioSrf.Dialog | undefined)[]): void {
    const [uas, uac] = legs as unknown as readonly (CallDialog | undefined)[];
    if (call.over) return;
    if (uas) this.#watch(call, uas, 'caller');
    if (uac) this.#watch(call, uac, 'callee');
    const answer = uac && new RawMessage(uac.res.raw);
    this.#tell('confirmed', call.answered(this.#clock.wall(), uas?.sip.localTag, answer));
  }

  #watch(call: Call, dialog: CallDialog, side: Side): void {
    watchLeg(dialog, {
      request: (request) => this.#request(call, request, side),
      hungUp: () => this.#end(call, 'terminated', { event: 'bye' }),
    });
  }

  #request(call: Call, request: DialogRequest, side: Side): void {
    const { method } = request;
    if (call.over || method === 'ACK' || method === 'PRACK') return;
    if (method === 'BYE') this.#end(call, 'terminated', byeOf(request, side), method);
    else this.#tell('updated', call.updated(side, method, new RawMessage(request.raw)), method);
  }

  #end(call: Call, kind: DialogEventKind, reason: DialogReason, method?: string): void {
    if (call.over) return;
    this.#calls.delete(call);
    this.#tell(kind, call.ended(reason), method);
  }

  #tell(kind: DialogEventKind, dialog: DialogSnapshot, method?: string): void {
    this.#listeners.tell({ kind, dialog, ...(method === undefined ? {} : { method }) });
  }
}

/** A source of the calls that an application makes with drachtio-srf: its createB2BUA() takes the place of that of `srf`. */
export function trackB2bua(srf: DrachtioSrf): B2buaTracker {
  return new Tracker(srf);
}
