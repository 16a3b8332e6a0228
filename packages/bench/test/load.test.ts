import { createPua } from '@pua/core';
import { presence } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { DOCUMENT_BYTES, pidf, presentity } from '../dist/load/document.js';
import { KeptPublications } from '../dist/load/kept.js';
import { LeapingClock } from '../dist/load/leaping-clock.js';
import { Outstanding } from '../dist/load/outstanding.js';

test('documents have their size, and differ', () => {
  const [one, other] = [pidf(presentity(1), 1), pidf(presentity(999_999), 999_999)];
  expect([Buffer.byteLength(one), Buffer.byteLength(other)]).toEqual([DOCUMENT_BYTES, DOCUMENT_BYTES]);
  expect(one).not.toBe(other);
});

test('a clock that leaps runs what is due by then, and that alone', async () => {
  const clock = new LeapingClock();
  const ran: string[] = [];
  const at = clock.now();
  clock.after(60_000, () => ran.push('never')).cancel();
  const late = clock.after(200_000, () => ran.push('late'));
  const due = new Promise<void>((resolve) => {
    clock.after(100_000, () => {
      ran.push('due');
      resolve();
    });
  });
  clock.leap(150_000);
  await due;
  expect(ran).toEqual(['due']);
  expect(clock.now() - at).toBeGreaterThanOrEqual(150_000);
  late.cancel();
});

test('so many operations are outstanding, and no further one begins after the end', async () => {
  const open: ((fault?: unknown) => void)[] = [];
  const loop = new Outstanding((serial, done) => {
    open[serial] = done;
  });
  loop.start(2, 3);
  expect(open.length).toBe(2);
  open[1]!();
  expect(open.length).toBe(3);
  open[0]!();
  const finished = loop.finish();
  open[2]!();
  expect(await finished).toBe(3);
  expect(open.length).toBe(3);
  loop.start(2);
  const stopped = loop.stop();
  open[3]!();
  open[4]!('refused');
  await expect(stopped).rejects.toThrow('refused');
  expect(() => loop.succeeded).toThrow('refused');
  expect(open.length).toBe(5);
});

test('what is kept is what sendPublish() finds again', async () => {
  const store = new KeptPublications(10, 3600);
  const pua = createPua({
    sip: embeddedSip({ listen: ['udp:127.0.0.1:0'] }),
    store,
    outboundProxy: 'sip:127.0.0.1:9',
  });
  pua.addEvent(presence);
  await pua.start();
  expect(pua.stats()).toMatchObject({ records: { publications: 10 }, scheduled: 10, queued: 0 });
  const presUri = presentity(3);
  const { key } = pua.sendPublish({ presUri, event: 'presence', sourceFlag: 'RPC_PUBLISH', body: pidf(presUri, 3) });
  expect(pua.show(key)).toMatchObject({ presUri, etag: 'etag3' });
  expect(pua.stats().records.publications).toBe(10);
  await pua.stop(0);
});
