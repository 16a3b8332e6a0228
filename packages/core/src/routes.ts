/** HTTP routes that modules register and mi serves, behind its token, Host, Origin and size checks. */
import type { CommandContext } from './api.js';

export interface HttpAnswer {
  readonly status: number;
  /** Written as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpCall {
  /** The parsed JSON body. */
  readonly body: unknown;
  /** Request header fields, names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** `POST path` with `Content-Type: application/json`. */
export interface HttpRoute {
  /** `/events/dialogs` */
  readonly path: string;
  run(call: HttpCall, context: CommandContext): Promise<HttpAnswer> | HttpAnswer;
}
