/** A source that runs, what it tells, and rows as Kamailio writes them. */
import { type Clock, channels, type PuaApi, type PuaModule } from '@pua/core';
import { systemClock } from '@pua/sip';

const DEADLINE_MS = 10_000;

/** Events, or faults, in their order; a test takes those it waits for. */
export class Inbox<E> {
  readonly items: E[] = [];
  #more: () => void = () => undefined;

  put = (item: E): void => {
    this.items.push(item);
    this.#more();
  };

  /** Takes the next `count`. */
  async take(count = 1): Promise<E[]> {
    while (this.items.length < count) {
      await new Promise<void>((more, fail) => {
        const late = setTimeout(() => fail(new Error(`only ${JSON.stringify(this.items)} came`)), DEADLINE_MS);
        this.#more = () => {
          clearTimeout(late);
          more();
        };
      });
    }
    return this.items.splice(0, count);
  }
}

export interface Fault {
  readonly where: string;
  readonly error: Error;
}

/** Faults until `off()`. */
export function faults(): { readonly inbox: Inbox<Fault>; off(): void } {
  const inbox = new Inbox<Fault>();
  const listener = (message: unknown) => inbox.put(message as Fault);
  channels.fault.subscribe(listener);
  return { inbox, off: () => void channels.fault.unsubscribe(listener) };
}

interface Source<E> extends PuaModule {
  onEvent(listener: (event: E) => void): () => void;
}

/** Set up and started as a Pua does it. */
export async function run<E>(source: Source<E>, clock: Clock = systemClock): Promise<Inbox<E>> {
  const inbox = new Inbox<E>();
  source.onEvent(inbox.put);
  source.setup({ clock } as PuaApi);
  await source.start!();
  return inbox;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000);

let rows = 0;

/**
 * A row of `location`.
 * @param time as Kamailio writes it
 */
export function contact(
  time: (seconds: number) => unknown,
  more: Record<string, unknown> & { lifetime?: number } = {},
): Record<string, unknown> {
  const { lifetime = 3600, ...columns } = more;
  const n = ++rows;
  return {
    ruid: `uloc-${n}`,
    username: `user${n}`,
    domain: 'example.com',
    contact: `sip:user${n}@192.0.2.1:5060`,
    expires: time(now() + lifetime),
    q: -1,
    callid: `call-${n}`,
    cseq: 1,
    last_modified: time(now()),
    ...{ user_agent: 'n/a', cflags: 0, reg_id: 0 },
    ...columns,
  };
}

/** A row of `dialog`. */
export function dialog(more: Record<string, unknown> = {}) {
  const n = ++rows;
  return {
    hash_entry: 7,
    hash_id: n,
    callid: `call-${n}`,
    from_uri: 'sip:alice@example.com',
    from_tag: 'a',
    to_uri: 'sip:bob@example.com',
    to_tag: 'b',
    caller_cseq: '1',
    callee_cseq: '0',
    caller_contact: 'sip:alice@192.0.2.1',
    callee_contact: 'sip:bob@192.0.2.2',
    caller_sock: 'udp:192.0.2.9:5060',
    callee_sock: 'udp:192.0.2.9:5060',
    state: 4,
    start_time: now(),
    timeout: now() + 3600,
    ...{ sflags: 0, req_uri: 'sip:bob@example.com' },
    ...more,
  };
}
