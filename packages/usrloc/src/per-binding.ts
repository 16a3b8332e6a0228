/** One publication per binding, as in C. The records of the core are the memory of what is published. */
import type { Binding } from '@pua/core';
import type { Farewells } from './farewells.js';
import { identityOf, publicationId, tupleId } from './identity.js';
import { lifetime, openDocument } from './mapping.js';
import { isSettled } from './outbox.js';
import type { Found, Publisher, PublisherOptions } from './publisher.js';

export class PerBinding implements Publisher {
  readonly #o: PublisherOptions;
  readonly #farewells: Farewells | undefined;
  /** Ids of what this process has published, by presentity: to know the last one. Kept only for farewells. */
  readonly #present = new Map<string, Set<string>>();

  constructor(options: PublisherOptions, farewells: Farewells | undefined) {
    this.#o = options;
    this.#farewells = farewells;
  }

  idOf(binding: Binding): string {
    return publicationId(identityOf(binding));
  }

  appear(presUri: string, binding: Binding): void {
    const { outbox } = this.#o;
    const id = this.idOf(binding);
    outbox.publish(presUri, id, this.#lifetime(binding), this.#document(presUri, binding));
    outbox.endInherited(presUri, binding.callId, id);
    this.#arrived(presUri, id);
  }

  refresh(presUri: string, binding: Binding, previous?: Binding): void {
    const id = this.idOf(binding);
    if (this.#prolong(presUri, id, binding)) this.#arrived(presUri, id);
    else this.appear(presUri, binding);
    const former = previous && this.idOf(previous);
    if (former === undefined || former === id) return;
    this.#present.get(presUri)?.delete(former);
    this.#o.outbox.end(presUri, former);
  }

  vanish(presUri: string, binding: Binding, siblings: readonly Binding[] = []): void {
    const id = this.idOf(binding);
    this.#o.outbox.endInherited(presUri, binding.callId, id);
    this.#leave(presUri, id, siblings, tupleId(binding));
  }

  abandon(presUri: string, id: string, bindings: readonly Binding[]): void {
    this.#leave(presUri, id, bindings);
  }

  reconcile(presUri: string, { bindings, isCompared, isPublished }: Found): void {
    const { outbox, clock } = this.#o;
    for (const binding of bindings) {
      if (!isCompared(binding)) continue;
      const id = this.idOf(binding);
      const record = outbox.find(presUri, id);
      if (!record) {
        if (isPublished(binding)) this.appear(presUri, binding);
      } else if (record.body !== this.#document(presUri, binding)) this.appear(presUri, binding);
      else if (!isSettled(record, this.#lifetime(binding), clock.wall())) this.refresh(presUri, binding);
      else this.#arrived(presUri, id);
    }
  }

  stop(): void {
    this.#farewells?.stop();
  }

  /** False: its document must be given. */
  #prolong(presUri: string, id: string, binding: Binding): boolean {
    const { outbox, documents } = this.#o;
    // All that can change in the document of a binding is its contact, or that it is a farewell.
    const canDiffer = documents.contact === 1 || this.#farewells !== undefined;
    if (canDiffer && outbox.find(presUri, id)?.body !== this.#document(presUri, binding)) return false;
    return outbox.publish(presUri, id, this.#lifetime(binding));
  }

  #arrived(presUri: string, id: string): void {
    if (!this.#farewells) return;
    const present = this.#present.get(presUri);
    if (present) present.add(id);
    else this.#present.set(presUri, new Set([id]));
    this.#farewells.retract(presUri, id);
  }

  #leave(presUri: string, id: string, others: readonly Binding[], tuple?: string): void {
    if (this.#farewells && this.#wasLast(presUri, id, others)) this.#farewells.say(presUri, id, tuple);
    else this.#o.outbox.end(presUri, id);
  }

  /**
   * Was it published, and is nothing else? A source need not tell every end, nor has this process seen everything that is
   * published: the records have the last word.
   */
  #wasLast(presUri: string, id: string, others: readonly Binding[]): boolean {
    const isThere = (one: string) => this.#o.outbox.find(presUri, one) !== undefined;
    const present = this.#present.get(presUri) ?? new Set<string>();
    const wasThere = present.delete(id) || isThere(id);
    for (const one of present) if (!isThere(one)) present.delete(one);
    if (present.size > 0) return false;
    this.#present.delete(presUri);
    return wasThere && !others.some((one) => isThere(this.idOf(one)));
  }

  #document(presUri: string, binding: Binding): string {
    return openDocument(presUri, tupleId(binding), binding, this.#o.documents);
  }

  #lifetime(binding: Binding): number {
    return lifetime(binding.expiresAt, this.#o.clock.wall(), this.#o.grace);
  }
}
