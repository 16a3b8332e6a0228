/** Event packages: what addEvent() takes, and the registry of a Pua. */
import { checkLine, isOneBit } from './arguments.js';
import { PuaError } from './errors.js';

/** Parameters that body processors go by. */
export interface ProcessParameters {
  /** `dlginfo_increase_version`: set the root version of dialog documents. */
  readonly dlginfoIncreaseVersion: boolean;
  /** `reginfo_increase_version`: the same for reg documents. */
  readonly reginfoIncreaseVersion: boolean;
}

export interface ProcessInput {
  readonly body: string;
  /** 0 for the first PUBLISH of a record, then +1. */
  readonly version: number;
  /** Id stored with the record; null when none is. */
  readonly tupleId: string | null;
  /** A new id when one is needed. */
  readonly newId: () => string;
  readonly parameters: ProcessParameters;
}

export interface ProcessOutput {
  readonly body: string;
  /** Stored with the record and handed in again. */
  readonly tupleId: string | null;
}

/** Body processor; throws PuaError `PUA_ERR_DOCUMENT` with its reason to fail the request. */
export type BodyProcessor = (input: ProcessInput) => ProcessOutput;

export interface EventDefinition {
  /** Value of the `Event` header, parameters included: `presence`, `dialog;sla`. */
  readonly name: string;
  /** One bit; stored in the database (spec: 1 presence .. 256 as-feature-event). */
  readonly flag: number;
  /** Absent for packages that are only subscribed to (winfo). */
  readonly contentType?: string;
  readonly process?: BodyProcessor;
  /** Value of the Accept header of a SUBSCRIBE; default: `contentType`. */
  readonly accept?: string;
  /** `first`: NOTIFYs of other forks get 481; `all`: each fork is a dialog of its own. Default `first`. */
  readonly forks?: 'first' | 'all';
  /** Other names for it in commands, not on the wire. */
  readonly aliases?: readonly string[];
}

/** Event header (RFC 6665 8.2.1): a package name and parameters. */
const EVENT = /^[\w.!%*+`'~-]+(?:\s*;\s*[\w.!%*+`'~-]+(?:\s*=\s*[\w.!%*+`'~-]+)?)*$/;

/** Package name of an Event header: `dialog;sla;id=3` is of the package `dialog` (RFC 6665 8.2.1). */
export function packageOf(event: string): string {
  const end = event.indexOf(';');
  return (end < 0 ? event : event.slice(0, end)).trim();
}

/** Value of the `id` parameter of an Event header. */
export function eventId(event: string): string | undefined {
  return /;\s*id\s*=\s*([^;\s]+)/i.exec(event)?.[1];
}

/** The events one Pua knows. Names are compared without case, as commands give them in many spellings. */
export class EventRegistry {
  readonly #byName = new Map<string, EventDefinition>();
  readonly #byFlag = new Map<number, EventDefinition>();
  readonly #packages = new Set<string>();

  /** Registering the same definition again is fine; another one under a used name or flag is an error. */
  add(event: EventDefinition): void {
    if (this.#byFlag.get(event.flag) === event) return;
    const names = [event.name, ...(event.aliases ?? [])];
    for (const name of names) {
      if (typeof name === 'string' && EVENT.test(name)) continue;
      throw new PuaError('PUA_ERR_ARGUMENT', `event ${JSON.stringify(name)}: must be a value of the Event header`);
    }
    if (!isOneBit(event.flag)) {
      const message = `event ${event.name}: the flag must be one bit up to 2^30, not ${event.flag}`;
      throw new PuaError('PUA_ERR_ARGUMENT', message);
    }
    if (event.contentType !== undefined) checkLine(`event ${event.name}: contentType`, event.contentType);
    if (event.accept !== undefined) checkLine(`event ${event.name}: accept`, event.accept, 1024);
    for (const known of [this.#byFlag.get(event.flag), ...names.map((name) => this.find(name))]) {
      if (!known) continue;
      throw new PuaError(
        'PUA_ERR_EVENT_CONFLICT',
        `event ${event.name} (flag ${event.flag}): another definition is registered as ${known.name} (flag ${known.flag})`,
      );
    }
    this.#byFlag.set(event.flag, event);
    for (const name of names) this.#byName.set(name.toLowerCase(), event);
    this.#packages.add(packageOf(event.name));
  }

  find(event: string | number): EventDefinition | undefined {
    return typeof event === 'number' ? this.#byFlag.get(event) : this.#byName.get(String(event).toLowerCase());
  }

  /** @throws PuaError `PUA_ERR_EVENT_UNKNOWN` */
  get(event: string | number): EventDefinition {
    const found = this.find(event);
    if (found) return found;
    const names = this.all().map((e) => e.name);
    throw new PuaError('PUA_ERR_EVENT_UNKNOWN', `unknown event ${event}; registered: ${names.join(', ') || 'none'}`);
  }

  /** Is it a package (byte for byte) that we support at all? */
  hasPackage(name: string): boolean {
    return this.#packages.has(name);
  }

  all(): readonly EventDefinition[] {
    return [...this.#byFlag.values()];
  }
}
