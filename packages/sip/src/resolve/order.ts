/** The order in which servers are tried: by priority, and within one by weighted chance (RFC 2782). */
import type { Hop, Random } from '@pua/core';

export interface Server {
  readonly weight: number;
  /** One for each of its addresses. */
  readonly hops: readonly Hop[];
}

/** Servers of one priority. */
export type Tier = readonly Server[];

/** Whether every draw gives the same. */
export function isFixed(tiers: readonly Tier[]): boolean {
  return tiers.every((tier) => tier.length === 1);
}

/** Draws an order: every hop once, each server before the rest of its tier as often as its weight says. */
export function drawn(tiers: readonly Tier[], random: Random): Hop[] {
  const hops: Hop[] = [];
  for (const tier of tiers) {
    const left = [...tier];
    while (left.length > 0) {
      const [server] = left.splice(left.length === 1 ? 0 : pick(left, random.uniform()), 1);
      hops.push(...server!.hops);
    }
  }
  return hops;
}

/**
 * Index of the server that `chance` (0 up to 1) picks. Those of weight 0 get a very small chance, as RFC 2782 wants: all
 * of them together that of weight 1, evenly.
 */
function pick(servers: readonly Server[], chance: number): number {
  let total = 0;
  let idle = 0;
  for (const { weight } of servers) {
    total += weight;
    if (weight === 0) idle++;
  }
  let point = chance * (idle > 0 ? total + 1 : total);
  for (let i = 0; i < servers.length; i++) {
    point -= servers[i]!.weight || 1 / idle;
    if (point < 0) return i;
  }
  // What rounding leaves over.
  return servers.length - 1;
}
