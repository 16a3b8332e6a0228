/** Where calls come from: what B2BUAs, tables and webhooks tell dialoginfo. */

export interface DialogParty {
  /** AOR or identity URI. */
  readonly uri: string;
  readonly display?: string;
  readonly tag?: string;
  /** Remote target: URI of its Contact. */
  readonly contact?: string;
  /** Parameters of that Contact that watchers are to see, such as `+sip.rendering`: `no` while it holds (RFC 4235 section 5.2). */
  readonly contactParams?: Readonly<Record<string, string | true>>;
  /**
   * Call-ID of the leg that faces this party, when its legs have different ones (B2BUA). Default: `callId` of the dialog.
   * `tag` is then the party's own tag in that leg, `peerTag` the other one.
   */
  readonly callId?: string;
  readonly peerTag?: string;
}

/** States of RFC 4235 section 3.7.1, in the order in which a call goes through them. */
export type DialogState = 'trying' | 'proceeding' | 'early' | 'confirmed' | 'terminated';

export interface DialogReason {
  readonly event?: 'cancelled' | 'rejected' | 'replaced' | 'bye' | 'timeout' | 'error';
  /** 100 to 699. */
  readonly code?: number;
  readonly by?: 'caller' | 'callee';
}

/** All that is known of a call now; what an event leaves out is as it was before. */
export interface DialogSnapshot {
  /** Stable id of the call in the source. Its forks have the same one and differ in `branch` or `callee.tag`. */
  readonly key: string;
  readonly callId: string;
  /** When the source knows forking branches. */
  readonly branch?: string;
  readonly caller: DialogParty;
  readonly callee: DialogParty;
  /** AOR of the callee when it is not `callee.uri`: Request-URI of the INVITE. */
  readonly requestUri?: string;
  readonly state: DialogState;
  readonly reason?: DialogReason;
  /** Milliseconds since 1970. */
  readonly startedAt?: number;
  readonly answeredAt?: number;
  /** Seconds that the source expects the call to last at most, from now on (dialog timeout, session timer). */
  readonly lifetime?: number;
  /** Sticky: decided at the start. false: no document for that side. */
  readonly publish?: { readonly caller?: boolean; readonly callee?: boolean };
  /** Presentities that get the side's document, instead of its own URI. */
  readonly publishUris?: { readonly caller?: readonly string[]; readonly callee?: readonly string[] };
  /** Identity shown to the other side instead of the real one. */
  readonly mask?: { readonly caller?: string; readonly callee?: string };
  /** Values of the Privacy header field of that side (RFC 3323): `id`, `user`. */
  readonly privacy?: { readonly caller?: readonly string[]; readonly callee?: readonly string[] };
  /** Message flags of the INVITE, bit n for flag n (Kamailio); sticky. */
  readonly flags?: number;
  /** Dialog variables (`$dlg_var(name)`), AVPs and other script values that parameters name, as the script has them. */
  readonly vars?: Readonly<Record<string, string | readonly string[]>>;
  readonly referredBy?: DialogParty;
  readonly replaces?: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
}

/**
 * `updated`: something in the dialog, or a sign of life; `restored`: lives on after a restart of the source.
 *
 * An end without `branch` is that of the whole call, but for a dialog that was answered (`failed`), or for another one that
 * was answered, too (`terminated` that names a tag). One with `branch` is that of the branch; another one may be tried.
 */
export type DialogEventKind =
  | 'created'
  | 'early'
  | 'confirmed'
  | 'updated'
  | 'failed'
  | 'terminated'
  | 'expired'
  | 'restored';

export interface DialogEvent {
  readonly kind: DialogEventKind;
  readonly dialog: DialogSnapshot;
  /** Request that caused it: INFO, BYE ... */
  readonly method?: string;
  /** Message flags of that request. */
  readonly flags?: number;
}

export type DialogListener = (event: DialogEvent) => void | Promise<void>;

/** Order per key is kept. Listeners are added in setup() of a module, live() is asked for from its start() on. */
export interface DialogSource {
  /** Returns a function that takes the listener back. */
  onEvent(listener: DialogListener): () => void;
  /**
   * Every call that lives now: what it does not name is over. Absent: the source can't tell. It may take its time until it can,
   * after a start; it throws when it can't any more, such as during a stop.
   */
  live?(): AsyncIterable<DialogSnapshot>;
}
