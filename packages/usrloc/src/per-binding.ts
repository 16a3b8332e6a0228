/** One publication per binding, as in C. The records of the core are the memory of what is published. */
import type { Binding } from '@pua/core';
import type { Farewells } from './farewells.js';
import { identityOf, publicationId, tupleId } from './identity.js';
import { closedDocument, lifetime, openDocument } from './mapping.js';
import { endsThen, isEnding } from './outbox.js';
import type { Publisher, PublisherOptions } from './publisher.js';

export class PerBinding implements Publisher {
  readonly #o: PublisherOptions;
  readonly #farewells: Farewells | undefined;
  /** Ids of what is published, by presentity: to know the last one. Kept only for farewells. */
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
    outbox.endInherited(presUri, binding.callId);
    this.#arrived(presUri, id);
  }

  refresh(presUri: string, binding: Binding, previous?: Binding): void {
    const id = this.idOf(binding);
    if (this.#prolong(presUri, id, binding)) this.#arrived(presUri, id);
    else this.appear(presUri, binding);
    const former = previous === undefined ? id : this.idOf(previous);
    if (former === id) return;
    this.#left(presUri, former);
    this.#o.outbox.end(presUri, former);
  }

  vanish(presUri: string, binding: Binding, siblings?: readonly Binding[]): void {
    const { outbox, clock, documents } = this.#o;
    const id = this.idOf(binding);
    outbox.endInherited(presUri, binding.callId);
    if (this.#farewells && this.#left(presUri, id, siblings)) {
      const closed = closedDocument(presUri, tupleId(identityOf(binding)), clock.wall(), documents);
      this.#farewells.say(presUri, id, closed);
    } else outbox.end(presUri, id);
  }

  reconcile(presUri: string, bindings: readonly Binding[], isPublished: (binding: Binding) => boolean): void {
    const { outbox, clock } = this.#o;
    for (const binding of bindings) {
      const id = this.idOf(binding);
      const record = outbox.find(presUri, id);
      if (!record) {
        if (isPublished(binding)) this.appear(presUri, binding);
        continue;
      }
      const expires = this.#lifetime(binding);
      if (record.body !== this.#document(presUri, binding)) this.appear(presUri, binding);
      else if (isEnding(record) || !endsThen(record, expires, clock.wall())) this.refresh(presUri, binding);
      else this.#arrived(presUri, id);
    }
  }

  /** False: its document must be given. */
  #prolong(presUri: string, id: string, binding: Binding): boolean {
    const { outbox, documents } = this.#o;
    if (this.#farewells?.stands(presUri)) return false;
    // All that can change in the document of a binding is its contact.
    if (documents.contact === 1 && outbox.find(presUri, id)?.body !== this.#document(presUri, binding)) return false;
    return outbox.publish(presUri, id, this.#lifetime(binding));
  }

  #arrived(presUri: string, id: string): void {
    if (!this.#farewells) return;
    const present = this.#present.get(presUri);
    if (present) present.add(id);
    else this.#present.set(presUri, new Set([id]));
    this.#farewells.retract(presUri, id);
  }

  /** Was it the last that is published? After a restart it may be unknown: then its siblings tell. */
  #left(presUri: string, id: string, siblings: readonly Binding[] = []): boolean {
    const present = this.#present.get(presUri);
    if (!present) return siblings.length === 0 && this.#o.outbox.find(presUri, id) !== undefined;
    const was = present.delete(id);
    if (present.size > 0) return false;
    this.#present.delete(presUri);
    return was;
  }

  #document(presUri: string, binding: Binding): string {
    const { documents } = this.#o;
    return openDocument(presUri, tupleId(identityOf(binding)), binding, documents);
  }

  #lifetime(binding: Binding): number {
    return lifetime(binding.expiresAt, this.#o.clock.wall(), this.#o.grace);
  }
}
