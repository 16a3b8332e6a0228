/** Where registrations come from: what registrars, taps, tables and webhooks tell usrloc, reginfo and bla. */

/** A Contact bound to an address-of-record (RFC 3261 section 10). */
export interface Binding {
  /** `user`, `user@domain` or a full URI. */
  readonly aor: string;
  /** Location table or realm; default `location`. */
  readonly table?: string;
  /** Unique and stable as long as the binding lives, over restarts too: Kamailio's ruid, or instance and reg-id. */
  readonly bindingId?: string;
  /** Contact URI, without angle brackets. */
  readonly contact: string;
  /** Milliseconds since 1970; 0: permanent. */
  readonly expiresAt: number;
  /** Call-ID and CSeq of the last REGISTER. */
  readonly callId?: string;
  readonly cseq?: number;
  /** 0 to 1; absent: not given. */
  readonly q?: number;
  /** Address the REGISTER came from, as a SIP URI. */
  readonly received?: string;
  /** Path (RFC 3327): name-addrs, comma separated. */
  readonly path?: string;
  readonly userAgent?: string;
  /** `+sip.instance` (RFC 5626): a URN, without quotes and brackets. */
  readonly instance?: string;
  readonly regId?: number;
  /** Branch flags stored with the contact (cflags). */
  readonly flags?: number;
  /** When it came to be, milliseconds since 1970. */
  readonly registeredAt?: number;
  /** Further parameters of the Contact header field; true: without a value. Values without their quotes. */
  readonly params?: Readonly<Record<string, string | true>>;
  /** Public and temporary GRUU (RFC 5627). */
  readonly pubGruu?: string;
  readonly tempGruu?: string;
  /** Where it was registered; default `local`. Documents of this node tell of its own bindings only: else two nodes echo each other. */
  readonly origin?: BindingOrigin;
  /** What pua_set_publish() said when it was registered, where the source remembers it: a snapshot has no hints. */
  readonly publish?: boolean;
}

/** `delete`: by a REGISTER or by hand; `expire`: its time ran out. Neither follows the other. */
export type BindingEventKind = 'insert' | 'update' | 'delete' | 'expire';

/** Where a change was made: here, on another node, or by a NOTIFY of `reg` that was applied. */
export type BindingOrigin = 'local' | 'replica' | 'reginfo';

export interface BindingEvent {
  readonly kind: BindingEventKind;
  /** After the change; for `delete` and `expire`: as it was. */
  readonly binding: Binding;
  /** For `update`, when known. */
  readonly previous?: Binding;
  /** All bindings of the AOR after the change. */
  readonly siblings?: readonly Binding[];
  readonly hints?: BindingHints;
}

/** What the source decides for one event. */
export interface BindingHints {
  /** What pua_set_publish() said; absent: the module's own rule decides. */
  readonly publish?: boolean;
  /** Default `local`. Only local changes are published. */
  readonly origin?: BindingOrigin;
  /** From URI of the REGISTER. */
  readonly fromUri?: string;
  /** RFC 3680 event of a `delete`: why it was ended. Default `unregistered`. */
  readonly reason?: 'unregistered' | 'rejected' | 'deactivated' | 'probation';
  /** Seconds until the phone may register again; of `probation`. */
  readonly retryAfter?: number;
}

export type BindingListener = (event: BindingEvent) => void | Promise<void>;

/** Order per AOR is kept. Listeners are added in setup() of a module, asked for snapshots in its start(). */
export interface RegistrationSource {
  /** Returns a function that takes the listener back. */
  onEvent(listener: BindingListener): () => void;
  /** Every binding there is now; absent: the source can't tell. */
  snapshot?(): AsyncIterable<Binding>;
  /** All bindings of an AOR; absent: events carry `siblings`. */
  bindings?(aor: string, table?: string): Promise<readonly Binding[]>;
  /** Further AORs of the same set (P-Associated-URI of IMS, `ul_identities_key`). */
  identities?(aor: string): Promise<readonly string[]>;
}

/** Whose bindings they are: those of one subscription to `reg`. */
export interface SinkMeta {
  readonly origin: 'reginfo';
  readonly subscriptionId: string;
}

/** Where registrations that a NOTIFY of `reg` tells about are written. */
export interface RegistrationSink {
  /** AORs are `user@domain`; false: `user`. */
  readonly useDomain: boolean;
  upsert(binding: Binding, meta: SinkMeta): Promise<'inserted' | 'updated'>;
  /** False: there was no such binding. `contactKey`: its bindingId. */
  remove(aor: string, contactKey: string, meta: SinkMeta & { readonly event: string }): Promise<boolean>;
  /** How many were removed: those of the subscription only. */
  removeAll(aor: string, meta: SinkMeta): Promise<number>;
  /** Those of the subscription. */
  listOwned(aor: string, subscriptionId: string): Promise<readonly Binding[]>;
}
