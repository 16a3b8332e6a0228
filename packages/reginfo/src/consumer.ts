/**
 * Documents in (RFC 3680 section 5.2): the tables of each subscription, and what they change in the sink.
 *
 *   NOTIFY full, version 0    the first one            tables as it says; what the sink has of us and it does not name goes
 *   NOTIFY partial, 1         one higher               its contacts are written or removed
 *   NOTIFY partial, 3         2 was lost               the same, and SUBSCRIBE for the full state
 *   NOTIFY partial, 2         late                     dropped
 */
import { type Clock, PuaError } from '@pua/core';
import {
  applyRegInfo,
  type RegInfo,
  type Registration,
  type RegistrationTables,
  readRegInfo,
  reg,
} from '@pua/documents';
import { storeKey } from './aor.js';
import { fault } from './fault.js';
import { nodePrefix, prefixOf, sinkPrefix } from './ids.js';
import type { CheckedOptions } from './options.js';
import { Sources } from './sources.js';
import { type AorState, statesOf } from './state.js';
import { told } from './told.js';
import { SinkWriter } from './writer.js';

/** A NOTIFY of `reg`, whoever has received it. */
export interface ReceivedReginfo {
  /** Of one subscription the same, over restarts too: whose bindings they are. */
  readonly subscriptionId: string;
  /** What tells its dialog from the one it had before, where versions began anew: Call-ID and tags. */
  readonly dialog?: string;
  readonly body: string | Uint8Array;
  /** Default `application/reginfo+xml`. */
  readonly contentType?: string;
  /** Seconds left of the subscription. Default 3600. */
  readonly expires?: number;
  /** URI that is subscribed to. */
  readonly uri?: string;
  /** Location table of the bindings. Default: `ul_domain`. */
  readonly table?: string;
  /** The subscription is over with it, and will not come back: what is remembered of it is forgotten. */
  readonly over?: boolean;
}

export interface HandledReginfo {
  /** Contacts that are registered now, of the AORs that the document names. */
  readonly contacts: number;
  /** Bindings written or removed. */
  readonly changed: number;
  /** 1: there are contacts, or the NOTIFY had no body; 2: none is left; -1: it could not be read. */
  readonly code: 1 | 2 | -1;
  /** Something was lost on the way: a SUBSCRIBE should ask for the full state. */
  readonly gap: boolean;
  /** With code -1. */
  readonly fault?: PuaError;
}

/** Seconds that a subscription has left when nobody says so: the default of RFC 3903 and of the C modules. */
const DEFAULT_LIFETIME = 3600;

/** Contacts, registrations and AORs of one subscription: a notifier must not fill our memory. */
const MAX_KNOWN = 10_000;

/** What is known of a subscription. */
class Known {
  dialog: string | undefined;
  tables: RegistrationTables | undefined;
  /** A full document was seen in this dialog: what is not in the tables is not there. */
  complete = false;
  /** What the keys of its bindings in the sink begin with. */
  readonly prefix: string;
  /** AORs it has told of, as the sink has them. */
  aors: ReadonlySet<string> = new Set();
  /** Its documents are applied one after another. */
  last: Promise<unknown>;

  constructor(prefix: string, after: Promise<unknown>) {
    this.prefix = prefix;
    this.last = after;
  }

  /** The next document is the first one: versions begin anew (RFC 3680 section 5.1). */
  restart(dialog: string | undefined): void {
    this.dialog = dialog;
    this.tables = undefined;
    this.complete = false;
  }
}

