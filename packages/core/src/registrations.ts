/** What modules have registered with a Pua besides events: callbacks, handlers, commands, document hooks. */
import type { Cause, Command, DocumentHook, NotifyHandler, PuaCallback, Reply, Source } from './api.js';
import { sourceFlag } from './arguments.js';
import { PuaError } from './errors.js';
import type { IncomingRequest } from './ports/sip.js';
import type { AnyRecord } from './record.js';

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

  constructor(readonly fault: (error: unknown, where: string) => void) {}

  addCallback(types: Source | readonly Source[], fn: PuaCallback, param: unknown): () => void {
    return added(this.#callbacks, { mask: maskOf(types), fn, param });
  }

  callBack(record: AnyRecord, cause: Cause, reply: Reply): void {
    for (const { mask, fn, param } of this.#callbacks) {
      if ((mask & record.identity.source) === 0) continue;
      try {
        fn(record.show(), reply, { cause, param });
      } catch (error) {
        this.fault(error, `callback for source ${record.identity.source}`);
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
    for (const name of [command.name, ...(command.aliases ?? [])]) {
      if (this.#commands.has(name)) throw new PuaError('PUA_ERR_ARGUMENT', `command ${name} is registered already`);
      this.#commands.set(name, command);
    }
  }

  command(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  commands(): readonly Command[] {
    return [...new Set(this.#commands.values())];
  }
}

function maskOf(types: Source | readonly Source[]): number {
  const list = Array.isArray(types) ? (types as readonly Source[]) : [types as Source];
  return list.reduce((mask: number, type) => mask | sourceFlag('types', type), 0);
}

function added<T>(set: Set<T>, entry: T): () => void {
  set.add(entry);
  return () => void set.delete(entry);
}
