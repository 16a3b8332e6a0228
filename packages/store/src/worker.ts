/** The worker that owns the database: one request at a time, the lease renewed in between. */
import { type MessagePort, parentPort } from 'node:worker_threads';
import { PuaError } from '@pua/core';
import { DIALECTS } from './dialects/index.js';
import { LeaseLost } from './lease-lost.js';
import { LeasedTable } from './leased-table.js';
import type { Opened, Operation, Operations, Report, Request, WireError } from './protocol.js';

class Server {
  private table: LeasedTable | null = null;
  private renewal: NodeJS.Timeout | undefined;
  /** One is waiting or under way: a database that hangs must not find a heap of them afterwards. */
  private renewing = false;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly port: MessagePort) {
    port.on('message', (request: Request) => this.enqueue(() => this.serve(request)));
  }

  private enqueue(work: () => Promise<void>): void {
    this.turn = this.turn.then(work);
  }

  private report(report: Report, handedOver: readonly ArrayBuffer[] = []): void {
    this.port.postMessage(report, handedOver);
  }

  private async serve(request: Request): Promise<void> {
    const { id } = request;
    try {
      const answer = await this.answer(request);
      this.report(
        { kind: 'done', id, answer },
        answer !== null && 'next' in answer ? [answer.rows.numbers.buffer] : [],
      );
    } catch (error) {
      this.report({ kind: 'failed', id, error: wired(error) });
      if (error instanceof LeaseLost) this.lost(error);
    }
  }

  private async answer(request: Request): Promise<Operations[Operation]['answer']> {
    if (request.operation === 'open') return this.open(request.ask);
    const table = this.table;
    if (table === null) throw new Error('the table is not open');
    switch (request.operation) {
      case 'page':
        return table.page(request.ask.after, request.ask.upTo, request.ask.limit);
      case 'write':
        return table.write(request.ask);
      case 'close':
        clearInterval(this.renewal);
        this.table = null;
        await table.close();
        return null;
    }
  }

  private async open({ settings, resume }: Operations['open']['ask']): Promise<Opened> {
    const { table, opened } = await LeasedTable.open(DIALECTS[settings.dialect], settings, resume);
    this.table = table;
    this.renewal = setInterval(() => this.planRenewal(), settings.leaseMs / 3);
    return opened;
  }

  private planRenewal(): void {
    if (this.renewing) return;
    this.renewing = true;
    this.enqueue(() => this.renew());
  }

  private async renew(): Promise<void> {
    try {
      await this.table?.renew();
    } catch (error) {
      // Any other failure: the next renewal, or the fence of the next write, decides.
      if (error instanceof LeaseLost) this.lost(error);
    }
    this.renewing = false;
  }

  private lost(error: LeaseLost): void {
    clearInterval(this.renewal);
    this.report({ kind: 'lost', holder: error.holder });
  }
}

function wired(error: unknown): WireError {
  return {
    code: error instanceof PuaError ? error.code : null,
    message: error instanceof Error ? error.message : String(error),
    lostTo: error instanceof LeaseLost ? error.holder : null,
  };
}

if (parentPort !== null) new Server(parentPort);
