/**
 * The response policy against sipp (Debian package sip-tester), which shares no code with us: one row, one server, one
 * client with short waits. What is planned is read where the answer is told; what comes next, on the wire.
 *
 * Rows fail when a status is moved to another row (policy/responses.ts) or a wait changes (policy/verdict.ts): tried.
 */
import { createPua, type Pua, type PuaHandle, type PuaRecord } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip, systemRandom } from '@pua/sip';
import { peersReady } from '@pua/testkit';
import { eventually } from '../kamailio/support/eventually';
import { type Transaction, Wire } from '../kamailio/support/wire';
import { CHANCE, type Next, POLICY, PUBLICATION, type Request, type Row, SECOND, SUBSCRIPTION } from './rows';
import type { Step } from './scenario';
import { Sipp } from './sipp';

type Method = 'PUBLISH' | 'SUBSCRIBE';

const LIFETIME = 3600;
/** RFC 3261 T1, milliseconds; where nobody answers, that is known after 64 of them. */
const T1 = { answered: 100, silent: 10 };

const accepting = (within: boolean): Step => ({
  status: 200,
  headers: [
    ['Expires', String(LIFETIME)],
    ['SIP-ETag', 'e1'],
  ],
  within,
});

/** What the first server says, request by request. */
function stepsOf(method: Method, { request, answer, next }: Row, second: number): Step[] {
  const inDialog = (which: Request) => method === 'SUBSCRIBE' && which !== 'initial';
  const refused: Step =
    answer === 'silence'
      ? answer
      : {
          ...answer,
          headers: (answer.headers ?? []).map(([name, value]) => [name, value.replace(SECOND, String(second))]),
          within: inDialog(request),
        };
  const after = accepting(next !== undefined && inDialog(next.request));
  return [...(request === 'initial' ? [] : [accepting(false)]), refused, after];
}

const nameOf = ({ request, answer, second, credentials, plan }: Row): string => {
  const status = answer === 'silence' ? answer : [answer.status, ...(answer.headers ?? []).map((h) => h.join(': '))];
  const what = typeof plan === 'string' ? plan : `in ${plan[0]}..${plan[1]} ms`;
  return `${request}: ${status}${second ? ', second hop' : ''}${credentials ? ', credentials' : ''}: ${what}`;
};

/** One owner with one record. */
class Owner {
  readonly wire = new Wire();
  /** The record as it was when a final answer had been dealt with. */
  readonly told: { readonly record: PuaRecord; readonly plannedMs: number }[] = [];
  readonly #pua: Pua;
  #body = 0;

  constructor(
    readonly method: Method,
    row: Row,
    proxies: readonly Sipp[],
  ) {
    const t1 = row.answer === 'silence' ? T1.silent : T1.answered;
    const random = { uniform: () => CHANCE, token: () => systemRandom.token() };
    const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], t1, random, bindDatagram: this.wire.bind });
    this.#pua = createPua({
      sip,
      outboundProxy: proxies.map(({ port }) => `sip:127.0.0.1:${port}`),
      policy: POLICY,
      credentials: row.credentials ? [{ realm: 'sipp', username: 'alice', password: 'secret' }] : [],
    });
    this.#pua.addEvent(presence);
    this.#pua.registerCallback(['RPC_PUBLISH', 'RPC_SUBSCRIBE'], (record) =>
      this.told.push({ record, plannedMs: record.nextAt * 1000 - Date.now() }),
    );
  }

  start(): Promise<void> {
    return this.#pua.start();
  }

  stop(): Promise<void> {
    return this.#pua.stop(0);
  }

  ask(request: Request): PuaHandle {
    const common = { presUri: 'sip:alice@example.com', event: 'presence' } as const;
    const expires = request === 'removal' ? 0 : LIFETIME;
    if (this.method === 'SUBSCRIBE') {
      const watcherUri = 'sip:watcher@example.com';
      return this.#pua.sendSubscribe({ ...common, watcherUri, sourceFlag: 'RPC_SUBSCRIBE', expires });
    }
    const body = `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:alice@example.com"><tuple id="t${++this.#body}"><status/></tuple></presence>`;
    const document = request === 'initial' || request === 'modify' ? { body } : {};
    return this.#pua.sendPublish({ ...common, ...document, sourceFlag: 'RPC_PUBLISH', expires });
  }

  has(key: string): boolean {
    return this.#pua.show(key) !== undefined;
  }

  /** The n-th request, counted from 0. */
  async sent(n: number): Promise<Transaction> {
    const all = await eventually(
      `request ${n + 1}`,
      () => this.wire.of(this.method),
      ({ length }) => length > n,
    );
    return all[n]!;
  }
}

