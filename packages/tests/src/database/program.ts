/** A PUA on the embedded engine and a database server, at work until it is told to rest, or killed. */
import { subscribe } from 'node:diagnostics_channel';
import { createPua, type OpenedStore, type PuaRow, type RowSource, type StorePort } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { openStore } from '@pua/store';
import type { Command, Said, Setup } from './protocol.js';

const STATUS_MS = 10;
/** Requests in flight above which no more work is made. */
const BUSY = 60;

const say = (said: Said): void => void process.send!(said);
const fault = (text: unknown): void =>
  say({ is: 'fault', text: text instanceof Error ? (text.stack ?? text.message) : String(text) });
process.on('uncaughtException', fault);
process.on('unhandledRejection', fault);
process.on('disconnect', () => process.exit(1));
subscribe('pua:fault', (message) => fault(JSON.stringify(message)));
subscribe('pua:store', (message) => {
  const { type } = message as { type: string };
  if (['rejected', 'badRow', 'leaseLost', 'listener'].includes(type)) fault(JSON.stringify(message));
});

const { databaseUrl, server, users } = JSON.parse(process.argv[2]!) as Setup;

/** Keeps who can tell the newest row of each record. */
class KnowingStore implements StorePort {
  readonly sources = new Map<string, RowSource>();
  opened: OpenedStore | null = null;
  readonly #store = openStore(databaseUrl, { writeDelayMs: 5, retryMs: [10, 100] });

  async open(): Promise<OpenedStore> {
    this.opened = await this.#store.open();
    return this.opened;
  }
  load: StorePort['load'] = (size, onPage) => this.#store.load(size, onPage);
  changed(source: RowSource): number {
    this.sources.set(source.key, source);
    return this.#store.changed(source);
  }
  status: StorePort['status'] = () => this.#store.status();
  onDurable: StorePort['onDurable'] = (listener) => this.#store.onDurable(listener);
  onLeaseLost: StorePort['onLeaseLost'] = (listener) => this.#store.onLeaseLost(listener);
  flush: StorePort['flush'] = () => this.#store.flush();
  close: StorePort['close'] = () => this.#store.close();

  rows(): PuaRow[] {
    return [...this.sources.values()].flatMap((source) => source.row() ?? []);
  }
}

const store = new KnowingStore();
const pua = createPua({
  sip: embeddedSip({ listen: ['udp:127.0.0.1:0'] }),
  store,
  outboundProxy: server,
  updatePeriod: 0,
});
pua.addEvent(presence);

let number = 0;
function act(): void {
  const user = `u${(number * 7919) % users}`;
  const presUri = `sip:${user}@example.com`;
  const turn = number++ % 10;
  if (turn < 8) {
    const body =
      `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${presUri}">` +
      `<tuple id="t"><status><basic>open</basic></status><note>${number}</note></tuple></presence>`;
    pua.sendPublish({ presUri, event: 'presence', sourceFlag: 'RPC_PUBLISH', body });
  } else if (turn === 8) {
    pua.sendPublish({ presUri, event: 'presence', sourceFlag: 'RPC_PUBLISH', expires: 0 });
  } else {
    const watcherUri = 'sip:watcher@example.com';
    pua.sendSubscribe({ presUri, watcherUri, event: 'presence', sourceFlag: 'RPC_SUBSCRIBE', expires: -1 });
  }
}

let work: NodeJS.Timeout | undefined;
const live = (): void => {
  work = setInterval(() => {
    for (let i = 0; i < 5 && pua.stats().inFlight < BUSY; i++) act();
  }, 1);
};

async function rest(): Promise<void> {
  clearInterval(work);
  for (;;) {
    const { inFlight, queued } = pua.stats();
    if (inFlight === 0 && queued === 0) break;
    await new Promise((resolve) => setTimeout(resolve, STATUS_MS));
  }
  await store.flush();
  say({ is: 'rows', rows: store.rows() });
}

function status(): void {
  const { requests } = pua.stats();
  const accepted = (requests['PUBLISH 200'] ?? 0) + (requests['SUBSCRIBE 200'] ?? 0);
  const { durable, error, last, pending } = store.status();
  say({ is: 'status', durable, last, pending, error: error?.message ?? null, accepted });
}

process.on('message', (command: Command) => (command === 'live' ? live() : void rest().catch(fault)));
pua
  .start()
  .then(() => {
    const records = [...pua.list()].map(({ key, etag, callId }) => ({ key, etag, callId }));
    say({ is: 'started', unclean: store.opened!.unclean, records });
    setInterval(status, STATUS_MS);
  })
  .catch(fault);
