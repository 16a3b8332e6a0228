import type { Clock, Random, ReceivedBody } from '@pua/core';
import { Deadlines, type Expiring } from './deadlines.js';

/** Publications of one presentity and event; the newest document is what its watchers see. */
interface Resource {
  readonly key: string;
  newest: StoredPublication | undefined;
}

/** One publication as a test may look at it. */
export interface Publication {
  readonly presentity: string;
  /** Event without `id`. */
  readonly event: string;
  /** The entity-tag of the last 2xx. */
  readonly etag: string;
  readonly body: ReceivedBody;
  /** Clock time, milliseconds. */
  readonly expiresAt: number;
  /** Number of 2xx so far. */
  readonly generation: number;
}

interface StoredPublication extends Publication, Expiring {
  etag: string;
  body: ReceivedBody;
  expiresAt: number;
  generation: number;
  readonly resource: Resource;
  /** The next newest one of the resource, and the one that is newer. */
  older: StoredPublication | undefined;
  newer: StoredPublication | undefined;
}

/** Key of what one subscription sees. */
export function resourceKey(presentity: string, event: string): string {
  return `${event} ${presentity}`;
}

/** Published event state: entity-tags, lifetimes, and the document that watchers see. O(log n) per request. */
export class EventState {
  readonly #clock: Clock;
  readonly #onExpired: (key: string) => void;
  readonly #resources = new Map<string, Resource>();
  readonly #byEtag = new Map<string, StoredPublication>();
  readonly #deadlines: Deadlines<StoredPublication>;
  readonly #etagPrefix: string;
  #etags = 0;

  /** `onExpired` hears of documents that change because a publication ran out. */
  constructor(clock: Clock, random: Random, onExpired: (key: string) => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
    this.#etagPrefix = random.token();
    this.#deadlines = new Deadlines(clock, (publication) => {
      if (this.#forget(publication)) this.#onExpired(publication.resource.key);
    });
  }

  get size(): number {
    return this.#byEtag.size;
  }

  *[Symbol.iterator](): IterableIterator<Publication> {
    yield* this.#byEtag.values();
  }

  /** The publication that an entity-tag names, if it is of that presentity and event. */
  find(etag: string, presentity: string, event: string): Publication | undefined {
    const found = this.#byEtag.get(etag);
    return found && found.presentity === presentity && found.event === event ? found : undefined;
  }

  /** What watchers see; undefined when nothing is published. */
  document(key: string): ReceivedBody | undefined {
    return this.#resources.get(key)?.newest?.body;
  }

  /** A tag that was never given before, also for a publication that is not kept. */
  newEtag(): string {
    return `${this.#etagPrefix}.${(++this.#etags).toString(36)}`;
  }

  create(presentity: string, event: string, body: ReceivedBody, lifetime: number): Publication {
    const key = resourceKey(presentity, event);
    let resource = this.#resources.get(key);
    if (!resource) {
      resource = { key, newest: undefined };
      this.#resources.set(key, resource);
    }
    const publication: StoredPublication = {
      presentity,
      event,
      etag: this.newEtag(),
      body,
      expiresAt: 0,
      generation: 1,
      resource,
      older: undefined,
      newer: undefined,
      heapIndex: -1,
    };
    this.#byEtag.set(publication.etag, publication);
    this.#link(publication);
    this.#deadlines.set(publication, this.#clock.now() + lifetime * 1000);
    return publication;
  }

  /** Refreshes, with a body modifies: a new entity-tag takes the place of the old one. */
  renew(found: Publication, body: ReceivedBody | undefined, lifetime: number): Publication {
    const publication = found as StoredPublication;
    this.#byEtag.delete(publication.etag);
    publication.etag = this.newEtag();
    publication.generation++;
    this.#byEtag.set(publication.etag, publication);
    if (body) {
      publication.body = body;
      this.#unlink(publication);
      this.#link(publication);
    }
    this.#deadlines.set(publication, this.#clock.now() + lifetime * 1000);
    return publication;
  }

  /** Returns true when watchers now see another document. */
  remove(publication: Publication): boolean {
    this.#deadlines.remove(publication as StoredPublication);
    return this.#forget(publication as StoredPublication);
  }

  /** Forgets everything, silently. */
  clear(): void {
    this.#deadlines.clear();
    this.#resources.clear();
    this.#byEtag.clear();
  }

  #forget(publication: StoredPublication): boolean {
    const { resource } = publication;
    const wasSeen = resource.newest === publication;
    this.#byEtag.delete(publication.etag);
    this.#unlink(publication);
    if (!resource.newest) this.#resources.delete(resource.key);
    return wasSeen;
  }

  #link(publication: StoredPublication): void {
    const { resource } = publication;
    publication.older = resource.newest;
    publication.newer = undefined;
    if (resource.newest) resource.newest.newer = publication;
    resource.newest = publication;
  }

  #unlink(publication: StoredPublication): void {
    const { resource, older, newer } = publication;
    if (older) older.newer = newer;
    if (newer) newer.older = older;
    else resource.newest = older;
  }
}
