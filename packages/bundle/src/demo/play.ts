/** The play: real SIP on loopback, every step checked on the presence server. */
import type { ParsedRequest } from '@pua/sip';
import type { Stage } from './stage.js';
import type { WireMessage } from './wire.js';

export const ALICE = 'sip:alice@demo.example';
export const BOB = 'sip:bob@demo.example';
const WATCH = { uri: ALICE, watcher: BOB, event: 'presence' };

/** Lifetimes the server grants, seconds: short, so that refreshes come by themselves within the play. */
const SHORT = 4;
/** Long enough for a kill and a new start on a slow machine. */
const LONGER = 12;

const pidf = (basic: 'open' | 'closed', note: string) =>
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  `<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${ALICE}">` +
  `<tuple id="demo"><status><basic>${basic}</basic></status><note>${note}</note></tuple></presence>\n`;

export const request =
  (method: string, direction: 'in' | 'out', also: (message: ParsedRequest) => boolean = () => true) =>
  ({ direction: seen, message }: WireMessage) =>
    seen === direction && message.kind === 'request' && message.method === method && also(message);

const answerTo =
  (to: WireMessage, status = 200) =>
  ({ direction, message }: WireMessage) =>
    direction !== to.direction &&
    message.kind === 'response' &&
    message.status === status &&
    message.callId === to.message.callId &&
    message.cseq.number === to.message.cseq.number;

const field = (seen: WireMessage, name: string): string => seen.message.headers.get(name) ?? '';

/** The entity-tag that the server gave last before a message; empty when it holds nothing. */
function lastEtag(stage: Stage, before?: WireMessage): string {
  const all = stage.presence.wire.since(0);
  const earlier = before ? all.slice(0, all.indexOf(before)) : all;
  const answer = earlier.findLast(({ direction, message: { kind, headers } }) => {
    return direction === 'out' && kind === 'response' && headers.get('SIP-ETag') !== undefined;
  });
  return answer && field(answer, 'Expires') !== '0' ? field(answer, 'SIP-ETag') : '';
}

/** The watcher gets a NOTIFY and answers it by 200. */
export async function notified(stage: Stage, from: number, what: string, matches: (notify: ParsedRequest) => boolean) {
  const notify = await stage.seen(from, `a NOTIFY ${what}`, request('NOTIFY', 'out', matches));
  await stage.seen(from, `a 200 to the NOTIFY ${what}`, answerTo(notify));
  return notify;
}

const shows = (basic: string) => (notify: ParsedRequest) =>
  notify.body?.text().includes(`<basic>${basic}</basic>`) ?? false;

export async function publish(stage: Stage, basic: 'open' | 'closed', note: string): Promise<string> {
  const { server, wire } = stage.presence;
  const from = wire.mark();
  const result = await stage.rpc<{ etag: string }>('pua.publish', {
    uri: ALICE,
    event: 'presence',
    body: pidf(basic, note),
  });
  const sent = await stage.seen(from, 'a PUBLISH with the document', request('PUBLISH', 'in', shows(basic)));
  await stage.seen(from, 'a 200 with SIP-ETag', answerTo(sent));
  const match = field(sent, 'SIP-If-Match');
  const before = lastEtag(stage, sent);
  stage.assert(match === before, `SIP-If-Match ${before || 'absent'}`, match || 'none');
  const [held, ...others] = server.publications;
  stage.assert(
    held !== undefined && others.length === 0,
    'one publication at the server',
    `${server.publications.length}`,
  );
  stage.assert(held!.body.text().includes(`<basic>${basic}</basic>`), `${basic} at the server`, held!.body.text());
  stage.assert(result.etag === held!.etag, `the entity-tag ${held!.etag} in the result`, result.etag);
  return held!.etag;
}

export async function subscribe(stage: Stage): Promise<string> {
  const { server, wire } = stage.presence;
  const from = wire.mark();
  await stage.rpc('pua.subscribe', WATCH);
  const sent = await stage.seen(from, 'a SUBSCRIBE', request('SUBSCRIBE', 'in'));
  await stage.seen(from, 'a 200 to the SUBSCRIBE', answerTo(sent));
  await notified(stage, from, 'active with the document', (notify) => shows('open')(notify));
  const [held, ...others] = server.subscriptions;
  stage.assert(
    held !== undefined && others.length === 0,
    'one subscription at the server',
    `${server.subscriptions.length}`,
  );
  stage.assert(held!.state === 'active', 'an active subscription', held!.state);
  return held!.callId;
}

/** Refreshes of both come by themselves: a PUBLISH without document, a SUBSCRIBE in its dialog. */
async function refreshed(stage: Stage, from: number, etag: string, callId: string, cseq: number): Promise<string> {
  const { server } = stage.presence;
  const isPublish = request('PUBLISH', 'in', ({ body }) => !body?.bytes.length);
  const isSubscribe = request('SUBSCRIBE', 'in', (sent) => sent.callId === callId && sent.cseq.number > cseq);
  const [publication, subscription] = await Promise.all([
    stage.seen(
      from,
      `a PUBLISH with SIP-If-Match ${etag} and without document`,
      (seen) => isPublish(seen) && field(seen, 'SIP-If-Match') === etag,
    ),
    stage.seen(from, `a SUBSCRIBE in the dialog ${callId}`, isSubscribe),
  ]);
  await stage.seen(from, 'a 200 to the PUBLISH', answerTo(publication));
  await stage.seen(from, 'a 200 to the SUBSCRIBE', answerTo(subscription));
  await notified(stage, stage.presence.wire.after(subscription), 'active', ({ headers }) =>
    /^active/.test(headers.get('Subscription-State') ?? ''),
  );
  const held = server.publications[0]?.etag;
  const dialog = server.subscriptions[0]?.callId;
  stage.assert(held === lastEtag(stage), 'the new entity-tag at the server', String(held));
  stage.assert(dialog === callId, `the subscription ${callId} at the server`, String(dialog));
  return held!;
}

