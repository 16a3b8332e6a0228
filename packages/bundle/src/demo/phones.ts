/**
 * The second act: phones that know nothing of presence. They register and call through a call server, which relays their
 * REGISTERs to the PUA and posts what becomes of each call; lamps on the presence server's side follow.
 *
 *   phones  REGISTER, INVITE ... ->  call server  REGISTER, POST /events/dialogs ->  PUA  PUBLISH ->  server
 */
import type { DialogEvent } from '@pua/core';
import type { ParsedRequest } from '@pua/sip';
import { CallServer, Phone } from '@pua/testkit';
import { ACCOUNTS, CAROL, DAVE, HEARTBEAT } from './accounts.js';
import { BOB, notified, request } from './play.js';
import type { Stage } from './stage.js';

const ALIVE_MS = 1000;
const GRANT = 600;

/** What the call server posts, one after the other, and its signs of life. */
class Reporter {
  readonly #live = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #failed: Error | undefined;

  constructor(private readonly url: string) {}

  start(): void {
    this.#timer = setInterval(() => this.#post({ alive: [...this.#live] }), ALIVE_MS);
  }

  tell(event: DialogEvent): void {
    if (event.dialog.state === 'terminated') this.#live.delete(event.dialog.key);
    else this.#live.add(event.dialog.key);
    this.#post(event);
  }

  /** As a crash would: nothing more is said. */
  fallSilent(): void {
    clearInterval(this.#timer);
    this.#live.clear();
  }

  /** @throws Error (by rejection) when something was not taken */
  async settled(): Promise<void> {
    await this.#last;
    if (this.#failed) throw this.#failed;
  }

  #post(body: unknown): void {
    const send = async (): Promise<void> => {
      const answer = await fetch(`${this.url}/events/dialogs`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`POST /events/dialogs: ${answer.status} ${await answer.text()}`);
    };
    this.#last = this.#last.then(send).catch((error: Error) => {
      this.#failed ??= error;
    });
  }
}

const about = (uri: string, event: string, matches: (text: string) => boolean) => (notify: ParsedRequest) =>
  (notify.headers.get('From') ?? '').includes(uri) &&
  notify.headers.get('Event') === event &&
  matches(notify.body?.text() ?? '');

const basic = (word: string) => (text: string) => text.includes(`<basic>${word}</basic>`);
const call = (state: string) => (text: string) => new RegExp(`<state[^>]*>${state}</state>`).test(text);
const nothing = (text: string) => text === '';

async function lamp(stage: Stage, from: number, uri: string, state: string, name: string): Promise<void> {
  await notified(stage, from, `of ${uri}: ${state}`, about(uri, 'dialog', call(state)));
  stage.note(`lamp of ${name}: ${state}`);
}

async function lampOff(stage: Stage, from: number, uri: string, name: string): Promise<void> {
  await notified(stage, from, `of ${uri} without a call`, about(uri, 'dialog', nothing));
  stage.note(`lamp of ${name}: off`);
}

/** @throws Failure that names the step */
export async function playPhones(stage: Stage): Promise<void> {
  const { presence } = stage;
  presence.grant(GRANT);
  const reporter = new Reporter(stage.pua.started.http);
  const server = await CallServer.start({
    registrar: stage.pua.started.sip[0]!.replace(/^udp:/, 'sip:'),
    onDialog: (event) => reporter.tell(event),
  });
  const phones = await Promise.all(
    [CAROL, DAVE].map((aor, i) => Phone.start({ aor, server: server.uri, credentials: ACCOUNTS[i]! })),
  );
  try {
    reporter.start();
    const [carol, dave] = phones as [Phone, Phone];
    await register(stage, carol, dave);
    await place(stage, carol, dave);
    await fallSilent(stage, reporter, carol, dave);
    await unregister(stage, carol, dave);
    await reporter.settled();
  } finally {
    reporter.fallSilent();
    await server.stop();
    await Promise.all(phones.map((phone) => phone.stop()));
  }
}

async function register(stage: Stage, carol: Phone, dave: Phone): Promise<void> {
  const { wire, server } = stage.presence;
  stage.step(
    'Phones register',
    `${BOB} watches carol and dave. Their phones register with the PUA, which asks for their passwords.`,
  );
  for (const uri of [CAROL, DAVE]) {
    for (const event of ['presence', 'dialog']) await stage.rpc('pua.subscribe', { uri, watcher: BOB, event });
  }
  const from = wire.mark();
  for (const phone of [carol, dave]) {
    const answer = await phone.register();
    stage.assert(answer.status === 200, `200 to the REGISTER of ${phone.aor}`, `${answer.status} ${answer.reason}`);
    await notified(stage, from, `of ${phone.aor}: open`, about(phone.aor, 'presence', basic('open')));
    const reg = ({ body }: ParsedRequest) => body?.text().includes(`aor="${phone.aor}"`) ?? false;
    await stage.seen(from, `a PUBLISH of the registration of ${phone.aor}`, request('PUBLISH', 'in', reg));
  }
  stage.assert(server.publications.length === 4, 'four publications at the server', `${server.publications.length}`);
}

async function place(stage: Stage, carol: Phone, dave: Phone): Promise<void> {
  const { wire } = stage.presence;
  stage.step('A call', 'carol calls dave: it rings, he answers, she hangs up.');
  const from = wire.mark();
  const call = carol.call(DAVE);
  const incoming = await dave.nextCall();
  await lamp(stage, from, DAVE, 'early', 'dave');
  incoming.pickUp();
  await lamp(stage, from, DAVE, 'confirmed', 'dave');
  await lamp(stage, from, CAROL, 'confirmed', 'carol');
  await call.hangUp();
  await lamp(stage, from, DAVE, 'terminated', 'dave');
  await lampOff(stage, wire.mark(), DAVE, 'dave');
}

async function fallSilent(stage: Stage, reporter: Reporter, carol: Phone, dave: Phone): Promise<void> {
  const { wire } = stage.presence;
  stage.step(
    'The call server falls silent',
    'Another call, and in the middle of it nothing more is heard of the call server: no end is ever told.',
  );
  const from = wire.mark();
  const call = carol.call(DAVE);
  (await dave.nextCall()).pickUp();
  await call.reaches('answered');
  await lamp(stage, from, DAVE, 'confirmed', 'dave');
  reporter.fallSilent();
  stage.note(`without a sign of life for ${HEARTBEAT} s its calls are over ...`);
  await lamp(stage, from, DAVE, 'terminated', 'dave');
  await lampOff(stage, wire.mark(), DAVE, 'dave');
}

async function unregister(stage: Stage, carol: Phone, dave: Phone): Promise<void> {
  const { wire, server } = stage.presence;
  stage.step(
    'Phones unregister',
    'Contact with expires 0: both are offline, and nothing is left at the server but an end.',
  );
  const from = wire.mark();
  for (const phone of [carol, dave]) {
    await phone.unregister();
    await notified(stage, from, `of ${phone.aor} without a document`, about(phone.aor, 'presence', nothing));
  }
  const held = server.publications.filter(({ event }) => event !== 'reg');
  stage.assert(held.length === 0, 'no publication but of the ended registrations', `${held.length}`);
}
