/** What waits to leave on a connection, and who awaits an answer to what has left. */
import type { Sender } from './carrier.js';
import { BATCH_BYTES, MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES_IN_ALL } from './limits.js';

interface Waiting {
  readonly message: Uint8Array;
  readonly sender: Sender;
}

/** What waits on all connections together. */
export class Backlog {
  bytes = 0;
}

export class Output {
  private queue: Waiting[] = [];
  private queuedBytes = 0;
  private readonly awaiting = new Set<Sender>();

  constructor(private readonly all: Backlog) {}

  get isEmpty(): boolean {
    return this.queue.length === 0;
  }
  get bytes(): number {
    return this.queuedBytes;
  }

  /** False when too much waits already. */
  push(message: Uint8Array, sender: Sender): boolean {
    const size = message.length;
    if (this.queuedBytes + size > MAX_OUTPUT_BYTES || this.all.bytes + size > MAX_OUTPUT_BYTES_IN_ALL) return false;
    this.queue.push({ message, sender });
    this.count(size);
    return true;
  }

  /** What leaves next, but for requests that have ended while they waited; may be nothing. */
  nextBatch(): Uint8Array[] {
    const batch: Uint8Array[] = [];
    let size = 0;
    let count = 0;
    for (; count < this.queue.length && size < BATCH_BYTES; count++) {
      const { message, sender } = this.queue[count]!;
      this.count(-message.length);
      if (!sender.wanted) continue;
      if (sender.awaitsAnswer) this.awaiting.add(sender);
      batch.push(message);
      size += message.length;
    }
    this.queue = count === this.queue.length ? [] : this.queue.slice(count);
    return batch;
  }

  /** Nobody awaits that answer any more. Returns whether the message has left. */
  release(sender: Sender): boolean {
    return this.awaiting.delete(sender);
  }

  /** The connection is lost. */
  fail(cause: Error): void {
    const { queue } = this;
    const left = [...this.awaiting];
    this.queue = [];
    this.count(-this.queuedBytes);
    this.awaiting.clear();
    for (const { sender } of queue) if (sender.wanted) sender.failed(cause, false);
    for (const sender of left) sender.failed(cause, true);
  }

  private count(change: number): void {
    this.queuedBytes += change;
    this.all.bytes += change;
  }
}
