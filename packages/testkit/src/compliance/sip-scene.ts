import assert from 'node:assert/strict';
import type { Clock, IncomingRequest, Outcome, OutgoingRequest, SipPort } from '@pua/core';
import { Mailbox, PATIENCE_MS } from './mailbox.js';
import { WirePeer } from './wire-peer.js';

/** A port that has not been started, and what has to be closed behind it. */
export interface SipPortFixture {
  readonly port: SipPort;
  close?(): Promise<void>;
}

/** Makes a port whose socket is on 127.0.0.1 and that takes NOTIFY and MESSAGE. It must run on the clock, if given. */
export type MakeSipPort = (clock?: Clock) => Promise<SipPortFixture>;

/** Where engines may differ. */
export interface SipPortTraits {
  /** What is spoken with the peer. Default udp. */
  readonly transport?: 'udp' | 'tcp';
  /** In dialogs the engine counts CSeqs itself; what it sent is in the outcome. Default false: as asked. */
  readonly countsCseq?: boolean;
  /** What a peer hears when the handler passes its NOTIFY or MESSAGE. Default 481 and 405. */
  readonly passed?: { readonly NOTIFY: number; readonly MESSAGE: number };
  /** A NOTIFY that overtakes the 2xx, or ends the subscription, is answered 500 by the engine. Default false. */
  readonly answersByItself?: boolean;
}

export type Response = Extract<Outcome, { kind: 'response' }>;

let calls = 0;

/** One port, one peer, and what happened between them. */
export class Scene {
  /** What came to the port and to callers, in this order. */
  readonly events: string[] = [];
  /** What was done wrong in calls back, whose errors an engine keeps to itself. */
  readonly faults: string[] = [];
  readonly incoming = new Mailbox<IncomingRequest>();
  /** Takes the requests; default: they wait in `incoming` for an answer. */
  handler: (request: IncomingRequest) => void = (request) => this.incoming.put(request);

  private constructor(
    readonly port: SipPort,
    readonly peer: WirePeer,
    readonly traits: Required<SipPortTraits>,
  ) {}

  static async play(
    make: MakeSipPort,
    traits: Required<SipPortTraits>,
    run: (scene: Scene) => Promise<void>,
    clock?: Clock,
  ): Promise<void> {
    const peer = await WirePeer.open(traits.transport);
    const { port, close } = await make(clock);
    const scene = new Scene(port, peer, traits);
    try {
      await port.start((request) => {
        scene.events.push(request.method);
        scene.handler(request);
      });
      await run(scene);
    } finally {
      await port.stop(0);
      await close?.();
      await peer.close();
    }
    assert.deepEqual(scene.faults, []);
  }

  /** A PUBLISH to the peer, but for what is given. */
  draft(given: Partial<OutgoingRequest> = {}): OutgoingRequest {
    const number = ++calls;
    return {
      method: 'PUBLISH',
      uri: 'sip:alice@example.com',
      callId: `call-${number}@suite`,
      cseq: 1,
      from: { uri: 'sip:alice@example.com', tag: `local${number}` },
      to: { uri: 'sip:alice@example.com' },
      routes: [],
      headers: [['Event', 'presence']],
      hop: this.peer.hop,
      ...given,
    };
  }

  /** A SUBSCRIBE to the peer, but for what is given. */
  subscription(given: Partial<OutgoingRequest> = {}): OutgoingRequest {
    return this.draft({
      method: 'SUBSCRIBE',
      contact: this.contact(),
      headers: [
        ['Event', 'presence'],
        ['Expires', '600'],
      ],
      ...given,
    });
  }

  contact(user = 'suite'): string {
    return this.port.contact(user, this.peer.hop);
  }

  /** Rejects when no outcome comes. */
  send(given: Partial<OutgoingRequest> = {}): Promise<Outcome> {
    const request = this.draft(given);
    return new Promise((resolve, reject) => {
      let returned = false;
      let done = 0;
      const late = setTimeout(() => reject(new Error(`no outcome within ${PATIENCE_MS} ms`)), PATIENCE_MS);
      this.port.request(request, (outcome) => {
        if (!returned) this.faults.push('done was called before request() had returned');
        if (++done > 1) this.faults.push('done was called twice');
        clearTimeout(late);
        this.events.push(outcome.kind === 'response' ? String(outcome.status) : outcome.kind);
        resolve(outcome);
      });
      returned = true;
    });
  }
}

export function response(outcome: Outcome): Response {
  assert.equal(outcome.kind, 'response', 'cause' in outcome ? outcome.cause.message : undefined);
  return outcome as Response;
}

/** Real time, made faster, so that nobody waits ten seconds for a timer of ten seconds. */
export function quickClock(factor: number): Clock {
  return {
    now: () => performance.now() * factor,
    wall: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms / factor);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
