/** One SUBSCRIBE, several notifiers (RFC 6665 5.4.9): which NOTIFYs are taken, and what becomes of their dialogs. */
import type { SubsInfo } from '@pua/core';
import { settled } from '../support/clock';
import { ALICE, BOB, establish, make, notify, outcome, type Running, start, subscription } from '../support/pua';
import { FakeStore } from '../support/store';

type Dialog = ReturnType<typeof establish>;
const from = (tag: string) => ({ From: `<${ALICE}>;tag=${tag}`, Contact: `<sip:${tag}@10.0.0.9>` });

/** A dialog with the notifier `remote`, and one with each of the others. */
async function forked(tags: string[], more: Partial<SubsInfo> = {}, options: object = {}) {
  const running = await start(options);
  const dialog = establish(running, { forks: 'all', ...more });
  notify(running, dialog);
  for (const tag of tags) notify(running, dialog, from(tag));
  return { ...running, dialog };
}
const subscriptions = ({ pua }: Pick<Running, 'pua'>) => [...pua.list({ kind: 'subscription' })];
const tags = (running: Pick<Running, 'pua'>) => subscriptions(running).map(({ toTag }) => toTag);
const status = (running: Running, dialog: Dialog, tag: string, more: object = {}) =>
  notify(running, dialog, { ...from(tag), CSeq: '2 NOTIFY', ...more }).replies[0]?.status;

test('first: NOTIFYs of other notifiers get 481', async () => {
  const running = await start();
  const dialog = establish(running);
  notify(running, dialog);
  expect([status(running, dialog, 'other'), tags(running)]).toEqual([481, ['remote']]);
});

test('the event says which, the caller may say otherwise', async () => {
  const running = make();
  running.pua.addEvent({ name: 'dialog', flag: 32, forks: 'all' });
  await running.pua.start();
  const all = establish(running, { event: 'dialog' });
  notify(running, all, { Event: 'dialog' });
  expect(status(running, all, 'other', { Event: 'dialog' })).toBe(200);
  const first = establish(running, { event: 'dialog', id: 'first', forks: 'first' });
  notify(running, first, { Event: 'dialog' });
  expect(status(running, first, 'other', { Event: 'dialog' })).toBe(481);
});

/*
 *   SUBSCRIBE ->     200 <-     NOTIFY tag=remote <-     NOTIFY tag=a <-     NOTIFY tag=b <-
 *   SUBSCRIBE tag=remote ->     SUBSCRIBE tag=a ->       SUBSCRIBE tag=b ->              each refreshed by itself
 */
test('all: each is a dialog of its own, delivered and refreshed by itself', async () => {
  const heard: string[] = [];
  const running = await forked(['a', 'b'], { onNotify: ({ record }) => void heard.push(record.toTag) });
  const { sip, dialog, pua } = running;
  expect(heard).toEqual(['remote', 'a', 'b']);
  expect(tags(running)).toEqual(['remote', 'a', 'b']);
  expect(new Set(subscriptions(running).map(({ key }) => key)).size).toBe(3);
  expect([status(running, dialog, 'a'), status(running, dialog, 'remote')]).toEqual([200, 200]);
  sip.clock.advance(3_300_000);
  const refreshes = sip.sent.slice(1).map(({ request }) => [request.to.tag, request.uri, request.callId]);
  expect(refreshes.sort()).toEqual([
    ['a', 'sip:a@10.0.0.9', dialog.callId],
    ['b', 'sip:b@10.0.0.9', dialog.callId],
    ['remote', 'sip:remote@10.0.0.9', dialog.callId],
  ]);
  const query = { presUri: ALICE, watcherUri: BOB, callId: dialog.callId, fromTag: dialog.localTag };
  expect(pua.isDialog({ ...query, toTag: 'a' })).toBe('established');
  expect(pua.isDialog({ ...query, toTag: 'nobody' })).toBe('unknown');
  expect(pua.stats()).toMatchObject({ dialogs: 3, records: { subscriptions: 3 } });
});

test('one fork that ends does not touch the others', async () => {
  const running = await forked(['a', 'b']);
  expect(status(running, running.dialog, 'a', { 'Subscription-State': 'terminated;reason=noresource' })).toBe(200);
  expect(tags(running)).toEqual(['remote', 'b']);
  expect(status(running, running.dialog, 'remote', { 'Subscription-State': 'terminated;reason=rejected' })).toBe(200);
  expect(tags(running)).toEqual(['b']);
  expect(status(running, running.dialog, 'b')).toBe(200);
});

