/** The store's end of the worker: requests with their answers, and a new worker when one dies. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type OpenedStore, PuaError } from '@pua/core';
import { LeaseLost } from './lease-lost.js';
import type {
  Group,
  Operation,
  Operations,
  Page,
  Rejected,
  Report,
  Request,
  TableSettings,
  WireError,
} from './protocol.js';

/** What the store needs of a database, wherever it runs. */
export interface Backend {
  open(): Promise<OpenedStore>;
  page(after: number, upTo: number | null, limit: number): Promise<Page>;
  /**
   * Gives the records that can't be written; the others are on disk. Rejects with LeaseLost when another process has
   * the table; nothing is written then.
   */
  write(group: Group): Promise<readonly Rejected[]>;
  /** Gives the lease back, and ends. */
  close(): Promise<void>;
  /** Ends at once, as a crash would: whoever comes next counts the stop as unclean. */
  end(): Promise<void>;
  onLost(listener: (holder: string) => void): void;
}

interface Call {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

function unwired({ code, message, lostTo }: WireError): Error {
  if (lostTo !== null) return new LeaseLost(lostTo);
  return code === null ? new Error(message) : new PuaError(code, message);
}

export class WorkerBackend implements Backend {
  private worker: Worker | null = null;
  private readonly calls = new Map<number, Call>();
  private nextId = 1;
  private fence: number | null = null;
  private lost: (holder: string) => void = () => {};

  constructor(private readonly settings: TableSettings) {}

  onLost(listener: (holder: string) => void): void {
    this.lost = listener;
  }

  async open(): Promise<OpenedStore> {
    this.spawn();
    try {
      const { rows, unclean, fence } = await this.call('open', { settings: this.settings, resume: null });
      this.fence = fence;
      return { rows, unclean };
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  async page(after: number, upTo: number | null, limit: number): Promise<Page> {
    await this.ready();
    return this.call('page', { after, upTo, limit });
  }

  async write(group: Group): Promise<readonly Rejected[]> {
    await this.ready();
    return this.call('write', group, [group.upserts.numbers.buffer]);
  }

  async close(): Promise<void> {
    await this.ready();
    await this.call('close', null);
    await this.end();
  }

  async end(): Promise<void> {
    this.fence = null;
    await this.worker?.terminate();
  }

  /** If the worker died (out of memory), a new one goes on with the same lease, if nobody has taken it. */
  private async ready(): Promise<void> {
    if (this.worker !== null || this.fence === null) return;
    const worker = this.spawn();
    try {
      await this.call('open', { settings: this.settings, resume: this.fence });
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  private spawn(): Worker {
    const worker = new Worker(join(__dirname, 'worker.js'), { name: 'pua-store' });
    this.worker = worker;
    worker.on('message', (report: Report) => this.take(report));
    let reason = new Error('the storage worker ended');
    worker.on('error', (error) => {
      reason = new Error(`the storage worker failed: ${error.message}`, { cause: error });
    });
    worker.on('exit', () => {
      if (this.worker === worker) this.worker = null;
      for (const call of this.calls.values()) call.reject(reason);
      this.calls.clear();
    });
    return worker;
  }

  private call<O extends Operation>(
    operation: O,
    ask: Operations[O]['ask'],
    handedOver: readonly ArrayBuffer[] = [],
  ): Promise<Operations[O]['answer']> {
    const { worker } = this;
    if (worker === null) return Promise.reject(new Error('the storage worker has ended'));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      worker.postMessage({ id, operation, ask } as Request, handedOver);
      this.calls.set(id, { resolve: resolve as (answer: unknown) => void, reject });
    });
  }

  private take(report: Report): void {
    if (report.kind === 'lost') {
      this.lost(report.holder);
      return;
    }
    const call = this.calls.get(report.id);
    this.calls.delete(report.id);
    if (report.kind === 'done') call?.resolve(report.answer);
    else call?.reject(unwired(report.error));
  }
}