export class Consumer {
  readonly #clock: Clock;
  readonly #options: CheckedOptions;
  readonly #limit: number;
  readonly #writer: SinkWriter | undefined;
  readonly #known = new Map<string, Known>();
  readonly #ownPrefix: string;
  /** AORs of the bindings that earlier runs have written, by the prefix of their subscription. */
  readonly #written = new Map<string, Set<string>>();
  #isOpen!: () => void;
  readonly #opened = new Promise<void>((resolve) => {
    this.#isOpen = resolve;
  });

  constructor(clock: Clock, options: CheckedOptions, limit = MAX_KNOWN) {
    this.#clock = clock;
    this.#options = options;
    this.#limit = limit;
    this.#writer = options.sink && new SinkWriter(options.sink, new Sources(options.sources, options.ulDomain));
    this.#ownPrefix = nodePrefix(options.nodeName);
  }

  /**
   * The sink has started: documents are applied from now on, also those that have come already. A sink that can tell what it
   * has is asked once: what a subscription has told in an earlier run may be over.
   */
  async open(): Promise<void> {
    const { sink } = this.#options;
    for await (const binding of sink?.snapshot?.() ?? []) {
      const prefix = prefixOf(binding);
      if (prefix === undefined) continue;
      const aors = this.#written.get(prefix) ?? new Set();
      this.#written.set(prefix, aors.add(binding.aor));
    }
    this.#isOpen();
  }

  /** `reginfo_handle_notify`. Never rejects: what the document did wrong is a result. */
  async handle(received: ReceivedReginfo): Promise<HandledReginfo> {
    const handled = await this.#handle(received);
    if (received.over) this.forget(received.subscriptionId);
    return handled;
  }

  async #handle(received: ReceivedReginfo): Promise<HandledReginfo> {
    if (received.body.length === 0) return { contacts: 0, changed: 0, code: 1, gap: false };
    let document: RegInfo;
    try {
      document = read(received);
    } catch (error) {
      return failed(error, false);
    }
    const known = this.#knownOf(received.subscriptionId);
    const result = known.last.then(() => this.#apply(known, received, document));
    known.last = result;
    return result;
  }

  #knownOf(subscriptionId: string): Known {
    const known = this.#known.get(subscriptionId) ?? new Known(sinkPrefix(subscriptionId), this.#opened);
    this.#known.set(subscriptionId, known);
    return known;
  }

  /** Version of the last document of a subscription, and what it has told that holds. */
  look(subscriptionId: string): RegistrationTables | undefined {
    return this.#known.get(subscriptionId)?.tables;
  }

  /** The subscription is over. */
  forget(subscriptionId: string): void {
    this.#known.delete(subscriptionId);
  }

  async #apply(known: Known, received: ReceivedReginfo, document: RegInfo): Promise<HandledReginfo> {
    this.#recall(known);
    if (known.dialog !== received.dialog) known.restart(received.dialog);
    const { subscriptionId } = received;
    const { tables, outcome, changes } = applyRegInfo(known.tables, document);
    const keyOf = (registration: Named) => this.#keyOf(registration);
    const states = statesOf({ prefix: known.prefix, tables, document, changes, keyOf });
    const named = new Set(document.registrations.map(keyOf).filter((key) => key !== undefined));
    const contacts = [...named].reduce((sum, aor) => sum + (states.get(aor)?.wanted.size ?? 0), 0);
    const handled = { contacts, changed: 0, code: contacts > 0 ? 1 : 2, gap: outcome === 'gap' } as const;
    if (outcome === 'discarded') return handled;
    const isFull = document.state === 'full';
    const aors = new Set([...states.keys(), ...known.aors]);
    if (sizeOf(tables) + (isFull ? states : aors).size > this.#limit) {
      return failed(unreadable(`${subscriptionId}: more than ${this.#limit} contacts, registrations and AORs`), false);
    }
    // A sink that fails half-way may have written any of them.
    Object.assign(known, { tables, aors });
    known.complete ||= isFull;
    try {
      const changed = await this.#write(known, received, states, isFull ? this.#allOf(known, received) : named);
      if (known.complete) known.aors = new Set([...aors].filter((aor) => states.get(aor)?.wanted.size));
      await this.#tell(document);
      return { ...handled, changed };
    } catch (error) {
      // The sink is not as the tables say: the next document is taken as the first one.
      known.restart(received.dialog);
      fault(error, `sink of ${subscriptionId}`);
      return failed(error, true);
    }
  }

  /** What an earlier run has written belongs to the subscription when it is heard of again. */
  #recall(known: Known): void {
    const written = this.#written.get(known.prefix);
    if (!written) return;
    known.aors = new Set([...known.aors, ...written]);
    this.#written.delete(known.prefix);
  }

  /** All AORs that a full document speaks of: those that it does not name are without contacts. */
  #allOf({ aors }: Known, { uri }: ReceivedReginfo): ReadonlySet<string> {
    const subscribed = uri === undefined ? undefined : this.#keyOf({ id: '', aor: uri });
    return subscribed === undefined ? aors : new Set([...aors, subscribed]);
  }

  async #write(
    { complete }: Known,
    { subscriptionId, table, expires: remaining = DEFAULT_LIFETIME }: ReceivedReginfo,
    states: ReadonlyMap<string, AorState>,
    aors: ReadonlySet<string>,
  ): Promise<number> {
    if (!this.#writer) return 0;
    const now = this.#clock.wall();
    const registered = new Set([...states.values()].flatMap(({ wanted }) => [...wanted.keys()]));
    const place = { subscriptionId, table: table ?? this.#options.ulDomain ?? undefined };
    const context = { ...place, complete, registered, remaining, now };
    let changed = 0;
    for (const aor of aors) changed += await this.#writer.write(aor, states.get(aor) ?? NOTHING, context);
    return changed;
  }

  /** An application that fails is its own business: the document has been applied. */
  async #tell(document: RegInfo): Promise<void> {
    const { onReginfo } = this.#options;
    for (const registration of document.registrations) {
      if (this.#isOwn(registration)) continue;
      try {
        await onReginfo?.(told(document, registration));
      } catch (error) {
        fault(error, `onReginfo for ${registration.aor}`);
      }
    }
  }

  /** AOR as the sink has it; undefined: none to be applied. */
  #keyOf(registration: Named): string | undefined {
    if (this.#isOwn(registration)) return undefined;
    return storeKey(registration.aor, this.#options.sink?.useDomain ?? true);
  }

  /** What we have published ourselves comes back: no news. */
  #isOwn({ id }: Named): boolean {
    return this.#options.nodeName !== '' && id.startsWith(this.#ownPrefix);
  }
}

type Named = Pick<Registration, 'id' | 'aor'>;

const sizeOf = ({ registrations }: RegistrationTables): number =>
  [...registrations.values()].reduce((sum, { contacts }) => sum + 1 + contacts.size, 0);

const NOTHING: AorState = { wanted: new Map(), fresh: new Set(), ended: new Map(), over: [] };

/** @throws PuaError `PUA_ERR_MEDIA_TYPE`; `PUA_ERR_DOCUMENT`: not well-formed, or no AOR of it is one */
function read({ body, contentType }: ReceivedReginfo): RegInfo {
  const type = contentType?.replace(/;.*/s, '').trim().toLowerCase() ?? reg.contentType;
  if (type !== reg.contentType) {
    throw new PuaError('PUA_ERR_MEDIA_TYPE', `Content-Type ${JSON.stringify(type)} is not ${reg.contentType}`);
  }
  const document = readRegInfo(body);
  const wrong = document.registrations.filter(({ aor }) => storeKey(aor, true) === undefined);
  const faults = wrong.map(({ aor }) => unreadable(`reginfo/registration/@aor: ${JSON.stringify(aor)} is no SIP URI`));
  if (faults[0] && faults.length === document.registrations.length) throw faults[0];
  for (const one of faults) fault(one, 'a registration that is passed over');
  return document;
}

const unreadable = (message: string) => new PuaError('PUA_ERR_DOCUMENT', message);

function failed(error: unknown, gap: boolean): HandledReginfo {
  const fault =
    error instanceof PuaError ? error : new PuaError('PUA_ERR_STATE', 'the sink has failed', { cause: error });
  return { contacts: 0, changed: 0, code: -1, gap, fault };
}