test('an unsubscribe ends all of them, and nothing is left', async () => {
  const running = await forked(['a', 'b']);
  const { pua, sip, dialog } = running;
  pua.sendSubscribe({ ...subscription, forks: 'all', expires: 0 });
  const ends = sip.sent.slice(1);
  expect(ends.map(({ header, request }) => [request.to.tag, header('Expires')]).sort()).toEqual([
    ['a', '0'],
    ['b', '0'],
    ['remote', '0'],
  ]);
  for (const end of ends) {
    end.reply(200);
    status(running, dialog, end.request.to.tag!, { 'Subscription-State': 'terminated' });
  }
  expect(pua.stats()).toMatchObject({ dialogs: 0, scheduled: 0, records: { subscriptions: 0 } });
});

test('an unsubscribe finds the forks of a record that is over', async () => {
  const running = await forked(['a', 'b']);
  const { pua, sip, dialog } = running;
  status(running, dialog, 'remote', { 'Subscription-State': 'terminated;reason=rejected' });
  const handle = pua.sendSubscribe({ ...subscription, forks: 'all', expires: 0 });
  for (const end of sip.sent.slice(1)) end.reply(200);
  expect(await outcome(handle)).toMatchObject({ outcome: 'accepted', expires: 0 });
});

/*
 *   SUBSCRIBE Expires: 0 -> remote, a, b     200 <-     (asked for again)     NOTIFY terminated <-     one SUBSCRIBE ->
 */
test('subscribed to again while they are being ended: the record opens one dialog, its forks none', async () => {
  const running = await forked(['a', 'b']);
  const { pua, sip, dialog } = running;
  pua.sendSubscribe({ ...subscription, forks: 'all', expires: 0 });
  const handle = pua.sendSubscribe({ ...subscription, forks: 'all' });
  for (const end of sip.sent.slice(1)) end.reply(200);
  for (const tag of ['a', 'b', 'remote']) status(running, dialog, tag, { 'Subscription-State': 'terminated' });
  const opened = sip.sent.slice(4);
  expect(opened.map(({ request, header }) => [request.to.tag, header('Expires')])).toEqual([[undefined, '3600']]);
  opened[0]!.reply(200, [['Expires', '3600']]);
  expect(await outcome(handle)).toMatchObject({ outcome: 'accepted' });
  expect(subscriptions(running)).toHaveLength(1);
});

test('a new lifetime holds for all of them', async () => {
  const running = await forked(['a']);
  running.pua.sendSubscribe({ ...subscription, forks: 'all', expires: 600 });
  const refreshes = running.sip.sent.slice(1);
  expect(refreshes.map(({ request, header }) => [request.to.tag, header('Expires')])).toEqual([
    ['remote', '600'],
    ['a', '600'],
  ]);
});

/*
 *   NOTIFY tag=remote terminated;reason=deactivated <-     SUBSCRIBE (new Call-ID) ->     it is forked anew
 *                                                          SUBSCRIBE tag=a Expires: 0 ->
 */
test('a new dialog of the record ends the forks of the old one', async () => {
  const running = await forked(['a']);
  status(running, running.dialog, 'remote', { 'Subscription-State': 'terminated;reason=deactivated' });
  const sent = running.sip.sent.slice(1).map(({ request, header }) => [request.to.tag, header('Expires')]);
  expect(sent).toEqual(
    expect.arrayContaining([
      [undefined, '3600'],
      ['a', '0'],
    ]),
  );
});

test('no more than 32 beside the first', async () => {
  const running = await forked(Array.from({ length: 40 }, (_, n) => `f${n}`));
  expect(tags(running)).toHaveLength(33);
  expect(status(running, running.dialog, 'one-more')).toBe(481);
  expect(status(running, running.dialog, 'f31')).toBe(200);
});

test('after Timer N no other is taken (RFC 6665 4.1.2.4)', async () => {
  const running = await forked(['a']);
  running.sip.clock.advance(31_000);
  expect(status(running, running.dialog, 'slow')).toBe(200);
  running.sip.clock.advance(2_000);
  expect([status(running, running.dialog, 'late'), status(running, running.dialog, 'a')]).toEqual([481, 200]);
});

test('while it is being ended no other is taken', async () => {
  const running = await forked([]);
  running.pua.sendSubscribe({ ...subscription, forks: 'all', expires: 0 });
  expect(status(running, running.dialog, 'late')).toBe(481);
});

test('after a restart they are forks still', async () => {
  const store = new FakeStore();
  const before = await forked(['a', 'b'], {}, { store });
  await before.pua.stop();
  const after = await start({ store });
  expect(tags(after).sort()).toEqual(['a', 'b', 'remote']);
  expect(status(after, before.dialog, 'a', { 'Subscription-State': 'terminated;reason=deactivated' })).toBe(200);
  await settled();
  expect(tags(after).sort()).toEqual(['b', 'remote']);
  after.pua.sendSubscribe({ ...subscription, forks: 'all', expires: 0 });
  expect(after.sip.sent.map(({ request }) => request.to.tag).sort()).toEqual(['b', 'remote']);
  await after.pua.stop();
});
