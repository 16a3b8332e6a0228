/** A PUA under a simulated clock and network, with webhooks behind mi on a real port. */
import { request as httpRequest } from 'node:http';
import {
  channels,
  createPua,
  type DialogEvent,
  type DialogSnapshot,
  type DialogState,
  type Pua,
  type PuaModule,
} from '@pua/core';
import { type MiOptions, mi } from '@pua/mi';
import { embeddedSip } from '@pua/sip';
import { type PresenceServer, SimClock, SimNetwork, SimRandom, simulatePresenceServer } from '@pua/testkit';

export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the answers are looked at, not relied on
  readonly json: any;
}

export interface Bench {
  readonly pua: Pua;
  readonly clock: SimClock;
  readonly server: PresenceServer;
  /** Simulated time stands still. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Simulated time runs until it is settled. */
  whileTimeRuns<T>(promise: Promise<T>): Promise<T>;
  stop(): Promise<void>;
}

export const START = Date.UTC(2026, 0, 31, 8);

/** The modules, then mi. */
export async function bench(modules: readonly PuaModule[], options: MiOptions = {}): Promise<Bench> {
  const clock = new SimClock({ wall: START });
  const random = new SimRandom(7);
  const network = new SimNetwork(clock, random);
  const { server, uri } = await simulatePresenceServer({ clock, random, network });
  const sip = embeddedSip({ listen: ['udp:10.0.0.1:5060'], clock, random, bindDatagram: network.bind });
  const pua = createPua({ sip, outboundProxy: uri, updatePeriod: 0 });
  const http = mi({ listen: '127.0.0.1:0', graceMs: 0, ...options });
  for (const module of [...modules, http]) pua.use(module);
  await pua.start();
  const { url } = http.address!;
  const whileTimeRuns = async <T>(promise: Promise<T>): Promise<T> => {
    let over = false;
    const end = () => {
      over = true;
    };
    promise.then(end, end);
    while (!over) await clock.advanceAsync(1);
    return promise;
  };
  return {
    pua,
    clock,
    server,
    post: (path, body, headers = {}) => post(url + path, body, headers),
    whileTimeRuns,
    stop: async () => {
      await whileTimeRuns(pua.stop(0));
      await whileTimeRuns(server.stop());
    },
  };
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const options = { method: 'POST', agent: false, headers: { 'Content-Type': 'application/json', ...headers } };
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString('utf8');
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text: answer,
          json: answer === '' ? undefined : JSON.parse(answer),
        });
      });
    });
    request.on('error', reject);
    request.end(text);
  });
}

/** Benches of one test file; all are stopped after each test. */
export function benches(): (modules: readonly PuaModule[], options?: MiOptions) => Promise<Bench> {
  const open: Bench[] = [];
  afterEach(async () => {
    for (const b of open.splice(0)) await b.stop();
  });
  return async (...given) => {
    const b = await bench(...given);
    open.push(b);
    return b;
  };
}

const KINDS = {
  trying: 'created',
  proceeding: 'early',
  early: 'early',
  confirmed: 'confirmed',
  terminated: 'terminated',
} as const;

/** An event of a call from room214 to the reception. */
export function call(state: DialogState, more: Partial<DialogSnapshot> = {}): DialogEvent {
  const caller = { uri: 'sip:room214@hotel.example', tag: '9k2mz' };
  const callee = { uri: 'sip:reception@hotel.example', tag: 'as55e1' };
  return {
    kind: KINDS[state],
    dialog: { key: 'call-1', callId: 'q8v1-77c0@198.51.100.9', caller, callee, state, ...more },
  };
}

/** Faults that are told while `run` runs. */
export async function faultsOf(run: () => Promise<void>): Promise<unknown[]> {
  const faults: unknown[] = [];
  const onFault = (fault: unknown) => void faults.push(fault);
  channels.fault.subscribe(onFault);
  await run();
  channels.fault.unsubscribe(onFault);
  return faults;
}

/** Turns of the event loop until it holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not seen within 5 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
