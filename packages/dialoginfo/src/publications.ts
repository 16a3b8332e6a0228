/** The records in the core: what each presentity publishes, how long, and that a document goes out when it has changed. */
import { isDeepStrictEqual } from 'node:util';
import { type PuaApi, type PuaRecord, Schedule, type Scheduled } from '@pua/core';
import { type Dialog, type DialogInfo, writeDialogInfo } from '@pua/documents';
import { fault } from './fault.js';
import type { Settings } from './options.js';

/** A dialog in a document. */
interface Entry {
  readonly dialog: Dialog;
  /** Wall time of the INVITE, milliseconds since 1970. */
  startedAt: number | undefined;
  /** When it is taken out, monotonic ms. */
  until: number;
}

export interface Listing {
  readonly presentity: string;
  readonly entity: string;
  readonly dialog: Dialog;
  readonly startedAt: number | undefined;
  readonly until: number;
}

class Publication implements Scheduled {
  deadline = Number.POSITIVE_INFINITY;
  scheduleIndex = -1;
  readonly entries = new Map<string, Entry>();
  /** Until when the core keeps it alive, monotonic ms. */
  told = 0;
  entity = '';
  constructor(
    readonly presentity: string,
    readonly id: string,
  ) {}
}

const PREFIX = 'DIALOG_PUBLISH.';
const AGGREGATE_ID = `${PREFIX}all`;
/** A lifetime is prolonged that long before it ends, or when a quarter of it is left. */
const AHEAD_MS = 30_000;
/** The core's record outlives its dialogs by this, so that their end is told and not awaited (Kamailio: N + 1). */
const SPARE_MS = 1_000;

export class Publications {
  readonly #pua: PuaApi;
  readonly #settings: Settings;
  readonly #publications = new Map<string, Publication>();
  readonly #changed = new Set<Publication>();
  readonly #schedule: Schedule<Publication>;

  constructor(pua: PuaApi, settings: Settings) {
    this.#pua = pua;
    this.#settings = settings;
    this.#schedule = new Schedule(pua.clock, (publication) => this.#due(publication));
  }

  get size(): number {
    return this.#publications.size;
  }

  stop(): void {
    this.#schedule.stop();
  }

  /** Id of the record that has the document of a dialog. */
  idFor(dialogId: string): string {
    return this.#settings.aggregate === 1 ? AGGREGATE_ID : PREFIX + dialogId;
  }

  /** Nothing goes out before flush(). */
  list({ presentity, entity, dialog, startedAt, until }: Listing): void {
    const publication = this.#open(presentity, dialog.id);
    // An aggregate is about the presentity; a document of one dialog about its party, who may be another one.
    const about = this.#settings.aggregate === 1 ? presentity : entity;
    const entry = publication.entries.get(dialog.id);
    if (entry && publication.entity === about && isDeepStrictEqual(entry.dialog, dialog)) {
      entry.startedAt = startedAt;
      entry.until = until;
      return;
    }
    publication.entity = about;
    publication.entries.set(dialog.id, { dialog, startedAt, until });
    this.#changed.add(publication);
  }

  /** The dialog lives longer, or shorter, than was thought. */
  prolong(presentity: string, dialogId: string, until: number): void {
    const publication = this.#find(presentity, dialogId);
    const entry = publication?.entries.get(dialogId);
    if (!publication || !entry) return;
    entry.until = until;
    this.#plan(publication);
  }

