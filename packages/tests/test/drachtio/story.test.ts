/** The main job over drachtio-srf: core, adapter, the double of drachtio-server, a presence server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPua, type Pua } from '@pua/core';
import { presence as presenceEvent } from '@pua/documents';
import { drachtioSip } from '@pua/drachtio';
import { openStore } from '@pua/store';
import { DrachtioServer, type StartedServer, startPresenceServer } from '@pua/testkit';

jest.setTimeout(20_000);

const ALICE = 'sip:alice@example.com';
const BOB = 'sip:bob@example.com';
/** Granted at most, seconds: refreshed after half of it. */
const SHORT = 2;
const CREDENTIALS = { username: 'bob', password: 'a secret' };

let presence: StartedServer;
let drachtio: DrachtioServer;
let folder: string;
let pua: Pua;
/** Notes of the documents that came in NOTIFYs. */
let notes: string[];

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 8_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`did not happen: ${what}; ${JSON.stringify(presence.server.stats())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function start(): Promise<void> {
  pua = createPua({
    sip: drachtioSip({ port: drachtio.port }),
    store: openStore(`sqlite:${join(folder, 'pua.db')}`),
    outboundProxy: presence.uri,
    credentials: [{ realm: '*', ...CREDENTIALS }],
    policy: { backoffBase: 100 },
  });
  pua.addEvent(presenceEvent);
  pua.onNotify(
    'presence',
    (notification) => void notes.push(/<note>(.*)<\/note>/.exec(notification.text())?.[1] ?? ''),
  );
  await pua.start();
}

const publish = (note: string) =>
  pua.sendPublish({
    presUri: ALICE,
    event: 'presence',
    sourceFlag: 'RPC_PUBLISH',
    expires: 600,
    body: `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${ALICE}"><tuple id="t"><status><basic>open</basic></status><note>${note}</note></tuple></presence>`,
  }).result;

const subscribe = (expires = 600) =>
  pua.sendSubscribe({ presUri: ALICE, watcherUri: BOB, event: 'presence', sourceFlag: 'RPC_SUBSCRIBE', expires })
    .result;

/** What is published now reaches us: everything is alive. */
async function heard(note: string): Promise<void> {
  expect(await publish(note)).toMatchObject({ outcome: 'accepted' });
  await until(`a NOTIFY with ${note}`, () => notes.includes(note));
}

const callIds = () => presence.server.subscriptions.map(({ callId }) => callId);

beforeEach(async () => {
  notes = [];
  folder = mkdtempSync(join(tmpdir(), 'pua-drachtio-test-'));
  drachtio = await DrachtioServer.start();
  presence = await startPresenceServer({ limits: { max: SHORT } });
  await start();
  expect(await publish('first')).toMatchObject({ outcome: 'accepted', status: 200 });
  expect(await subscribe()).toMatchObject({ outcome: 'accepted', status: 200 });
  await until('the first document', () => notes.includes('first'));
  await until('its NOTIFY is answered', () => presence.server.notifies.every(({ outcome }) => outcome === 200));
});
afterEach(async () => {
  await pua.stop(0);
  await drachtio.stop();
  await presence.server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('publish, refresh, be notified, un-publish, unsubscribe, with credentials', async () => {
  const { server } = presence;
  const [dialog] = callIds();
  server.requireDigest({ realm: 'example.com', users: { [CREDENTIALS.username]: CREDENTIALS.password } });
  await until('refreshes', () => server.count('PUBLISH', 200) >= 3 && server.count('SUBSCRIBE', 200) >= 3);
  expect(callIds()).toEqual([dialog]);
  expect(server.publications).toHaveLength(1);
  // A nonce serves many requests: from the second refresh on, each is one transaction.
  expect([server.count('PUBLISH', 401), server.count('SUBSCRIBE', 401)].sort()).toEqual([0, 1]);
  await heard('second');

  expect(await subscribe(0)).toMatchObject({ outcome: 'accepted' });
  expect(
    await pua.sendPublish({ presUri: ALICE, event: 'presence', sourceFlag: 'RPC_PUBLISH', expires: 0 }).result,
  ).toMatchObject({ outcome: 'accepted' });
  expect(server.publications).toHaveLength(0);
  expect(server.subscriptions).toHaveLength(0);
  await until('nothing is left', () => drachtio.dialogs === 0 && pua.stats().records.subscriptions === 0);
  expect(drachtio.leaks).toBe(0);
});

test('the link is cut and comes back: everything is alive again', async () => {
  const [dialog] = callIds();
  drachtio.cut();
  await until('another subscription', () => callIds().length === 1 && callIds()[0] !== dialog);
  await heard('after the cut');
  await until('the server has forgotten the old dialog', () => drachtio.dialogs === 1);
  expect(drachtio.leaks).toBe(0);
});

test('drachtio-server is away for longer than a lifetime, and has forgotten everything', async () => {
  const { port } = drachtio;
  await drachtio.hangUp();
  drachtio.forget();
  await until('all has run out', () => presence.server.publications.length === 0);
  await drachtio.listen(port);
  await until('all is back', () => presence.server.publications.length === 1 && callIds().length === 1);
  await heard('after the outage');
});

test('this process is replaced: the next one takes over what it finds in the table', async () => {
  const [dialog] = callIds();
  await pua.stop(0);
  await start();
  await until('another subscription', () => callIds().length === 1 && callIds()[0] !== dialog);
  await heard('after the restart');
  expect(presence.server.publications).toHaveLength(1);
  expect(drachtio.leaks).toBe(0);
});
