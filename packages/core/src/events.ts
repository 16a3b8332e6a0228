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
  /** Of the record's documents that have been sent: 0 for the first, then +1. */
  readonly version: number;
  /** Id stored with the record; null when none is. */
  readonly tupleId: string | null;
  /** A new id when one is needed. */
  readonly newId: () => string;
  readonly parameters: ProcessParameters;
  /** Whose document it is. */
  readonly sourceFlag: number;
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
  /**
   * One bit, in the database's column `event` (1 presence .. 256 as-feature-event, see EventFlag). Absent: a free one is
   * assigned, which may be another one in the next run; what tells the event is its name.
   */
  readonly flag?: number;
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

/** A definition as a Pua has it. */
export interface RegisteredEvent extends EventDefinition {
  readonly flag: number;
  /** What stands for it in record keys, the same in every run: its own flag, or its name. */
  readonly keyPart: number | string;
}

/** Above those that are spoken for. */
const FIRST_FREE_FLAG = 512;

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
  readonly #given = new Set<EventDefinition>();
  readonly #byName = new Map<string, RegisteredEvent>();
  readonly #byFlag = new Map<number, RegisteredEvent>();
  readonly #packages = new Set<string>();

  /** Registering the same definition again is fine; another one under a used name or flag is an error. */
  add(event: EventDefinition): void {
    if (this.#given.has(event)) return;
    const names = [event.name, ...(event.aliases ?? [])];
    for (const name of names) {
      if (typeof name === 'string' && EVENT.test(name)) continue;
      throw new PuaError('PUA_ERR_ARGUMENT', `event ${JSON.stringify(name)}: must be a value of the Event header`);
    }
    const flag = event.flag ?? this.#freeFlag(event.name);
    if (!isOneBit(flag)) {
      throw new PuaError('PUA_ERR_ARGUMENT', `event ${event.name}: the flag must be one bit up to 2^30, not ${flag}`);
    }
    if (event.contentType !== undefined) checkLine(`event ${event.name}: contentType`, event.contentType);
    if (event.accept !== undefined) checkLine(`event ${event.name}: accept`, event.accept, 1024);
    for (const known of [this.#byFlag.get(flag), ...names.map((name) => this.find(name))]) {
      if (!known) continue;
      throw new PuaError(
        'PUA_ERR_EVENT_CONFLICT',
        `event ${event.name} (flag ${flag}): another definition is registered as ${known.name} (flag ${known.flag})`,
      );
    }
    const registered: RegisteredEvent = { ...event, flag, keyPart: event.flag ?? event.name.toLowerCase() };
    this.#given.add(event);
    this.#byFlag.set(flag, registered);
    for (const name of names) this.#byName.set(name.toLowerCase(), registered);
    this.#packages.add(packageOf(event.name));
  }

  #freeFlag(name: string): number {
    for (let flag = FIRST_FREE_FLAG; flag <= 2 ** 30; flag *= 2) if (!this.#byFlag.has(flag)) return flag;
    throw new PuaError('PUA_ERR_EVENT_CONFLICT', `event ${name}: all flags are taken`);
  }

  find(event: string | number): RegisteredEvent | undefined {
    return typeof event === 'number' ? this.#byFlag.get(event) : this.#byName.get(String(event).toLowerCase());
  }

  /** @throws PuaError `PUA_ERR_EVENT_UNKNOWN` */
  get(event: string | number): RegisteredEvent {
    const found = this.find(event);
    if (found) return found;
    const names = this.all().map((e) => e.name);
    throw new PuaError('PUA_ERR_EVENT_UNKNOWN', `unknown event ${event}; registered: ${names.join(', ') || 'none'}`);
  }

  /** Is it a package (byte for byte) that we support at all? */
  hasPackage(name: string): boolean {
    return this.#packages.has(name);
  }

  all(): readonly RegisteredEvent[] {
    return [...this.#byFlag.values()];
  }
}
