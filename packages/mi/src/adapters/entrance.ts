/** What every POST goes through before anything is done for it, and how it is bounded while it is. */
import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import type { CommandContext } from '@pua/core';
import { Fault } from '../faults.js';
import { nameGuard } from '../listen.js';
import type { Settings } from '../options.js';
import type { Gate } from '../waiting.js';
import { readBody } from './body.js';
import { type Guard, namesGuard, tokenGuard } from './guard.js';
import { overload, parseJson } from './jsonrpc.js';

export class Entrance {
  /** Host and Origin. */
  readonly #names: Guard;
  readonly #token: Guard;

  constructor(
    private readonly settings: Settings,
    private readonly gate: Gate,
    /** Aborted when calls in progress are to end. */
    private readonly stopping: AbortSignal,
  ) {
    this.#names = namesGuard(nameGuard(settings.listen, settings.hosts));
    this.#token = tokenGuard(settings.token);
    // Every call in progress listens to it; how many there may be, the gate says.
    setMaxListeners(0, stopping);
  }

  /** Fault `forbidden`: reached by a name that is none of ours. */
  misnamed({ headers }: IncomingMessage): Fault | undefined {
    return this.#names(headers);
  }

  /**
   * Hands the parsed body on, with a signal that ends the wait when the client has gone or the server stops.
   * @throws Fault in this order: Host, Origin 403, token 401, media type 415, too many calls 429, too large 413, not JSON
   * 400; and what `run` throws
   */
  async admit<T>(
    { incoming, outgoing }: HttpBindings,
    run: (body: unknown, context: CommandContext & { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const refused = this.misnamed(incoming) ?? this.#token(incoming.headers) ?? mediaType(incoming);
    if (refused) throw refused;
    if (!this.gate.enter()) throw overload();
    const gone = new AbortController();
    const onGone = () => gone.abort();
    outgoing.once('close', onGone);
    this.stopping.addEventListener('abort', onGone);
    try {
      const { signal } = gone;
      // Those of a batch share it.
      setMaxListeners(0, signal);
      const body = parseJson(await readBody(incoming, this.settings.maxBodyBytes));
      const client = incoming.socket.remoteAddress;
      return await run(body, { signal, ...(client ? { client } : {}) });
    } finally {
      outgoing.off('close', onGone);
      this.stopping.removeEventListener('abort', onGone);
      this.gate.leave();
    }
  }
}

/** Header fields that a refusal comes with. */
export function headersOf({ fault }: Fault): Readonly<Record<string, string>> {
  switch (fault) {
    case 'unauthorized':
      return { 'WWW-Authenticate': 'Bearer' };
    case 'overload':
      return { 'Retry-After': '1' };
    case 'method-not-allowed':
      return { Allow: 'POST' };
    case 'too-large':
      // The rest of the body is not read.
      return { Connection: 'close' };
    default:
      return {};
  }
}

/** Only what a page of another site can't send without asking first. */
function mediaType({ headers }: IncomingMessage): Fault | undefined {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  return type === 'application/json' ? undefined : new Fault('media-type', 'Content-Type: must be application/json');
}