async function killAndRestart(stage: Stage, etag: string, callId: string): Promise<void> {
  const { server, wire } = stage.presence;
  await stage.durable();
  const from = wire.mark();
  const how = await stage.pua.kill();
  stage.assert(how === 'SIGKILL', 'an end by SIGKILL', String(how));
  stage.note(`process ${stage.pua.pid} is dead; starting it again with the same configuration ...`);
  const again = await stage.startPua();
  stage.note(
    `process ${again.pid} runs: ${again.started.publications} publication and ${again.started.subscriptions} subscription are back`,
  );
  const publication = await stage.record('publication');
  const subscription = await stage.record('subscription');
  stage.assert(publication.etag === etag, `the entity-tag ${etag} in the PUA`, publication.etag);
  stage.assert(subscription.callId === callId, `the Call-ID ${callId} in the PUA`, subscription.callId);
  stage.note(`entity-tag ${etag} and Call-ID ${callId} are the same as before`);
  const anew = wire
    .since(from)
    .filter(request('PUBLISH', 'in', ({ headers }) => headers.get('SIP-If-Match') === undefined));
  stage.assert(anew.length === 0, 'no publication from scratch', `${anew.length}`);
  stage.assert(
    server.publications[0]?.etag === etag,
    `the entity-tag ${etag} at the server`,
    String(server.publications[0]?.etag),
  );
}

async function unpublish(stage: Stage, etag: string): Promise<void> {
  const { server, wire } = stage.presence;
  const from = wire.mark();
  await stage.rpc('pua.publish', { uri: ALICE, event: 'presence', expires: 0 });
  const sent = await stage.seen(
    from,
    'a PUBLISH with Expires 0',
    (seen) => request('PUBLISH', 'in')(seen) && field(seen, 'Expires') === '0',
  );
  await stage.seen(from, 'a 200 to it', answerTo(sent));
  stage.assert(field(sent, 'SIP-If-Match') === etag, `SIP-If-Match ${etag}`, field(sent, 'SIP-If-Match'));
  await notified(stage, from, 'without document', ({ body }) => !body?.bytes.length);
  stage.assert(server.publications.length === 0, 'no publication at the server', `${server.publications.length}`);
}

async function unsubscribe(stage: Stage): Promise<void> {
  const { server, wire } = stage.presence;
  const from = wire.mark();
  await stage.rpc('pua.unsubscribe', WATCH);
  const sent = await stage.seen(
    from,
    'a SUBSCRIBE with Expires 0',
    (seen) => request('SUBSCRIBE', 'in')(seen) && field(seen, 'Expires') === '0',
  );
  await stage.seen(from, 'a 200 to it', answerTo(sent));
  await notified(stage, from, 'terminated', ({ headers }) =>
    /^terminated/.test(headers.get('Subscription-State') ?? ''),
  );
  stage.assert(server.subscriptions.length === 0, 'no subscription at the server', `${server.subscriptions.length}`);
  const { records } = await stage.rpc<{ records: { publications: number; subscriptions: number } }>('pua.stats');
  stage.assert(
    records.publications + records.subscriptions === 0,
    'no record left in the PUA',
    JSON.stringify(records),
  );
}

/** @throws Failure that names the step */
export async function play(stage: Stage): Promise<void> {
  const { presence } = stage;
  const { server, wire } = presence;

  stage.step('Publish', `${ALICE} is open: an initial PUBLISH, the server gives an entity-tag and ${SHORT} s.`);
  presence.grant(SHORT);
  const began = wire.mark();
  let etag = await publish(stage, 'open', 'at the desk');

  stage.step('Subscribe', `${BOB} watches: SUBSCRIBE, 200, and the NOTIFY with the document.`);
  const callId = await subscribe(stage);

  stage.step(
    'Refresh',
    `Nobody asks for it: the PUA keeps both alive. With ${SHORT} s granted this takes about ${SHORT / 2} s ...`,
  );
  presence.grant(LONGER);
  etag = await refreshed(stage, began, etag, callId, 1);

  stage.step('Modify', 'A new document: PUBLISH with SIP-If-Match, and the watcher is told.');
  const modifying = wire.mark();
  etag = await publish(stage, 'closed', 'gone for lunch');
  await notified(stage, modifying, 'with the new document', shows('closed'));

  if (stage.persistent) {
    stage.step('kill -9 and restart', `SIGKILL to process ${stage.pua.pid}: no chance to write or say anything.`);
    await killAndRestart(stage, etag, callId);

    stage.step(
      'All goes on',
      `The refreshes come from the new process, in the old dialog; about ${LONGER / 2} s after the last ones ...`,
    );
    const lastCseq = server.subscriptions[0]?.remoteCseq ?? 0;
    etag = await refreshed(stage, wire.mark(), etag, callId, lastCseq);
  } else stage.note('(kill -9 and restart is left out: the in-memory store does not survive it)');

  stage.step('Un-publish', 'Expires 0 with the entity-tag; the watcher hears that there is nothing any more.');
  await unpublish(stage, etag);

  stage.step('Unsubscribe', 'Expires 0 in the dialog; the last NOTIFY is terminated.');
  await unsubscribe(stage);
}
