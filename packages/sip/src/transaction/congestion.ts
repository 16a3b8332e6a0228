/**
 * Requests that are too large for a datagram (RFC 3261 18.1.1): they go by TCP to the same host and port when that
 * works. Here is known where it doesn't.
 */
import type { Clock, Hop } from '@pua/core';

/** A hop without TCP is asked again after this time. */
const REFUSED_MS = 600_000;
const KNOWN_HOPS = 10_000;

const keyOf = ({ host, port }: Hop): string => `${host} ${port}`;

export class Congestion {
  private readonly refusedUntil = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    /** Largest request in bytes that goes by UDP in any case. */
    readonly udpMtu: number,
  ) {}

  takesTcp(hop: Hop): boolean {
    const until = this.refusedUntil.get(keyOf(hop));
    return until === undefined || until <= this.clock.now();
  }

  refused(hop: Hop): void {
    if (this.refusedUntil.size >= KNOWN_HOPS) this.refusedUntil.clear();
    this.refusedUntil.set(keyOf(hop), this.clock.now() + REFUSED_MS);
  }
}
