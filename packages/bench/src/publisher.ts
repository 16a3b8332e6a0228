/**
 * Keeps a number of handles outstanding: each accepted PUBLISH is followed by the next one.
 *
 * Four of five modify one of 20 000 publications in turn, the fifth opens a new one for a presentity that has one
 * already (another device): initial and modifying requests, inserts and updates both occur all the time.
 */
import type { Pua, PuaResult } from '@pua/core';
import { pidf } from './document.js';

const PRESENTITIES = 20_000;
const NEW_EACH = 5;

interface Presentity {
  readonly uri: string;
  readonly body: string;
}

/** Made beforehand: what documents cost to write is not what is measured. */
function presentities(): readonly Presentity[] {
  return Array.from({ length: PRESENTITIES }, (_, i) => {
    const uri = `sip:user${String(i).padStart(5, '0')}@example.com`;
    // A flat string, as one out of a parser or a database is.
    return { uri, body: Buffer.from(pidf(uri, i), 'latin1').toString('latin1') };
  });
}

export class Publisher {
  accepted = 0;
  private readonly all = presentities();
  private next = 0;
  private outstanding = 0;
  private running = false;
  private fault: PuaResult | undefined;
  private drained: (() => void) | undefined;
  private readonly done = (result: PuaResult): void => {
    if (result.outcome === 'accepted') this.accepted++;
    else this.fault = result;
    if (this.running && !this.fault) this.one();
    else if (--this.outstanding === 0) this.drained?.();
  };

  constructor(private readonly pua: Pua) {}

  start(window: number): void {
    this.running = true;
    this.outstanding = window;
    for (let i = 0; i < window; i++) this.one();
  }

  /** Resolves when the last one is answered. */
  async stop(): Promise<void> {
    this.running = false;
    if (this.outstanding > 0) {
      await new Promise<void>((resolve) => {
        this.drained = resolve;
      });
    }
    if (this.fault) throw new Error(`a PUBLISH was not accepted: ${JSON.stringify(this.fault)}`);
  }

  private one(): void {
    const n = this.next++;
    const { uri, body } = this.all[n % PRESENTITIES]!;
    const id = n % NEW_EACH === 0 ? `d${n}` : '';
    const info = { presUri: uri, event: 'presence', sourceFlag: 'RPC_PUBLISH', id, body, expires: 3600 } as const;
    this.pua.sendPublish(info).result.then(this.done);
  }
}
