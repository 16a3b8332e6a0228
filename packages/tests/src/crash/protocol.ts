/**
 * What the program that is to be killed says, one JSON object per line, and what it is told. Each line is written
 * before the program goes on (a blocking write), so what it says up to its death is exactly what it did.
 */

/** How the program is broken on purpose, so that the check shows that it can fail. */
export type Mutant =
  /** Changes are called durable before they are written. */
  | 'early-mark'
  /** The CSeqs of a stop that was not clean go on where the table left them. */
  | 'no-raise'
  /** Each PUBLISH is sent as two requests. */
  | 'twice';

/** First argument of the program, as JSON. */
export interface Setup {
  readonly database: string;
  /** Of the PUA, kept over all restarts of a run. */
  readonly port: number;
  readonly server: string;
  readonly mutant?: Mutant;
}

export type Wanted = { readonly user: string; readonly note: number | null; readonly subscribed: boolean };

export type Command =
  /** Start, and then work at random until killed. Notes of documents count up from `firstNote`. */
  | { readonly do: 'live'; readonly seed: number; readonly firstNote: number; readonly users: number }
  /** Start, then ask for just this, and nothing else. */
  | { readonly do: 'settle'; readonly wanted: readonly Wanted[] }
  | { readonly do: 'stop' };

/** The columns that say what a record is, of a row or of the state it is written from. */
export interface Snapshot {
  readonly etag: string;
  /** Of the document; empty for a subscription. */
  readonly note: string;
  readonly pending: number;
  /** End of the granted lifetime, seconds since 1970; 0: the server holds nothing. */
  readonly expires: number;
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  readonly cseq: number;
}

export type Deed = 'publish' | 'unpublish' | 'subscribe' | 'unsubscribe';

export type Line =
  /** Loaded, waits for its command. */
  | { readonly is: 'ready' }
  /** The PUA runs; these are the records it has read back. */
  | { readonly is: 'started'; readonly unclean: boolean; readonly records: readonly RestoredRecord[] }
  /** Said before it is done. */
  | { readonly is: 'deed'; readonly deed: Deed; readonly user: string; readonly note: number }
  /** Change `number` of the store; null: the record has ended. */
  | { readonly is: 'change'; readonly number: number; readonly key: string; readonly row: Snapshot | null }
  | { readonly is: 'durable'; readonly mark: number }
  | { readonly is: 'fault'; readonly text: string }
  | { readonly is: 'stopped' };

export type RestoredRecord = { readonly key: string } & Omit<Snapshot, 'pending' | 'expires'>;

export const PRESENTITY = (user: string): string => `sip:${user}@example.com`;
export const WATCHER = 'sip:watcher@example.com';

export const noteOf = (document: string | Uint8Array | null): string =>
  document === null ? '' : (/<note>([^<]*)</.exec(Buffer.from(document as string).toString())?.[1] ?? '');
