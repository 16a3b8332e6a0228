/** drachtio-server binds dialogs to a link: what is told of them when it is lost, or when the server forgets them. */
import { drachtioSip } from '@pua/drachtio';
import { responseOf, Setting, until } from './support';

let s: Setting;
let lost: string[];
beforeEach(async () => {
  s = await Setting.open();
  lost = [];
  s.sip.onUnbound((binding) => void lost.push(binding));
});
afterEach(() => s.close());

const subscriptions = () => s.presence.server.subscriptions.length;

async function lose(): Promise<void> {
  await until('every NOTIFY is answered', () =>
    s.presence.server.notifies.every(({ outcome }) => outcome !== undefined),
  );
  s.server.cut();
  await until('the link is down', () => s.sip.addresses.length === 0);
  expect(lost).toEqual([]);
  await until('the link is back', () => s.sip.addresses.length > 0);
}

test('dialogs have the link as binding, and keep it while it lives', async () => {
  const one = await s.subscribe();
  const other = await s.subscribe();
  expect(one.binding).toMatch(/./);
  expect(other.binding).toBe(one.binding);
  expect(responseOf(await s.send(one)).binding).toBe(one.binding);
});

test('a lost link is told once there is another one, and once', async () => {
  const dialog = await s.subscribe();
  await lose();
  expect(lost).toEqual([dialog.binding]);
  const next = await s.subscribe();
  expect(next.binding).not.toBe(dialog.binding);
  lost.length = 0;
  await lose();
  expect(lost).toEqual([next.binding]);
});

test('a dialog of a lost link: refreshed, but its NOTIFYs go nowhere', async () => {
  const dialog = await s.subscribe();
  await lose();
  s.incoming.length = 0;
  expect(responseOf(await s.send(dialog))).toMatchObject({ status: 200, binding: null });
  await until('the NOTIFY was refused', () => s.presence.server.notifies.at(-1)?.outcome !== undefined);
  expect(s.incoming).toEqual([]);
});

test('... it can still be ended, and nothing of it is left', async () => {
  const dialog = await s.subscribe();
  await lose();
  const headers = [dialog.headers[0]!, ['Expires', '0']] as const;
  expect(responseOf(await s.send({ ...dialog, headers })).status).toBe(200);
  await until('the notifier has none', () => subscriptions() === 0);
  await until('the server has none', () => s.server.dialogs === 0);
  expect(s.server.leaks).toBe(0);
});

test('a server that forgot its dialogs: the refresh names everything itself, and binds it anew', async () => {
  const dialog = await s.subscribe();
  s.server.forget();
  const refreshed = responseOf(await s.send({ ...dialog, cseq: 40 }));
  expect(refreshed).toMatchObject({ status: 200, cseq: 40, binding: dialog.binding });
  expect(s.server.dialogs).toBe(1);
  expect(subscriptions()).toBe(1);
  // From here on it is a dialog like any other: the server counts.
  expect(responseOf(await s.send({ ...dialog, cseq: 90 })).cseq).toBe(41);
  await until('the NOTIFYs of all three', () => s.incoming.length === 3);
  expect(s.states.every((state) => state.startsWith('active'))).toBe(true);
});

test('a dialog of an earlier run that the server still has is tied to the link of that run', async () => {
  const { binding: _, ...dialog } = await s.subscribe();
  await s.sip.stop(0);
  const next = drachtioSip({ port: s.server.port });
  await s.start(next);
  expect(responseOf(await s.send({ ...dialog, cseq: 1002 }, next))).toMatchObject({
    status: 200,
    cseq: 2,
    binding: null,
  });
  expect(s.server.leaks).toBe(0);
  await next.stop(0);
});

test('what is no SUBSCRIBE, or was not accepted, has none', async () => {
  expect(responseOf(await s.send()).binding).toBeUndefined();
  s.presence.server.answerNext({ method: 'SUBSCRIBE', status: 403 });
  const { body: _, ...request } = s.draft({ method: 'SUBSCRIBE' });
  expect(
    responseOf(
      await s.send({
        ...request,
        headers: [
          ['Event', 'presence'],
          ['Expires', '60'],
        ],
      }),
    ).binding,
  ).toBeUndefined();
});
