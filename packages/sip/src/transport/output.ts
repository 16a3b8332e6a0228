/** What waits to leave on a connection, and who awaits an answer to what has left. */
import type { Sender } from './carrier.js';
import { BATCH_BYTES, MAX_OUTPUT_BYTES } from './limits.js';

interface Waiting {
  readonly message: Uint8Array;
  readonly sender: Sender;
}

export class Output {
  private queue: Waiting[] = [];
  private queuedBytes = 0;
  private readonly awaiting = new Set<Sender>();

  get isEmpty(): boolean {
    return this.queue.length === 0;
  }
  get bytes(): number {
    return this.queuedBytes;
  }

  /** False when too much waits already. */
  push(message: Uint8Array, sender: Sender): boolean {
    if (this.queuedBytes + message.length > MAX_OUTPUT_BYTES) return false;
    this.queue.push({ message, sender });
    this.queuedBytes += message.length;
    return true;
  }

  /** What leaves next, but for requests that have ended while they waited; may be nothing. */
  nextBatch(): Uint8Array[] {
    const batch: Uint8Array[] = [];
    let size = 0;
    let count = 0;
    for (; count < this.queue.length && size < BATCH_BYTES; count++) {
      const { message, sender } = this.queue[count]!;
      this.queuedBytes -= message.length;
      if (!sender.wanted) continue;
      if (sender.awaitsAnswer) this.awaiting.add(sender);
      batch.push(message);
      size += message.length;
    }
    this.queue = count === this.queue.length ? [] : this.queue.slice(count);
    return batch;
  }

  /** Nobody awaits that answer any more. */
  release(sender: Sender): void {
    this.awaiting.delete(sender);
  }

  /** The connection is lost. */
  fail(cause: Error): void {
    const { queue } = this;
    const left = [...this.awaiting];
    this.queue = [];
    this.queuedBytes = 0;
    this.awaiting.clear();
    for (const { sender } of queue) if (sender.wanted) sender.failed(cause, false);
    for (const sender of left) sender.failed(cause, true);
  }
}
