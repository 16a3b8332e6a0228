/** The configurations of docs/kamailio.md, run one after the other beside a real Kamailio. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedSip } from '@pua/sip';
import {
  type LaunchedKamailioProxy,
  launchKamailioProxy,
  launchMariadb,
  Phone,
  type PhoneOptions,
  peersReady,
  startPresenceServer,
  Watcher,
} from '@pua/testkit';
import { Lamp } from '../circle/support/lamp';
import { Program } from '../kamailio/support/program';

jest.setTimeout(60_000);

const doc = readFileSync(join(__dirname, '../../../../docs/kamailio.md'), 'utf8');
const [wire, tables, both, own] = [...doc.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text]) => text!);
const DATABASE = /mysql:\/\/reader:\$\{DB_PASSWORD\}@192\.0\.2\.10\/kamailio/g;

(peersReady(['mariadb', 'kamailio']) ? describe : describe.skip)('docs/kamailio.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pua-docs-test-'));
  const opened: { stop(): Promise<unknown> }[] = [];
  const opening = <T extends { stop(): Promise<unknown> }>(one: T): T => {
    opened.push(one);
    return one;
  };
  let presence: string;
  let watcher: Watcher;
  let program: Program;
  let proxy: LaunchedKamailioProxy;
  let addresses: { readonly sip: string; readonly http: string } | undefined;

  /** Runs it, after the first time on the addresses of the first one. */
  const run = async (yaml: string): Promise<void> => {
    await program?.end('SIGTERM');
    const here = yaml
      .replace(DATABASE, () => proxy.database.url)
      .replace('sip:presence.example.com', presence)
      .replace('/var/lib/pua', folder)
      .replace('192.0.2.10/32', '127.0.0.1/32')
      .replace('udp:192.0.2.20:5070', addresses?.sip ?? 'udp:127.0.0.1:0')
      .replace('192.0.2.20:8060', addresses?.http ?? '127.0.0.1:0')
      .replace(/192\.0\.2\.20:5060/g, '127.0.0.1:0')
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is what stands there
      .replace('${PUA_TOKEN}', 'secret');
    expect(here).not.toContain('192.0.2');
    const file = join(folder, 'pua.yaml');
    writeFileSync(file, here, { mode: 0o600 });
    program = await Program.start(file);
    addresses ??= { sip: program.sip, http: new URL(program.url).host };
  };
  const phone = async (user: string, server = proxy.uri, more: Partial<PhoneOptions> = {}): Promise<Phone> => {
    const started = opening(await Phone.start({ aor: `sip:${user}@example.com`, server, ...more }));
    expect((await started.register()).status).toBe(200);
    return started;
  };
  const lamp = (user: string, event: 'presence' | 'dialog') => Lamp.watch(watcher, `sip:${user}@example.com`, event);

  beforeAll(async () => {
    const started = await startPresenceServer();
    opening(started.server);
    presence = started.uri;
    watcher = opening(new Watcher({ sip: embeddedSip({ listen: ['udp:127.0.0.1:0'] }), server: presence }));
    await watcher.start();
    const mariadb = opening(await launchMariadb());
    await run(wire!);
    opening({ stop: () => program.end('SIGTERM') });
    proxy = opening(
      await launchKamailioProxy({
        ...{ mariadb, tap: program.sip.replace('udp', 'sip') },
        webhook: { url: `${program.url}/events/dialogs`, token: 'secret' },
        modparams: [['tm', 'wt_timer', 500]],
      }),
    );
  });
  afterAll(async () => {
    for (const one of opened.reverse()) await one.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('copies of REGISTERs, calls by webhook', async () => {
    const [online, busy] = [await lamp('bob', 'presence'), await lamp('bob', 'dialog')];
    const [alice, bob] = [await phone('alice'), await phone('bob')];
    await online.shows('open');
    const call = alice.call(bob.aor);
    await busy.shows('early');
    (await bob.nextCall()).pickUp();
    await call.reaches('answered');
    await busy.shows('confirmed');
    await call.hangUp();
    expect(await busy.dialogs('terminated')).toMatchObject([{ event: 'remote-bye' }]);
    await bob.unregister();
    await online.shows('off');
  });

  test('calls by both: what ended while we were away has ended', async () => {
    await run(both!);
    const busy = await lamp('dave', 'dialog');
    const [carol, dave] = [await phone('carol'), await phone('dave')];
    const call = carol.call(dave.aor);
    await busy.shows('early');
    (await dave.nextCall()).pickUp();
    await call.reaches('answered');
    await busy.shows('confirmed');
    await proxy.waitForRows('dialog', (rows) => rows.some(({ callid }) => callid === call.callId), 5000);
    await program.end('SIGTERM');
    await call.hangUp();
    await run(both!);
    await busy.shows('terminated');
  });

  test('tables', async () => {
    await run(tables!);
    const [online, busy] = [await lamp('frank', 'presence'), await lamp('frank', 'dialog')];
    const [erin, frank] = [await phone('erin'), await phone('frank')];
    await online.shows('open');
    const call = erin.call(frank.aor);
    (await frank.nextCall()).pickUp();
    await call.reaches('answered');
    await busy.shows('confirmed');
    await call.hangUp();
    await busy.shows('terminated');
    await frank.unregister();
    await online.shows('off');
  });

  test('our own registrar', async () => {
    await proxy.addSubscriber('grace', 'example.com', 'secret');
    await run(own!);
    const online = await lamp('grace', 'presence');
    const credentials = { username: 'grace', password: 'secret' };
    const grace = await phone('grace', program.sip.replace('udp', 'sip'), { credentials });
    await online.shows('open');
    await grace.unregister();
    await online.shows('off');
  });
});
