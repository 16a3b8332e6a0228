/** What modules have registered with a Pua besides events: callbacks, handlers, commands, routes, document hooks. */
import type { Cause, Command, DocumentHook, NotifyHandler, PuaCallback, Reply, Source } from './api.js';
import { sourceFlag } from './arguments.js';
import { PuaError } from './errors.js';
import { SourceFlag } from './flags.js';
import type { IncomingRequest } from './ports/sip.js';
import type { AnyRecord } from './record.js';
import type { HttpRoute } from './routes.js';

interface BySource<T> {
  readonly mask: number;
  readonly fn: T;
  readonly param: unknown;
}

export class Registrations {
  readonly #callbacks = new Set<BySource<PuaCallback>>();
  readonly #documentHooks = new Set<BySource<DocumentHook>>();
  readonly #notifyHandlers = new Map<string, Set<NotifyHandler>>();
  readonly #methods = new Map<string, (request: IncomingRequest) => void>();
  readonly #commands = new Map<string, Command>();
  readonly #routes = new Map<string, HttpRoute>();

  constructor(readonly fault: (error: unknown, where: string) => void) {}

  addCallback(types: Source | readonly Source[], fn: PuaCallback, param: unknown): () => void {
    return added(this.#callbacks, { mask: maskOf(types), fn, param });
  }

  callBack(record: AnyRecord, cause: Cause, reply: Reply): void {
    const { source } = record.identity;
    // Stored as XMPP_SUBSCRIBE, but the answers to its requests are told to who asked under the other name, too.
    const initial = source === SourceFlag.XMPP_SUBSCRIBE && cause === 'request' ? SourceFlag.XMPP_INITIAL_SUBS : 0;
    for (const { mask, fn, param } of this.#callbacks) {
      if ((mask & (source | initial)) === 0) continue;
      try {
        fn(record.show(), reply, { cause, param });
      } catch (error) {
        this.fault(error, `callback for source ${source}`);
      }
    }
  }

  addDocumentHook(types: Source | readonly Source[], fn: DocumentHook): () => void {
    return added(this.#documentHooks, { mask: maskOf(types), fn, param: undefined });
  }

  documentHooks(source: number): DocumentHook[] {
    return [...this.#documentHooks].filter(({ mask }) => (mask & source) !== 0).map(({ fn }) => fn);
  }

  addNotifyHandler(event: string, handler: NotifyHandler): () => void {
    const handlers = this.#notifyHandlers.get(event) ?? new Set();
    this.#notifyHandlers.set(event, handlers);
    return added(handlers, handler);
  }

  notifyHandlers(event: string): Iterable<NotifyHandler> {
    return this.#notifyHandlers.get(event) ?? [];
  }

  addMethod(method: string, handler: (request: IncomingRequest) => void): void {
    const name = method.toUpperCase();
    if (name === 'NOTIFY' || this.#methods.has(name)) {
      throw new PuaError('PUA_ERR_ARGUMENT', `handle(${name}): it has a handler already`);
    }
    this.#methods.set(name, handler);
  }

  method(name: string): ((request: IncomingRequest) => void) | undefined {
    return this.#methods.get(name);
  }

  addCommand(command: Command): void {
    const names = [command.name, ...(command.aliases ?? [])];
    const taken = names.find((name, index) => this.#commands.has(name) || names.indexOf(name) !== index);
    if (taken !== undefined) throw new PuaError('PUA_ERR_ARGUMENT', `command ${taken} is registered already`);
    for (const name of names) this.#commands.set(name, command);
  }

  command(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  commands(): readonly Command[] {
    return [...new Set(this.#commands.values())];
  }

  addRoute(route: HttpRoute): void {
    if (!/^(?:\/[\w.-]+)+$/.test(route.path)) {
      throw new PuaError(
        'PUA_ERR_ARGUMENT',
        `route ${JSON.stringify(route.path)}: must be a path such as /events/dialogs`,
      );
    }
    if (this.#routes.has(route.path)) {
      throw new PuaError('PUA_ERR_ARGUMENT', `route ${route.path} is registered already`);
    }
    this.#routes.set(route.path, route);
  }

  routes(): readonly HttpRoute[] {
    return [...this.#routes.values()];
  }
}

function maskOf(types: Source | readonly Source[]): number {
  const list = Array.isArray(types) ? (types as readonly Source[]) : [types as Source];
  if (list.length === 0) throw new PuaError('PUA_ERR_ARGUMENT', 'types: must name at least one source');
  return list.reduce((mask: number, type) => mask | sourceFlag('types', type), 0);
}

function added<T>(set: Set<T>, entry: T): () => void {
  set.add(entry);
  return () => void set.delete(entry);
}
