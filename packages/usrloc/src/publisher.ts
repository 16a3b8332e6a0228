/** The two ways to publish bindings: each for itself, or all of an AOR together. */
import type { Binding, Clock } from '@pua/core';
import type { DocumentSettings } from './mapping.js';
import type { Outbox } from './outbox.js';

/** Runs the work for an AOR or presentity; what it throws is told. */
export type Attempt = (whose: string, work: () => void) => void;

export interface PublisherOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly documents: DocumentSettings;
  /** Seconds. */
  readonly grace: number;
  readonly attempt: Attempt;
}

/** What the sources have of a presentity at the start. */
export interface Found {
  readonly bindings: readonly Binding[];
  /** Is it ours, and has no event told of it meanwhile? What is not is left as it is. */
  isCompared(binding: Binding): boolean;
  /** The rule for a binding that is not published yet. */
  isPublished(binding: Binding): boolean;
  /** Every source has told all: what is not among the bindings has gone. */
  readonly isWhole: boolean;
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
  /** What is found, against what is published. */
  reconcile(presUri: string, found: Found): void;
  /** Ends a publication whose binding is there no more. `bindings`: what is left of the presentity. */
  abandon(presUri: string, id: string, bindings: readonly Binding[]): void;
  /** No more timers. */
  stop(): void;
}
