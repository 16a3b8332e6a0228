/** What may happen to a record between asking for a slot and getting one, and between one hop and the next. */
import { ALICE, establish, listen, notify, publication, start, subscription } from '../support/pua';
import { hop } from '../support/sip';

const NOTIFIER = 'sip:10.0.0.9';
/** One request in two seconds. */
const CEILING = { perSecond: 1, inFlight: 10 };

/** A dialog whose refresh waits for the next drop of its hop's bucket; what `meanwhile` does comes just before it. */
async function waiting(
  meanwhile: (running: Awaited<ReturnType<typeof start>>, dialog: ReturnType<typeof establish>) => void,
) {
  const running = await start({ ceiling: CEILING, outboundProxy: 'sip:proxy', onePublishPerUri: false });
  const { pua, sip } = running;
  const dialog = establish(running);
  notify(running, dialog);
  sip.clock.advance(2_000);
  pua.sendPublish({ ...publication, outboundProxy: NOTIFIER });
  sip.clock.after(2_000, () => meanwhile(running, dialog));
  pua.sendSubscribe(subscription);
  expect(sip.sent).toHaveLength(2);
  sip.clock.advance(10_000);
  return { ...running, dialog, since: sip.sent.slice(2).map(({ request }) => request) };
}

/*
 *   NOTIFY <-     (its handler publishes, which drains the queue the record itself stands in)     SUBSCRIBE (refresh) ->
 */
test('a slot that comes in the middle of the record’s own turn is not lost', async () => {
  const { since, sip, pua } = await waiting((running, dialog) => {
    running.pua.onNotify('presence', () => {
      running.pua.sendPublish({ ...publication, id: 'other', outboundProxy: NOTIFIER });
    });
    notify(running, dialog, { CSeq: '2 NOTIFY' });
  });
  expect(since.map(({ method }) => method).sort()).toEqual(['PUBLISH', 'SUBSCRIBE']);
  expect(since.find(({ method }) => method === 'SUBSCRIBE')!.to.tag).toBe('remote');
  for (const sent of sip.sent.slice(1))
    sent.reply(200, [
      ['SIP-ETag', 'e'],
      ['Expires', '3600'],
    ]);
  expect(pua.stats()).toMatchObject({ inFlight: 0, queued: 0 });
});

/*
 *   (the refresh waits)     NOTIFY terminated;reason=deactivated <-     SUBSCRIBE (new Call-ID) -> outbound proxy
 */
test('a dialog that ends while its refresh waits: the new one is opened by way of the outbound proxy', async () => {
  const { since, dialog } = await waiting((running, dialog) => {
    notify(running, dialog, { CSeq: '2 NOTIFY', 'Subscription-State': 'terminated;reason=deactivated' });
  });
  expect(since).toHaveLength(1);
  expect(since[0]).toMatchObject({ uri: ALICE, hop: hop('proxy') });
  expect(since[0]!.callId).not.toBe(dialog.callId);
});

describe('Timer N counts from the request that was answered', () => {
  /*
   *   SUBSCRIBE -> one     (silence, 32 s)     SUBSCRIBE -> two     200 <-     NOTIFY <-
   */
  test('at the second hop it runs anew', async () => {
    const heard = listen('pua:subscription');
    const { pua, sip } = await start({ outboundProxy: 'sip:proxy' });
    sip.hosts.set('sip:proxy', [hop('one'), hop('two')]);
    const { key } = pua.sendSubscribe(subscription);
    sip.clock.advance(32_000);
    sip.last.timeout();
    sip.last.reply(200, [
      ['Expires', '3600'],
      ['To', `<${ALICE}>;tag=remote`],
    ]);
    sip.clock.advance(31_000);
    expect([sip.sent.length, pua.show(key)?.state]).toEqual([2, 'subscribed']);
    sip.clock.advance(1_000);
    expect(sip.last.header('Expires')).toBe('0');
    expect(heard.messages.filter(({ type }) => type === 'without-notify')).toHaveLength(1);
  });

  test('after an unsubscribe, too: until then NOTIFYs are taken', async () => {
    const running = await start();
    const { pua, sip } = running;
    sip.hosts.set('sip:notifier@10.0.0.9', [hop('one'), hop('two')]);
    const dialog = establish(running);
    notify(running, dialog);
    pua.sendSubscribe({ ...subscription, expires: 0 });
    sip.clock.advance(32_000);
    sip.last.timeout();
    sip.last.reply(200);
    sip.clock.advance(31_000);
    expect(notify(running, dialog, { CSeq: '2 NOTIFY' }).replies.map(({ status }) => status)).toEqual([200]);
    sip.clock.advance(1_000);
    expect([...pua.list()]).toEqual([]);
  });
});
