/**
 * Closed documents that stand for a while when the last binding of an AOR has gone, for presence servers that keep the
 * last state they were told. One per presentity.
 *
 *   last binding gone   PUBLISH (closed, If-Match) ->
 *   `seconds` later     PUBLISH (Expires: 0, If-Match) ->
 */
import { type PuaApi, Schedule, type Scheduled } from '@pua/core';
import type { Outbox } from './outbox.js';

interface Farewell extends Scheduled {
  readonly presUri: string;
  readonly id: string;
}

/** The server is to keep it until we take it back. */
const MARGIN_S = 1;

export class Farewells {
  readonly #standing = new Map<string, Farewell>();
  readonly #schedule: Schedule<Farewell>;

  constructor(
    readonly pua: PuaApi,
    readonly outbox: Outbox,
    readonly seconds: number,
  ) {
    this.#schedule = new Schedule(pua.clock, (farewell) => {
      this.#standing.delete(farewell.presUri);
      outbox.end(farewell.presUri, farewell.id);
    });
  }

  say(presUri: string, id: string, closed: string): void {
    this.retract(presUri, id);
    const deadline = this.pua.clock.now() + this.seconds * 1000;
    const farewell: Farewell = { presUri, id, deadline, scheduleIndex: -1 };
    this.outbox.publish(presUri, id, this.seconds + MARGIN_S, closed);
    this.#standing.set(presUri, farewell);
    this.#schedule.update(farewell);
  }

  stands(presUri: string): boolean {
    return this.#standing.has(presUri);
  }

  /** Somebody is there again, published under `id`: a closed document under another one goes. */
  retract(presUri: string, id: string): void {
    const standing = this.#standing.get(presUri);
    if (!standing) return;
    this.#standing.delete(presUri);
    this.#schedule.remove(standing);
    if (standing.id !== id) this.outbox.end(presUri, standing.id);
  }

  stop(): void {
    this.#schedule.stop();
  }
}
