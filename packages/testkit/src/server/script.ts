import type { Headers } from '@pua/core';
import { addressOfRecord, eventKey } from '../sip/headers.js';
import type { RequestRecord } from './record.js';

/** Which requests a rule is for: a function, or values that must all be met (usable over JSON). */
export type RequestMatch =
  | ((request: RequestRecord) => boolean)
  | {
      /** Presentity, compared by user and host. */
      readonly uri?: string;
      /** Event without `id`. */
      readonly event?: string;
      /** true: without SIP-If-Match and without To tag. */
      readonly initial?: boolean;
    };

export interface Rule {
  /** Default: any. */
  readonly method?: string;
  /** How many requests it is for. Default 1; Infinity until cancelled. */
  readonly times?: number;
  readonly where?: RequestMatch;
}

/** Answers instead of the server: nothing is stored or changed. */
export interface AnswerRule extends Rule {
  /** 200..699 */
  readonly status: number;
  readonly reason?: string;
  readonly headers?: Headers;
}

/** Changes the server's own 2xx. */
export interface Shape {
  /** Another 2xx, such as 202. */
  readonly status?: number;
  /** Header fields left out, such as `SIP-ETag`, `Expires`. */
  readonly omit?: readonly string[];
  /** Granted lifetime in seconds, whatever the limits say. */
  readonly grant?: number;
  readonly headers?: Headers;
  /** SUBSCRIBE: the NOTIFY goes first, the 2xx when it was answered, or after 500 ms. */
  readonly notifyFirst?: boolean;
}

export interface ShapeRule extends Rule, Shape {}

/** A rule at work. */
export interface ScriptHandle {
  /** Requests it is still for. */
  readonly remaining: number;
  cancel(): void;
}

class Entry<R extends Rule> implements ScriptHandle {
  remaining: number;
  constructor(readonly rule: R) {
    this.remaining = rule.times ?? 1;
  }
  cancel(): void {
    this.remaining = 0;
  }
}

function matches({ method, where }: Rule, request: RequestRecord): boolean {
  if (method !== undefined && method !== request.method) return false;
  if (where === undefined) return true;
  if (typeof where === 'function') return where(request);
  const { uri, event, initial } = where;
  if (uri !== undefined && addressOfRecord(uri) !== addressOfRecord(request.uri)) return false;
  if (event !== undefined && eventKey(event) !== eventKey(request.headers.get('Event'))) return false;
  return initial === undefined || initial === isInitial(request);
}

function isInitial({ headers }: RequestRecord): boolean {
  return headers.get('SIP-If-Match') === undefined && !/;\s*tag\s*=/i.test(headers.get('To') ?? '');
}

/** The oldest rule that is for a request comes first. */
class Rules<R extends Rule> {
  #entries: Entry<R>[] = [];

  add(rule: R): ScriptHandle {
    if (rule.times !== undefined && !(rule.times >= 1)) {
      throw new RangeError(`times must be 1 or more, not ${rule.times}`);
    }
    const entry = new Entry(rule);
    this.#entries.push(entry);
    return entry;
  }

  find(request: RequestRecord): Entry<R> | undefined {
    if (this.#entries.length === 0) return undefined;
    this.#entries = this.#entries.filter((entry) => entry.remaining > 0);
    return this.#entries.find((entry) => matches(entry.rule, request));
  }

  clear(): void {
    for (const entry of this.#entries) entry.cancel();
    this.#entries = [];
  }
}

export type Interception = { readonly ignore: true } | AnswerRule;

/** What a test has told the server to do with requests to come. */
export class Script {
  readonly #interceptions = new Rules<Rule & { action: Interception }>();
  readonly #shapes = new Rules<ShapeRule>();

  answerNext(rule: AnswerRule): ScriptHandle {
    if (!(rule.status >= 200 && rule.status <= 699)) {
      throw new RangeError(`answerNext: status is a final one, 200..699, not ${rule.status}`);
    }
    return this.#interceptions.add({ ...rule, action: rule });
  }

  ignoreNext(rule: Rule): ScriptHandle {
    return this.#interceptions.add({ ...rule, action: { ignore: true } });
  }

  shapeNext(rule: ShapeRule): ScriptHandle {
    return this.#shapes.add(rule);
  }

  /** What to do instead of the server's own processing; uses the rule up by one. */
  intercept(request: RequestRecord): Interception | undefined {
    const entry = this.#interceptions.find(request);
    if (!entry) return undefined;
    entry.remaining--;
    return entry.rule.action;
  }

  /** The shape of a 2xx to this request; `used` is to be called when there is one. */
  shape(request: RequestRecord): { readonly shape: Shape; used(): void } | undefined {
    const entry = this.#shapes.find(request);
    return entry && { shape: entry.rule, used: () => entry.remaining-- };
  }

  clear(): void {
    this.#interceptions.clear();
    this.#shapes.clear();
  }
}
