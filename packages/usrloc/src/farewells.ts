/**
 * Closed documents that stand for a while when the last binding of an AOR has gone, for presence servers that keep the
 * last state they were told. One per presentity.
 *
 *   last binding gone   PUBLISH (closed, If-Match) ->
 *   `seconds` later     PUBLISH (Expires: 0, If-Match) ->
 */
import { Schedule, type Scheduled } from '@pua/core';
import { closedDocument } from './mapping.js';
import type { PublisherOptions } from './publisher.js';

interface Farewell extends Scheduled {
  readonly presUri: string;
  readonly id: string;
}

/** The server is to keep it until we take it back. */
const MARGIN_S = 1;

export class Farewells {
  readonly #o: PublisherOptions;
  readonly #seconds: number;
  readonly #standing = new Map<string, Farewell>();
  readonly #schedule: Schedule<Farewell>;

  constructor(options: PublisherOptions, seconds: number) {
    const { attempt, clock, outbox } = options;
    this.#o = options;
    this.#seconds = seconds;
    this.#schedule = new Schedule(clock, ({ presUri, id }) => {
      this.#standing.delete(presUri);
      attempt(presUri, () => outbox.end(presUri, id));
    });
  }

  /** @param tuple id of the one that was open, when known */
  say(presUri: string, id: string, tuple?: string): void {
    if (this.#standing.get(presUri)?.id === id) return;
    this.retract(presUri, id);
    const { clock, documents, outbox } = this.#o;
    outbox.publish(presUri, id, this.#seconds + MARGIN_S, closedDocument(presUri, tuple, clock.wall(), documents));
    const farewell = { presUri, id, deadline: clock.now() + this.#seconds * 1000, scheduleIndex: -1 };
    this.#standing.set(presUri, farewell);
    this.#schedule.update(farewell);
  }

  /** Somebody is there again, published under `id`: a closed document under another one goes. */
  retract(presUri: string, id: string): void {
    const standing = this.#standing.get(presUri);
    if (!standing) return;
    this.#standing.delete(presUri);
    this.#schedule.remove(standing);
    if (standing.id !== id) this.#o.outbox.end(presUri, standing.id);
  }

  stop(): void {
    this.#schedule.stop();
  }
}
