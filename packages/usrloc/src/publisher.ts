/** The two ways to publish bindings: each for itself, or all of an AOR together. */
import type { Binding, Clock } from '@pua/core';
import type { DocumentSettings } from './mapping.js';
import type { Outbox } from './outbox.js';

export interface PublisherOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly documents: DocumentSettings;
  /** Seconds. */
  readonly grace: number;
}

export interface Publisher {
  /** Id of the publication that tells about a binding. */
  idOf(binding: Binding): string;
  /** It is there, and not out of date. */
  appear(presUri: string, binding: Binding): void;
  /** It is there still. `previous`: as it was, when known. */
  refresh(presUri: string, binding: Binding, previous?: Binding): void;
  /** `siblings`: what is left of the AOR, when known. */
  vanish(presUri: string, binding: Binding, siblings?: readonly Binding[]): void;
  /**
   * At the start: what the source has, against what is published.
   * @param bindings those of the presentity that no event has told of meanwhile
   * @param isPublished the rule for a binding that is not published yet
   */
  reconcile(presUri: string, bindings: readonly Binding[], isPublished: (binding: Binding) => boolean): void;
}
