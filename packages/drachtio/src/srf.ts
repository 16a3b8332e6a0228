/** What of drachtio-srf 5 is used here, in the shapes that it really has; its own declarations describe little of it. */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

export interface SrfMessage {
  /** The message as text. */
  readonly raw: string;
}

/** A request that was sent. */
export interface SentRequest extends SrfMessage {
  on(event: 'response', listener: (response: SrfMessage & { readonly status: number }) => void): void;
}

export interface ReceivedRequest extends SrfMessage {
  readonly method: string;
  readonly protocol: string;
  readonly source_address: string;
  readonly source_port: number;
}

export interface SrfResponse {
  send(status: number, reason: string | undefined, options: { headers: Record<string, string> }): void;
}

/** One whose answer is listened to. */
export interface AnsweringResponse {
  send(status: number, ...rest: unknown[]): unknown;
  /** A field that has been set already. */
  get(name: string): string | undefined;
}

export interface RequestOptions {
  method: string;
  headers: Record<string, string>;
  body?: string;
  /** Next hop. */
  proxy?: string;
  /** The server's name of a dialog. */
  stackDialogId?: string;
}

export type Middleware = (request: ReceivedRequest, response: SrfResponse, next: () => void) => void;

/** Not part of its documented face; read and written in link.ts alone. */
export interface Agent {
  readonly isListening: boolean;
  readonly mapServer: ReadonlyMap<Socket, { readonly ready: boolean; readonly hostport: string }>;
  readonly wp: {
    closing?: boolean;
    readonly reconnectVars: { retryTimer: NodeJS.Timeout | null };
    on(event: 'connect', listener: (socket: Socket) => void): void;
  };
}

export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly reconnect: { maxAttempts: number; readonly retryMaxDelay: number };
}

export interface Srf extends EventEmitter {
  readonly app: { readonly client?: Agent };
  connect(options: ConnectOptions): void;
  disconnect(): void;
  use(method: string, middleware: Middleware): void;
  request(uri: string, options: RequestOptions, callback: (error: SrfError | null, sent: SentRequest) => void): void;
}

export interface SrfError extends Error {
  readonly code?: string;
}

/** A request in a dialog; `source` is `application` for one that drachtio-server itself has sent. */
export interface DialogRequest extends SrfMessage {
  readonly method: string;
  readonly source: string;
}

/** An INVITE dialog. */
export interface CallDialog {
  readonly sip: { readonly callId: string; readonly localTag: string; readonly remoteTag: string };
  /** The INVITE. */
  readonly req: SrfMessage & { readonly socket?: Socket };
  /** The 2xx, of a uac. */
  readonly res: SrfMessage;
  /** Not documented: where its requests come in. */
  handle(request: DialogRequest, ...rest: unknown[]): unknown;
  destroy(...given: unknown[]): unknown;
  request(options: { readonly method: string }, ...rest: unknown[]): unknown;
}
