/** Phones that register, behind a proxy whose REGISTERs the registrar believes. */
import type { Hop, SipPort, Timer } from '@pua/core';
import type { SimRandom } from '@pua/testkit';

export interface PhoneOptions {
  /** The proxy. */
  readonly sip: SipPort;
  readonly registrar: Hop;
  readonly random: SimRandom;
  readonly aor: string;
  readonly contact: string;
}

/** Less than it takes to notice that a process has started anew. */
const TIMEOUT_MS = 4_000;
const RETRY_MS = 1_000;

export class Phone {
  readonly #o: PhoneOptions;
  #callId: string;
  #cseq = 0;
  /** Seconds; 0: it is leaving. */
  #wanted = 0;
  #again: Timer | undefined;
  /** Answers to REGISTERs before the last one are of no interest. */
  #round = 0;

  constructor(options: PhoneOptions) {
    this.#o = options;
    this.#callId = options.random.token();
  }

  /** Registers, and stays so; 0: leaves. Until the registrar has heard it. */
  register(seconds: number): void {
    this.#wanted = seconds;
    this.#again?.cancel();
    const { sip, registrar, aor, contact } = this.#o;
    const round = ++this.#round;
    sip.request(
      {
        method: 'REGISTER',
        uri: 'sip:example.com',
        callId: this.#callId,
        cseq: ++this.#cseq,
        from: { uri: aor, tag: 'phone' },
        to: { uri: aor },
        routes: [],
        contact,
        headers: [['Expires', String(seconds)]],
        hop: registrar,
        timeoutMs: TIMEOUT_MS,
      },
      (outcome) => {
        if (round !== this.#round) return;
        if (outcome.kind !== 'response' || outcome.status !== 200) this.#plan(RETRY_MS);
        else if (seconds > 0) this.#plan(seconds * 1000 * (0.5 + 0.3 * this.#o.random.uniform()));
      },
    );
  }

  /** Starts anew: another Call-ID for the same contact. */
  reboot(): void {
    this.#callId = this.#o.random.token();
    this.#cseq = 0;
    if (this.#wanted > 0) this.register(this.#wanted);
  }

  /** Its cable is pulled: no more REGISTERs. */
  vanish(): void {
    this.#round++;
    this.#wanted = 0;
    this.#again?.cancel();
  }

  #plan(ms: number): void {
    this.#again = this.#o.sip.clock.after(ms, () => this.register(this.#wanted));
  }
}
