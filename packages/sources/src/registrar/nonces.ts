/**
 * Nonces that say themselves when they were made and that we made them (RFC 7616 section 5.4): a REGISTER without
 * credentials costs no memory. Those that were used are remembered, with the highest nonce count, until their time is over.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock, Random } from '@pua/core';

interface Used {
  readonly since: number;
  /** Highest nonce count; Infinity: used without one. */
  count: number;
}

export interface NonceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Seconds. */
  readonly lifetime: number;
  /** Used nonces that are remembered at most. */
  readonly limit?: number;
}

export class Nonces {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #limit: number;
  readonly #secret: string;
  /** In the order of their first use. */
  readonly #used = new Map<string, Used>();
  /** Nonces made until then that are not remembered may have been used. */
  #forgottenUntil = Number.NEGATIVE_INFINITY;
  #made = 0;

  constructor({ clock, random, lifetime, limit = 100_000 }: NonceOptions) {
    this.#clock = clock;
    this.#lifetimeMs = lifetime * 1000;
    this.#limit = limit;
    this.#secret = random.token() + random.token();
  }

  /** How many are remembered. */
  get size(): number {
    return this.#used.size;
  }

  make(): string {
    const head = `${Math.floor(this.#clock.now()).toString(36)}-${(this.#made++).toString(36)}`;
    return `${head}-${this.#seal(head)}`;
  }

  /** Once the digest is right. False: it is not ours, too old, or this nonce count was there before. */
  use(nonce: string, count: number | undefined): boolean {
    const used = this.#used.get(nonce);
    // One that was used is ours.
    const since = used ? used.since : this.#madeAt(nonce);
    const now = this.#clock.now();
    if (since === undefined || now - since >= this.#lifetimeMs) return false;
    if (used) {
      if (count === undefined || count <= used.count) return false;
      used.count = count;
      return true;
    }
    if (since <= this.#forgottenUntil) return false;
    this.#used.set(nonce, { since, count: count ?? Number.POSITIVE_INFINITY });
    this.#forget(now);
    return true;
  }

  #forget(now: number): void {
    for (const [nonce, { since }] of this.#used) {
      if (this.#used.size <= this.#limit && now - since < this.#lifetimeMs) return;
      this.#used.delete(nonce);
      this.#forgottenUntil = Math.max(this.#forgottenUntil, since);
    }
  }

  #madeAt(nonce: string): number | undefined {
    const [time = '', number = '', seal = ''] = nonce.split('-', 4);
    const given = Buffer.from(seal);
    const right = Buffer.from(this.#seal(`${time}-${number}`));
    return given.length === right.length && timingSafeEqual(given, right) ? Number.parseInt(time, 36) : undefined;
  }

  #seal(head: string): string {
    return createHmac('sha256', this.#secret).update(head).digest('hex').slice(0, 32);
  }
}