function kindOf(method: Method, { ifMatch, expires, body, callId }: Transaction, dialog: string): Request {
  if (expires === '0') return 'removal';
  if (method === 'SUBSCRIBE') return callId === dialog ? 'refresh' : 'initial';
  if (ifMatch === '') return 'initial';
  return body === '' ? 'refresh' : 'modify';
}

function expectNext(method: Method, next: Next, before: Transaction, found: Transaction, second: Sipp): void {
  const { again = false, atSecond = false, authorized = false, expires } = next;
  // A request that is sent again is what it was.
  expect(again ? next.request : kindOf(method, found, before.callId)).toBe(next.request);
  expect([found.callId === before.callId, found.cseq - before.cseq === 1]).toEqual(
    again || (method === 'SUBSCRIBE' && next.request !== 'initial') ? [true, true] : [false, expect.any(Boolean)],
  );
  if (again) expect([found.body, found.expires]).toEqual([before.body, before.expires]);
  expect({ atSecond: found.port === second.port, authorized: found.authorized }).toEqual({ atSecond, authorized });
  if (expires !== undefined) expect(found.expires).toBe(String(expires));
}

async function play(method: Method, row: Row): Promise<void> {
  const { request, plan, next } = row;
  const base = request === 'initial' ? 0 : 1;
  const second = await Sipp.start(method, () => [accepting(false)]);
  const first = await Sipp.start(method, () => stepsOf(method, row, second.port));
  const owner = new Owner(method, row, row.second ? [first, second] : [first]);
  await owner.start();
  try {
    if (base > 0) expect(await owner.ask('initial').result).toMatchObject({ outcome: 'accepted' });
    const handle = owner.ask(request);
    const result = await handle.result;
    const refused = await owner.sent(base);
    const { record, plannedMs } = owner.told[base]!;
    if (plan === 'gone') expect([record.state, owner.has(handle.key)]).toEqual(['ended', false]);
    else if (plan === 'closing') expect([record.state, owner.has(handle.key)]).toEqual(['closing', true]);
    else if (plan === 'parked') {
      expect([record.state, record.nextAt === 0 || plannedMs > 600_000]).toEqual(['parked', true]);
      expect(result).toMatchObject({ outcome: 'rejected', retrying: false });
      // Nothing helps but a change.
      owner.ask(request);
    } else if (plan === 'at once') expect(result).toMatchObject({ outcome: 'accepted' });
    else {
      expect([record.state, result]).toEqual(['waiting', expect.objectContaining({ retrying: true })]);
      expect(plannedMs).toBeGreaterThan(plan[0] - 20);
      expect(plannedMs).toBeLessThan(plan[1] + 20);
    }
    if (next) expectNext(method, next, refused, await owner.sent(base + 1), second);
    // At once means that nobody has ever waited.
    if (plan === 'at once') expect(owner.told.every(({ record: { state } }) => state !== 'waiting')).toBe(true);
  } finally {
    await owner.stop();
    await Promise.all([first.stop(), second.stop()]);
  }
}

const ready = peersReady(['sipp']);

for (const [method, rows] of [
  ['PUBLISH', PUBLICATION],
  ['SUBSCRIBE', SUBSCRIPTION],
] as const) {
  (ready ? describe : describe.skip)(`${method}: what comes after an answer`, () => {
    test.concurrent.each(rows.map((row): [string, Row] => [nameOf(row), row]))(
      '%s',
      (_name, row) => play(method, row),
      30_000,
    );
  });
}
