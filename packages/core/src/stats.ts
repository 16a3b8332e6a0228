/** Figures for `pua.stats`, health and metrics. */
import type { PuaStats } from './api.js';
import type { StorePort } from './ports/store.js';
import type { AnyRecord } from './record.js';
import type { Sender } from './sending/sender.js';

/** Records by kind and state, kept up to date by the records themselves. */
export class Census {
  readonly publication = new Map<string, number>();
  readonly subscription = new Map<string, number>();

  move(kind: AnyRecord['kind'], from: string, to: string): void {
    const counts = this[kind];
    // A record is counted from its first turn until it has ended.
    if (from !== 'absent' && from !== 'ended') counts.set(from, counts.get(from)! - 1);
    if (to !== 'ended') counts.set(to, (counts.get(to) ?? 0) + 1);
  }
}

export interface StatsInput {
  readonly census: Census;
  readonly requests: ReadonlyMap<string, number>;
  readonly notifies: ReadonlyMap<string, number>;
  readonly sender: Sender;
  readonly scheduled: number;
  readonly dialogs: number;
  readonly store: StorePort | undefined;
  readonly now: number;
}

export function collectStats(input: StatsInput): PuaStats {
  const states: Record<string, number> = {};
  const records = { publication: 0, subscription: 0 };
  for (const kind of ['publication', 'subscription'] as const) {
    for (const [phase, count] of input.census[kind]) {
      if (count > 0) states[`${kind} ${phase}`] = count;
      records[kind] += count;
    }
  }
  const status = input.store?.status();
  return {
    records: { publications: records.publication, subscriptions: records.subscription },
    states,
    requests: Object.fromEntries(input.requests),
    notifies: Object.fromEntries(input.notifies),
    inFlight: input.sender.inFlight,
    queued: input.sender.queued,
    scheduled: input.scheduled,
    dialogs: input.dialogs,
    hops: [...input.sender.hops()].map(({ memory, pacer }) => ({
      hop: memory.name,
      inFlight: pacer.inFlight,
      queued: pacer.queued,
      setAsideMs: Math.max(0, Math.round(memory.openAt(input.now) - input.now)),
    })),
    store: {
      durable: status?.durable ?? 0,
      last: status?.last ?? 0,
      pending: status?.pending ?? 0,
      error: status?.error?.message ?? null,
    },
  };
}
