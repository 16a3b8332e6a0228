/**
 * What is remembered of a next hop: a Retry-After, and whether it seems dead. A dead hop is set aside for a growing
 * while; then one request is let through to see whether it is back, and the first answer of any kind opens it again.
 */
import type { Hop } from '../ports/sip.js';

const FIRST_ASIDE_MS = 1_000;
const LAST_ASIDE_MS = 30_000;
/** What nobody has tried again for so long is no use to anybody. */
const FORGET_MS = 600_000;

/** One address may serve several domains, each over connections of its own (RFC 5922). */
export const hopName = ({ transport, host, port, serverName }: Hop): string =>
  `${transport}:${host.includes(':') ? `[${host}]` : host}:${port}${serverName === undefined ? '' : ` (${serverName})`}`;

export class HopMemory {
  readonly name: string;
  /** Retry-After of a 503: nothing goes there before. Monotonic ms. */
  #barredUntil = 0;
  #asideUntil = 0;
  #asideMs = 0;
  #probing = false;
  #lastHeard = Number.NEGATIVE_INFINITY;

  constructor(readonly hop: Hop) {
    this.name = hopName(hop);
  }

  /** Time from which a request may go there; at most `now` when it may go at once. */
  openAt(now: number): number {
    const open = Math.max(this.#barredUntil, this.#asideUntil);
    if (open > now) return open;
    // Set aside and the time is over: one probe at a time.
    return this.#asideMs > 0 && this.#probing ? now + FIRST_ASIDE_MS : now;
  }

  sending(): void {
    if (this.#asideMs > 0) this.#probing = true;
  }

  /** The request was not sent after all, for a reason of its own: somebody else may see whether the hop is back. */
  unsent(): void {
    this.#probing = false;
  }

  /** Any answer: it lives. */
  heard(now: number): void {
    this.#lastHeard = now;
    this.#asideUntil = 0;
    this.#asideMs = 0;
    this.#probing = false;
  }

  /**
   * A request sent at `sentAt` got no answer. If the hop answered another one meanwhile, the silence concerns that
   * request alone.
   */
  silent(sentAt: number, now: number): void {
    this.#probing = false;
    if (this.#lastHeard >= sentAt || now < this.#asideUntil) return;
    this.#asideMs = Math.min(LAST_ASIDE_MS, this.#asideMs === 0 ? FIRST_ASIDE_MS : this.#asideMs * 2);
    this.#asideUntil = now + this.#asideMs;
  }

  /** Nothing is remembered that would be missed. */
  isBlank(now: number): boolean {
    return this.#barredUntil <= now && (this.#asideMs === 0 || this.#asideUntil + FORGET_MS <= now);
  }

  /** 503 with Retry-After. */
  bar(until: number): void {
    this.#barredUntil = Math.max(this.#barredUntil, until);
  }
}
