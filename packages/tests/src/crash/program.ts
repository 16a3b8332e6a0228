/**
 * The program that crash tests kill: a PUA on the embedded engine and a SQLite file, which waits for its command, then
 * lives or settles, and says what it does (protocol.ts). It ends by itself when its standard input ends.
 */
import { subscribe } from 'node:diagnostics_channel';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createPua, type Pua, type PuaRecord, type SipPort } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { openStore } from '@pua/store';
import { type Command, type Deed, type Line, noteOf, PRESENTITY, type Setup, WATCHER } from './protocol.js';
import { TalkingStore } from './talking-store.js';

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Returns when the line is out of this process: Node may have made the descriptor one that does not block. */
function say(line: Line): void {
  let bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(1, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(cell, 0, 0, 1);
    }
  }
}

const fault = (text: unknown): void =>
  say({ is: 'fault', text: text instanceof Error ? (text.stack ?? text.message) : String(text) });
process.on('uncaughtException', fault);
process.on('unhandledRejection', fault);
subscribe('pua:fault', (message) => {
  const { where, error } = message as { where: string; error: unknown };
  fault(`${where}: ${error}`);
});
subscribe('pua:store', (message) => {
  const event = message as { type: string; error?: Error };
  if (event.type === 'failure' || event.type === 'rejected' || event.type === 'leaseLost')
    fault(`store: ${JSON.stringify(message)} ${event.error?.message ?? ''}`);
});

const setup = JSON.parse(process.argv[2]!) as Setup;
const sip = embeddedSip({ listen: [`udp:127.0.0.1:${setup.port}`] });
const store = new TalkingStore(openStore(`sqlite:${setup.database}`), say, setup.mutant);
const pua = createPua({
  sip: setup.mutant === 'twice' ? twice(sip) : sip,
  store,
  outboundProxy: setup.server,
  updatePeriod: 0,
});
pua.addEvent(presence);

function twice(port: SipPort): SipPort {
  const request: SipPort['request'] = (outgoing, done) => {
    port.request(outgoing, done);
    if (outgoing.method === 'PUBLISH') port.request({ ...outgoing, callId: port.random.token() }, () => undefined);
  };
  return new Proxy(port, { get: (target, name) => (name === 'request' ? request : Reflect.get(target, name, target)) });
}

const restored = ({ key, etag, body, callId, fromTag, toTag, cseq }: PuaRecord) => ({
  key,
  etag,
  note: noteOf(body),
  callId,
  fromTag,
  toTag,
  cseq,
});

async function start(): Promise<Pua> {
  await pua.start();
  say({ is: 'started', unclean: store.unclean, records: [...pua.list()].map(restored) });
  return pua;
}

function act(deed: Deed, user: string, note: number): void {
  say({ is: 'deed', deed, user, note });
  const presUri = PRESENTITY(user);
  if (deed === 'publish' || deed === 'unpublish') {
    const body =
      `<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${presUri}">` +
      `<tuple><status><basic>open</basic></status><note>${note}</note></tuple></presence>`;
    const publish = { presUri, event: 'presence', sourceFlag: 'RPC_PUBLISH' } as const;
    pua.sendPublish(deed === 'publish' ? { ...publish, body } : { ...publish, expires: 0 });
  } else {
    const expires = deed === 'subscribe' ? -1 : 0;
    pua.sendSubscribe({ presUri, watcherUri: WATCHER, event: 'presence', sourceFlag: 'RPC_SUBSCRIBE', expires });
  }
}

/** Repeatable chance (mulberry32), integers below `limit`. */
function chance(seed: number): (limit: number) => number {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) % limit;
  };
}

/** Requests in flight and waiting to be written above which no more work is made. */
const BUSY = 80;
const DEEDS: readonly Deed[] = ['publish', 'publish', 'publish', 'unpublish', 'subscribe', 'subscribe', 'unsubscribe'];

function live({ seed, firstNote, users }: Extract<Command, { do: 'live' }>): void {
  const below = chance(seed);
  let note = firstNote;
  setInterval(() => {
    if (pua.stats().inFlight > BUSY) return;
    for (let left = below(6); left > 0; left--) act(DEEDS[below(DEEDS.length)]!, `u${below(users)}`, note++);
  }, 2);
}

function settle({ wanted }: Extract<Command, { do: 'settle' }>): void {
  for (const { user, note, subscribed } of wanted) {
    act(note === null ? 'unpublish' : 'publish', user, note ?? 0);
    act(subscribed ? 'subscribe' : 'unsubscribe', user, 0);
  }
}

async function obey(command: Command): Promise<void> {
  if (command.do === 'stop') {
    await pua.stop();
    say({ is: 'stopped' });
    process.exit(0);
  }
  await start();
  if (command.do === 'live') live(command);
  else settle(command);
}

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => void obey(JSON.parse(line) as Command).catch(fault));
commands.on('close', () => process.exit(1));
say({ is: 'ready' });