  /** The document says `terminated` for a while; where nothing was published nothing is said. */
  terminate(
    presentity: string,
    dialogId: string,
    reason: Pick<Dialog, 'event' | 'code'>,
    startedAt: number | undefined,
  ): void {
    const publication = this.#find(presentity, dialogId);
    const entry = publication?.entries.get(dialogId);
    if (!publication || !entry) return;
    const lifetime = this.#settings.terminatedLifetime * 1000;
    if (lifetime === 0) return this.#take(publication, dialogId);
    // How long it took is said once and for all.
    const timed = this.#timed({ ...entry, startedAt: entry.startedAt ?? startedAt });
    const dialog: Dialog = { ...timed, state: 'terminated', ...reason };
    publication.entries.set(dialogId, { dialog, startedAt: undefined, until: this.#pua.clock.now() + lifetime });
    this.#changed.add(publication);
  }

  /** Taken out without a word. */
  remove(presentity: string, dialogId: string): void {
    const publication = this.#find(presentity, dialogId);
    if (publication) this.#take(publication, dialogId);
  }

  /** Sends what has changed, in the order in which it did. */
  flush(): void {
    for (const publication of this.#changed) {
      try {
        this.#send(publication);
      } catch (error) {
        fault(error, `publication of ${publication.presentity}`);
      }
    }
    this.#changed.clear();
  }

  /** A record of the last run: what it holds need not be sent again. */
  adopt(record: PuaRecord, document: DialogInfo, until: number): void {
    const publication = new Publication(record.presUri, record.id);
    publication.entity = document.entity;
    publication.told = until + SPARE_MS;
    for (const { duration: _, ...dialog } of document.dialogs) {
      publication.entries.set(dialog.id, { dialog, startedAt: undefined, until });
    }
    this.#publications.set(keyOf(publication.presentity, publication.id), publication);
    this.#plan(publication);
  }

  /** Takes a record back whose documents are of no use. */
  discard({ presUri, id, event }: PuaRecord): void {
    this.#pua.sendPublish({ presUri, id, event, sourceFlag: 'DIALOG_PUBLISH', expires: 0 });
  }

  // -------------------------------------------------------------------------------------------------- parts

  #find(presentity: string, dialogId: string): Publication | undefined {
    return this.#publications.get(keyOf(presentity, this.idFor(dialogId)));
  }

  #open(presentity: string, dialogId: string): Publication {
    const id = this.idFor(dialogId);
    const key = keyOf(presentity, id);
    const publication = this.#publications.get(key) ?? new Publication(presentity, id);
    this.#publications.set(key, publication);
    return publication;
  }

  #take(publication: Publication, dialogId: string): void {
    if (publication.entries.delete(dialogId)) this.#changed.add(publication);
  }

  #send(publication: Publication): void {
    const { presentity: presUri, id, entity, entries } = publication;
    const { clock } = this.#pua;
    const common = { presUri, id, event: 'dialog', sourceFlag: 'DIALOG_PUBLISH' } as const;
    if (entries.size === 0) {
      this.#publications.delete(keyOf(presUri, id));
      this.#schedule.remove(publication);
      this.#pua.sendPublish({ ...common, expires: 0 });
      return;
    }
    const dialogs = [...entries.values()].map((entry) => this.#timed(entry));
    const body = writeDialogInfo({ version: 0, state: 'full', entity, dialogs });
    this.#pua.sendPublish({ ...common, ...this.#lifetime(publication, clock.now()), body });
    this.#plan(publication);
  }

  /** As long as the longest of its dialogs lives. */
  #lifetime(publication: Publication, now: number) {
    const expires = Math.max(1, Math.ceil((end(publication) - now) / 1000)) + SPARE_MS / 1000;
    publication.told = now + expires * 1000;
    const { publishExpires, presenceServer } = this.#settings;
    return { expires, publishExpires, ...(presenceServer === null ? {} : { outboundProxy: presenceServer }) };
  }

  #plan(publication: Publication): void {
    const { told, entries } = publication;
    let next = Number.POSITIVE_INFINITY;
    for (const { until } of entries.values()) next = Math.min(next, until);
    if (end(publication) + SPARE_MS > told) {
      const left = told - this.#pua.clock.now();
      next = Math.min(next, told - Math.min(AHEAD_MS, left / 4));
    }
    publication.deadline = next;
    this.#schedule.update(publication);
  }

  #due(publication: Publication): void {
    const now = this.#pua.clock.now();
    for (const [id, { until }] of publication.entries) if (until <= now) this.#take(publication, id);
    if (this.#changed.has(publication)) {
      this.flush();
      return;
    }
    if (end(publication) + SPARE_MS > publication.told) {
      const { presentity: presUri, id } = publication;
      const lifetime = this.#lifetime(publication, now);
      this.#pua.sendPublish({ presUri, id, event: 'dialog', sourceFlag: 'DIALOG_PUBLISH', ...lifetime });
    }
    this.#plan(publication);
  }

  #timed({ dialog, startedAt }: Entry): Dialog {
    if (startedAt === undefined) return dialog;
    const duration = Math.floor((this.#pua.clock.wall() - startedAt) / 1000);
    return duration > 0 ? { ...dialog, duration } : dialog;
  }
}

const keyOf = (presentity: string, id: string) => `${presentity} ${id}`;

function end({ entries }: Publication): number {
  let last = 0;
  for (const { until } of entries.values()) last = Math.max(last, until);
  return last;
}
