/** Figures for `pua.stats`, health and metrics. */
import type { PuaStats } from './api.js';
import type { StorePort } from './ports/store.js';
import type { Records } from './records.js';
import type { Sender } from './sending/sender.js';

export class Counter {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  toObject(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

export interface StatsInput {
  readonly records: Records;
  readonly requests: Counter;
  readonly notifies: Counter;
  readonly sender: Sender;
  readonly scheduled: number;
  readonly store: StorePort | undefined;
  readonly now: number;
}

export function collectStats({ records, requests, notifies, sender, scheduled, store, now }: StatsInput): PuaStats {
  const states: Record<string, number> = {};
  const totals = { publication: 0, subscription: 0 };
  for (const kind of ['publication', 'subscription'] as const) {
    for (const [phase, count] of records.census(kind)) {
      if (count > 0) states[`${kind} ${phase}`] = count;
      totals[kind] += count;
    }
  }
  const status = store?.status();
  return {
    records: { publications: totals.publication, subscriptions: totals.subscription },
    states,
    requests: requests.toObject(),
    notifies: notifies.toObject(),
    inFlight: sender.inFlight,
    queued: sender.queued,
    scheduled,
    dialogs: records.dialogs,
    hops: [...sender.hops()].map(({ memory, pacer }) => ({
      hop: memory.name,
      inFlight: pacer.inFlight,
      queued: pacer.queued,
      setAsideMs: Math.max(0, Math.round(memory.openAt(now) - now)),
    })),
    store: {
      durable: status?.durable ?? 0,
      last: status?.last ?? 0,
      pending: status?.pending ?? 0,
      error: status?.error?.message ?? null,
    },
  };
}
