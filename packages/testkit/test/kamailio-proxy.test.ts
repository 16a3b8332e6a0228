/** The launched registrar and proxy: what it writes into its tables, copies and posts, and how it forks calls. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type KamailioProxyOptions,
  type LaunchedMariadb,
  launchKamailioProxy,
  launchMariadb,
  Phone,
  type PhoneOptions,
  peersReady,
  type WireMessage,
  WirePeer,
} from '@pua/testkit';

jest.setTimeout(30_000);

interface Post {
  readonly authorization: string | undefined;
  readonly event: { readonly kind: string; readonly dialog: Record<string, unknown> };
}

/** A web server that is busy at first. */
class WebServer {
  readonly posts: Post[] = [];
  refusals = 1;
  readonly #server: Server;
  #more: () => void = () => undefined;

  constructor() {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      if (this.refusals-- > 0) return void response.writeHead(503).end();
      this.posts.push({ authorization: request.headers.authorization, event: JSON.parse(body) });
      response.end('{}');
      this.#more();
    });
  }

  /** @param port 0: a free one */
  async start(port = 0): Promise<string> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events/dialogs`;
  }

  /** All posts up to the first of that kind. */
  async until(kind: string): Promise<Post[]> {
    await this.#see(() => this.posts.some(({ event }) => event.kind === kind));
    return this.posts.splice(0, this.posts.findIndex(({ event }) => event.kind === kind) + 1);
  }

  async take(count: number): Promise<Post[]> {
    await this.#see(() => this.posts.length >= count);
    return this.posts.splice(0, count);
  }

  async #see(there: () => boolean): Promise<void> {
    while (!there()) {
      await new Promise<void>((more) => {
        this.#more = more;
      });
    }
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('Kamailio as registrar and proxy', () => {
  let mariadb: LaunchedMariadb;
  beforeAll(async () => {
    mariadb = await launchMariadb();
  });
  afterAll(() => mariadb.stop());

  const opened: { stop(): Promise<void> }[] = [];
  const opening = <T extends { stop(): Promise<void> }>(thing: T): T => {
    opened.push(thing);
    return thing;
  };
  afterEach(async () => {
    for (const thing of opened.splice(0).reverse()) await thing.stop();
  });

  const launch = async (options: Omit<KamailioProxyOptions, 'mariadb'> = {}) =>
    opening(await launchKamailioProxy({ mariadb, ...options }));
  const phone = async (user: string, server: string, more: Partial<PhoneOptions> = {}) =>
    opening(await Phone.start({ aor: `sip:${user}@example.com`, server, ...more }));

  test.each([1, 3] as const)(
    'REGISTER is a row of location until it is taken back or runs out (db_mode %i)',
    async (usrlocMode) => {
      const kamailio = await launch({ usrlocMode });
      const alice = await phone('alice', kamailio.uri);
      const bob = await phone('bob', kamailio.uri);
      expect((await alice.register({ contactParams: ';q=0.5' })).status).toBe(200);
      expect((await bob.register({ expires: 1 })).status).toBe(200);
      const rows = await kamailio.waitForRows('location', ({ length }) => length === 2, 5000);
      expect(rows[0]).toMatchObject({ username: 'alice', domain: 'example.com', contact: alice.contact, q: 0.5 });
      expect(rows[0]!.ruid).toMatch(/^uloc-/);
      await kamailio.waitForRows('location', ({ length }) => length === 1, 10_000);
      expect((await alice.unregister()).status).toBe(200);
      await kamailio.waitForRows('location', ({ length }) => length === 0, 5000);
    },
  );

  test('with digest only the account of the AOR registers, and only then a copy goes to the tap', async () => {
    const tap = await WirePeer.open();
    opening({ stop: () => tap.close() });
    const { host, port } = tap.hop;
    const kamailio = await launch({ digest: true, tap: `sip:tap@${host}:${port}` });
    await kamailio.addSubscriber('alice', 'example.com', 'secret');
    const credentials = { username: 'alice', password: 'secret' };
    const bob = await phone('bob', kamailio.uri, { credentials });
    const alice = await phone('alice', kamailio.uri, { credentials });
    expect((await bob.register()).status).toBe(401);
    expect((await alice.register({ expires: 60 })).status).toBe(200);
    const copy = await tap.requests.take(({ method }) => method === 'REGISTER');
    expect(copy.headers.get('To')).toBe('<sip:alice@example.com>');
    expect(copy.headers.get('Contact')).toContain(alice.contact);
    expect(copy.headers.get('Authorization')).toBeUndefined();
    expect(tap.requests.size).toBe(0);
    expect(await kamailio.location()).toHaveLength(1);
  });

  test('a REGISTER that comes again because its 200 was lost is answered again, and copied once', async () => {
    const [tap, lossy] = [await WirePeer.open(), await WirePeer.open()];
    for (const peer of [tap, lossy]) opening({ stop: () => peer.close() });
    const kamailio = await launch({ tap: `sip:tap@${tap.hop.host}:${tap.hop.port}` });
    const register: WireMessage = {
      ...{ method: 'REGISTER', uri: `sip:registrar@127.0.0.1:${kamailio.port}`, callId: 'lossy' },
      ...{ to: '<sip:carol@example.com>', branch: 'z9hG4bKlossy', headers: ['Contact: <sip:carol@192.0.2.1>'] },
    };
    const branch = lossy.send(register);
    const first = await lossy.response(branch);
    const copy = await tap.requests.take(() => true);
    lossy.send(register);
    const again = await lossy.response(branch);
    expect([first.status, again.status]).toEqual([200, 200]);
    tap.answer(copy, 200);
    lossy.send({ ...register, cseq: 2, branch: 'z9hG4bKnext' });
    const next = await tap.requests.take(() => true);
    expect(next.cseq.number).toBe(2);
    expect(await kamailio.location()).toHaveLength(1);
  });

  test('a call is forked to all contacts, is a row of dialog once answered, and its states are posted in order', async () => {
    const web = opening(new WebServer());
    const kamailio = await launch({
      webhook: { url: await web.start(), token: 'secret' },
      // A dialog is removed with the transaction that ended it.
      modparams: [['tm', 'wt_timer', 500]],
    });
    const alice = await phone('alice', kamailio.uri, { display: 'Alice "A" é' });
    const bobs = [await phone('bob', kamailio.uri), await phone('bob', kamailio.uri)];
    for (const one of bobs) expect((await one.register()).status).toBe(200);
    const call = alice.call('sip:bob@example.com');
    const [first, second] = await Promise.all(bobs.map((bob) => bob.nextCall()));
    const posts = await web.take(3);
    second!.pickUp();
    await call.reaches('answered');
    await first!.reaches('ended');
    expect(first!.reason).toBe('cancelled');
    // 3 until the ACK is seen.
    const [row] = await kamailio.waitForRows('dialog', (rows) => rows.length === 1 && rows[0]!.state === 4, 5000);
    expect(row).toMatchObject({ callid: call.callId, from_uri: alice.aor, req_uri: 'sip:bob@example.com' });
    await second!.hangUp();
    await kamailio.waitForRows('dialog', ({ length }) => length === 0, 5000);

    posts.push(...(await web.until('terminated')));
    expect(new Set(posts.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret']));
    const key = `${row!.hash_entry}:${row!.hash_id}`;
    const caller = { uri: alice.aor, tag: call.localTag, contact: alice.contact };
    const common = { key, callId: call.callId };
    const callee = { uri: 'sip:bob@example.com' };
    const [ringing, answered] = [first!, second!].map(({ localTag }, i) => ({
      ...callee,
      tag: localTag,
      contact: bobs[i]!.contact,
    }));
    const early = (party: unknown) => ({
      kind: 'early',
      dialog: { ...common, state: 'early', caller, callee: party, lifetime: 180 },
    });
    const events = posts.map(({ event }) => event);
    expect(events[0]).toEqual({
      kind: 'created',
      dialog: {
        ...{ ...common, state: 'trying', requestUri: 'sip:bob@example.com', callee, lifetime: 180 },
        caller: { ...caller, display: 'Alice "A" é' },
      },
    });
    // The two may ring in any order.
    expect(events.slice(1, 3)).toEqual(expect.arrayContaining([early(ringing), early(answered)]));
    expect(events.slice(3)).toEqual([
      { kind: 'confirmed', dialog: { ...common, state: 'confirmed', caller, callee: answered, lifetime: 43_200 } },
      {
        kind: 'terminated',
        dialog: {
          ...{ ...common, state: 'terminated', caller },
          callee: { ...callee, tag: second!.localTag },
          reason: { event: 'bye', by: 'callee' },
        },
      },
    ]);
  });

  test('while the web server is away events wait; all come in their order when it is back', async () => {
    const web = opening(new WebServer());
    const url = await web.start();
    const kamailio = await launch({ webhook: { url } });
    const alice = await phone('alice', kamailio.uri);
    await web.stop();
    const callIds: string[] = [];
    for (let i = 0; i < 60; i++) {
      const call = alice.call('sip:nobody@example.com');
      await call.reaches('ended');
      callIds.push(call.callId);
    }
    await web.start(Number(new URL(url).port));
    const events = (await web.take(2 * callIds.length)).map(({ event }) => `${event.kind} ${event.dialog.callId}`);
    expect(events).toEqual(callIds.flatMap((callId) => [`created ${callId}`, `failed ${callId}`]));
    expect(kamailio.log()).not.toContain('runaway');
  });

  test('calls that are cancelled, rejected, to nobody, and too long', async () => {
    const web = opening(new WebServer());
    const kamailio = await launch({ webhook: { url: await web.start() }, callTimeout: 1 });
    const alice = await phone('alice', kamailio.uri);
    const bob = await phone('bob', kamailio.uri);
    await bob.register();

    const cancelled = alice.call(bob.aor);
    await bob.nextCall();
    await cancelled.reaches('ringing');
    cancelled.cancel();
    expect((await web.until('failed')).at(-1)!.event.dialog.reason).toEqual({
      ...{ event: 'cancelled', code: 487, by: 'caller' },
    });
    await cancelled.reaches('ended');

    const rejected = alice.call(bob.aor);
    (await bob.nextCall()).reject(486);
    await rejected.reaches('ended');
    expect((await web.until('failed')).at(-1)!.event.dialog.reason).toEqual({ event: 'rejected', code: 486 });

    const nobody = alice.call('sip:nobody@example.com', [['Privacy', 'header;id']]);
    await nobody.reaches('ended');
    expect(nobody.reason).toBe(404);
    const [created, failed] = await web.until('failed');
    expect(created!.event.dialog.privacy).toEqual({ caller: ['id'] });
    expect(failed!.event.dialog.reason).toEqual({ event: 'rejected', code: 404 });

    const long = alice.call(bob.aor);
    (await bob.nextCall()).pickUp();
    await long.reaches('answered');
    expect((await web.until('expired')).at(-1)!.event.dialog).toMatchObject({
      ...{ callId: long.callId, state: 'terminated', reason: { event: 'timeout' } },
    });
  });
});
