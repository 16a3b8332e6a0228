/** What the program under load and its test say to each other. */
import type { PuaRow } from '@pua/core';

export interface Setup {
  readonly databaseUrl: string;
  readonly server: string;
  readonly users: number;
}

/** `rest`: no more work; when all is answered and written, say the rows. */
export type Command = 'live' | 'rest';

export interface Record {
  readonly key: string;
  readonly etag: string;
  readonly callId: string;
}

export type Said =
  | { readonly is: 'started'; readonly unclean: boolean; readonly records: readonly Record[] }
  /** Now and then. */
  | {
      readonly is: 'status';
      readonly durable: number;
      readonly last: number;
      readonly pending: number;
      readonly error: string | null;
      /** 2xx to PUBLISH and SUBSCRIBE so far. */
      readonly accepted: number;
    }
  /** What is in memory. */
  | { readonly is: 'rows'; readonly rows: readonly PuaRow[] }
  | { readonly is: 'fault'; readonly text: string };
