/** Topic `pua:store` of node:diagnostics_channel: what the store does, for logs and metrics. */
import { channel } from 'node:diagnostics_channel';

export type StoreEvent =
  | { readonly type: 'opened'; readonly rows: number; readonly unclean: boolean }
  /** A group reached the disk; `ms` from packing to the acknowledgement. */
  | {
      readonly type: 'group';
      readonly records: number;
      readonly ms: number;
      readonly pending: number;
      readonly durable: number;
    }
  /** A group could not be written and will be tried again in `retryMs`. */
  | { readonly type: 'failure'; readonly error: Error; readonly pending: number; readonly retryMs: number }
  /** More records than `maxPending` wait; said once until the backlog has halved. */
  | { readonly type: 'backlog'; readonly pending: number }
  /** A record that can't be written, because of its own content; it was left out. */
  | { readonly type: 'rejected'; readonly key: string; readonly reason: string }
  /** A row that can't be read; it was left alone. */
  | { readonly type: 'badRow'; readonly id: number; readonly reason: string }
  /** A listener threw. */
  | { readonly type: 'listener'; readonly error: Error }
  | { readonly type: 'leaseLost'; readonly holder: string }
  | { readonly type: 'closed'; readonly clean: boolean };

const topic = channel('pua:store');

export function publish(event: StoreEvent): void {
  if (topic.hasSubscribers) topic.publish(event);
}

/** A listener that throws must not stop what called it. */
export function callAll<T>(listeners: readonly ((value: T) => void)[], value: T): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      publish({ type: 'listener', error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
}
