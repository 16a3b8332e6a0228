/** Registrations by HTTP: what is told, in which order, what is known already, and whose time is over. */
import type { Binding, BindingEvent, BindingEventKind } from '@pua/core';
import { type RegistrationWebhookOptions, registrationWebhook } from '@pua/sources';
import { benches, faultsOf, START, until } from './support';

const start = benches();
const PATH = '/events/registrations';
const HOUR = 3_600_000;

const BINDING: Binding = {
  aor: 'alice@example.com',
  bindingId: 'uloc-1',
  contact: 'sip:alice@192.0.2.7:5066',
  expiresAt: START + 600_000,
  callId: 'c1',
  cseq: 1,
};

const event = (kind: BindingEventKind, more: Partial<Binding> = {}): BindingEvent => ({
  kind,
  binding: { ...BINDING, ...more },
});

async function listening(options: RegistrationWebhookOptions = {}) {
  const source = registrationWebhook(options);
  const events: BindingEvent[] = [];
  source.onEvent((heard) => void events.push(heard));
  const b = await start([source]);
  return {
    ...b,
    source,
    events,
    told: () => events.splice(0).map(({ kind, binding: { bindingId, contact } }) => `${kind} ${bindingId ?? contact}`),
    send: async (...given: object[]) => (await b.post(PATH, given)).json,
  };
}

describe('events', () => {
  test('a whole event comes to the listeners as it was sent; the answer counts it', async () => {
    const b = await listening();
    const whole: Binding = {
      ...BINDING,
      aor: 'sip:zo\u00eb@example.com',
      table: 'location2',
      q: 0.5,
      received: 'sip:192.0.2.7:5066;transport=tcp',
      path: '<sip:edge@198.51.100.1;lr>, <sip:edge2@198.51.100.1;lr>',
      userAgent: 'Phone "1" <x> & y',
      instance: 'urn:uuid:00000000-0000-1000-8000-000a95a0e128',
      regId: 1,
      flags: 6,
      registeredAt: START - 1000,
      params: { methods: 'INVITE', isfocus: true },
      pubGruu: 'sip:alice@example.com;gr=urn:uuid:1',
      tempGruu: 'sip:tgruu.7hs@example.com;gr',
      origin: 'replica',
      publish: true,
    };
    const given: BindingEvent = {
      kind: 'update',
      binding: whole,
      previous: BINDING,
      siblings: [whole, { ...BINDING, bindingId: 'uloc-2', expiresAt: 0 }],
      hints: {
        publish: false,
        origin: 'replica',
        fromUri: 'sip:alice@example.com',
        reason: 'probation',
        retryAfter: 30,
      },
    };
    const { status, json } = await b.post(PATH, given);
    expect([status, json]).toEqual([200, { accepted: 1, duplicates: 0, stale: 0 }]);
    expect(b.events).toEqual([given]);
  });

  test('the least that an event must have', async () => {
    const b = await listening();
    const least = { kind: 'insert', binding: { aor: 'alice', contact: 'sip:a@192.0.2.7', expiresAt: 0 } };
    expect(await b.send(least)).toMatchObject({ accepted: 1 });
    expect(b.events).toEqual([least]);
  });

  test('times may be dates with zone', async () => {
    const b = await listening();
    await b.send(event('insert', { expiresAt: '2026-01-31T09:10:00.5+01:00' as never }));
    expect(b.events[0]!.binding.expiresAt).toBe(Date.UTC(2026, 0, 31, 8, 10, 0, 500));
  });

  test('one wrong entry refuses the whole list', async () => {
    const b = await listening();
    const { status, json } = await b.post(PATH, [event('insert'), event('insert', { bindingId: '2', cseq: -1 })]);
    expect([status, json.problems]).toEqual([400, ['[1].binding.cseq: must be 0 or more']]);
    expect(b.events).toEqual([]);
  });

  test('a listener that fails is told as a fault', async () => {
    const source = registrationWebhook();
    source.onEvent(() => Promise.reject(new Error('broken')));
    const b = await start([source]);
    const faults = await faultsOf(async () => {
      expect((await b.post(PATH, event('insert'))).json).toMatchObject({ accepted: 1 });
    });
    expect(faults).toMatchObject([
      { where: 'a listener of the webhook for registrations', error: { message: 'broken' } },
    ]);
  });

  test('nobody listens: 503 with the remedy', async () => {
    const b = await start([registrationWebhook()]);
    const { status, json } = await b.post(PATH, event('insert'));
    expect([status, json.error]).toEqual([
      503,
      'nobody takes registrations: give this source to a companion such as usrloc({ source })',
    ]);
  });

  test('it can not tell what there is', async () => {
    const { source } = await listening();
    expect([source.snapshot, source.bindings]).toEqual([undefined, undefined]);
  });

  test('the path can be chosen', async () => {
    const b = await listening({ path: '/hooks/registrations' });
    expect((await b.post('/hooks/registrations', event('insert'))).status).toBe(200);
  });
});

test('order: the next event of an AOR waits for the listeners, that of another contact, too; other AORs do not', async () => {
  const source = registrationWebhook();
  const log: string[] = [];
  const open: (() => void)[] = [];
  source.onEvent(async ({ binding: { aor, bindingId } }) => {
    log.push(`+${bindingId}`);
    if (aor === 'slow') await new Promise<void>((resolve) => open.push(resolve));
    log.push(`-${bindingId}`);
  });
  const b = await start([source]);
  const first = b.post(PATH, event('insert', { aor: 'slow', bindingId: 's1' }));
  await until(() => log.length === 1, 'the first event');
  const second = b.post(PATH, [
    event('insert', { aor: 'slow', bindingId: 's2' }),
    event('insert', { aor: 'fast', bindingId: 'f' }),
  ]);
  await until(() => log.length === 3, 'the fast one');
  expect(log).toEqual(['+s1', '+f', '-f']);
  open.shift()!();
  await first;
  await until(() => open.length === 1, 'the second of the slow one');
  open.shift()!();
  expect((await second).json).toMatchObject({ accepted: 2 });
  expect(log.slice(3)).toEqual(['-s1', '+s2', '-s2']);
});

describe('what is known already', () => {
  test('the same binding, Call-ID, CSeq and kind: duplicate', async () => {
    const b = await listening();
    await b.send(event('insert'));
    expect(await b.send(event('insert'))).toEqual({ accepted: 0, duplicates: 1, stale: 0 });
    expect(await b.send(event('update'))).toMatchObject({ accepted: 1 });
    expect(await b.send(event('update', { callId: 'c2' }))).toMatchObject({ accepted: 1 });
    expect(await b.send(event('update', { callId: 'c2', cseq: 2 }))).toMatchObject({ accepted: 1 });
    expect(await b.send(event('insert', { bindingId: 'uloc-2' }))).toMatchObject({ accepted: 1 });
    expect(await b.send(event('insert', { aor: 'bob' }))).toMatchObject({ accepted: 1 });
    expect(await b.send(event('insert', { table: 'other' }))).toMatchObject({ accepted: 1 });
  });

  test('of an older Call-ID, too', async () => {
    const b = await listening();
    await b.send(event('insert'), event('update', { callId: 'c2' }));
    expect(await b.send(event('insert'))).toMatchObject({ duplicates: 1 });
  });

  test('without Call-ID and CSeq every event is new: a refresh can not be told from a repeated one', async () => {
    const b = await listening();
    const { callId: _, cseq: __, ...bare } = BINDING;
    expect(await b.send({ kind: 'update', binding: bare }, { kind: 'update', binding: bare })).toMatchObject({
      accepted: 2,
    });
  });

  test('without bindingId the contact tells bindings apart', async () => {
    const b = await listening();
    const { bindingId: _, ...bare } = BINDING;
    const one = { kind: 'insert', binding: bare };
    const two = { kind: 'insert', binding: { ...bare, contact: 'sip:other@192.0.2.7' } };
    expect(await b.send(one, two, one)).toEqual({ accepted: 2, duplicates: 1, stale: 0 });
  });

  test('an id that came before: duplicate', async () => {
    const b = await listening();
    await b.send({ ...event('insert'), id: 'e1' });
    expect(await b.send({ ...event('update', { cseq: 2 }), id: 'e1' })).toMatchObject({ duplicates: 1 });
  });

  test('a lower CSeq of the same Call-ID: stale', async () => {
    const b = await listening();
    await b.send(event('insert', { cseq: 5 }));
    expect(await b.send(event('update', { cseq: 4 }))).toEqual({ accepted: 0, duplicates: 0, stale: 1 });
    expect(b.told()).toEqual(['insert uloc-1']);
  });

  test('a lower sequence: stale, also after the end; the same: duplicate', async () => {
    const b = await listening();
    const numbered = (sequence: number, kind: BindingEventKind, cseq: number) => ({
      ...event(kind, { cseq }),
      sequence,
    });
    await b.send(numbered(3, 'insert', 1));
    expect(await b.send(numbered(2, 'update', 2), numbered(3, 'update', 3))).toMatchObject({ stale: 1, duplicates: 1 });
    await b.send(numbered(5, 'delete', 4));
    expect(await b.send(numbered(4, 'update', 5))).toMatchObject({ stale: 1 });
    expect(await b.send(numbered(6, 'insert', 6))).toMatchObject({ accepted: 1 });
    expect(b.told()).toEqual(['insert uloc-1', 'delete uloc-1', 'insert uloc-1']);
  });

  test('a lower sequence of another binding: told, but it does not know what became of the others meanwhile', async () => {
    const b = await listening();
    const two = { ...BINDING, bindingId: 'uloc-2' };
    const three = { ...BINDING, bindingId: 'uloc-3' };
    await b.send({ kind: 'insert', binding: two, siblings: [BINDING, two], sequence: 2 });
    await b.send({ ...event('insert'), siblings: [BINDING], sequence: 1 });
    expect(b.events.map(({ siblings }) => siblings)).toEqual([
      [BINDING, two],
      [BINDING, two],
    ]);
    // Also when none of them is left.
    await b.send({ ...event('delete', { cseq: 2 }), siblings: [three], sequence: 4 });
    await b.send({ kind: 'delete', binding: { ...two, cseq: 2 }, siblings: [], sequence: 5 });
    b.events.length = 0;
    await b.send({ kind: 'insert', binding: three, siblings: [BINDING, two, three], sequence: 3 });
    expect(b.events).toEqual([{ kind: 'insert', binding: three, siblings: [] }]);
  });

  test('after the end: no other end follows, late events are stale, a new REGISTER is none', async () => {
    const b = await listening();
    await b.send(event('insert', { cseq: 2 }), event('delete', { cseq: 2 }));
    expect(await b.send(event('expire', { cseq: 2 }), event('delete', { cseq: 3 }))).toMatchObject({ duplicates: 2 });
    expect(await b.send(event('update', { cseq: 2 }), event('update', { cseq: 1 }))).toMatchObject({ stale: 2 });
    expect(await b.send(event('insert', { cseq: 3 }), event('insert', { cseq: 4 }))).toMatchObject({
      stale: 1,
      accepted: 1,
    });
    expect(b.told()).toEqual(['insert uloc-1', 'delete uloc-1', 'insert uloc-1']);
  });

  test('an end that comes again counts as it was numbered last', async () => {
    const b = await listening();
    const end = (sequence: number) => ({ ...event('delete', { cseq: sequence }), sequence });
    await b.send(end(5), end(7));
    expect(await b.send({ ...event('insert', { cseq: 8 }), sequence: 6 })).toMatchObject({ stale: 1 });
  });

  test('an end of a binding that is not known is told: it may have been published before a restart', async () => {
    const b = await listening();
    expect(await b.send(event('delete'))).toMatchObject({ accepted: 1 });
  });

  test('for an hour', async () => {
    const b = await listening();
    await b.send(event('delete'));
    await b.clock.advanceAsync(HOUR - 1);
    expect(await b.send(event('delete'))).toMatchObject({ duplicates: 1 });
    await b.clock.advanceAsync(1);
    expect(await b.send(event('delete'))).toMatchObject({ accepted: 1 });
  });

  test('an Idempotency-Key', async () => {
    const b = await listening();
    const key = { 'Idempotency-Key': 'k' };
    const { callId: _, cseq: __, ...bare } = BINDING;
    await b.post(PATH, { kind: 'update', binding: bare }, key);
    const again = await b.post(PATH, { kind: 'update', binding: bare }, key);
    expect([again.json, again.headers['idempotency-replayed']]).toEqual([
      { accepted: 1, duplicates: 0, stale: 0 },
      'true',
    ]);
    expect(b.told()).toHaveLength(1);
  });
});

describe('the end that nobody tells', () => {
  test('a binding whose time is over: expire, once', async () => {
    const b = await listening();
    await b.send(event('insert'));
    b.told();
    await b.clock.advanceAsync(600_000 - 1);
    expect(b.events).toEqual([]);
    await b.clock.advanceAsync(1);
    expect(b.events.splice(0)).toEqual([{ kind: 'expire', binding: BINDING }]);
    expect(await b.send(event('expire'))).toMatchObject({ duplicates: 1 });
    await b.clock.advanceAsync(10 * HOUR);
    expect(b.events).toEqual([]);
  });

  test('a refresh moves it; a deleted one and a permanent one never expire', async () => {
    const b = await listening();
    await b.send(
      event('insert'),
      event('insert', { bindingId: 'deleted' }),
      event('insert', { bindingId: 'permanent', expiresAt: 0 }),
    );
    await b.clock.advanceAsync(500_000);
    await b.send(event('update', { cseq: 2, expiresAt: START + 1_200_000 }), event('delete', { bindingId: 'deleted' }));
    b.told();
    await b.clock.advanceAsync(699_999);
    expect(b.told()).toEqual([]);
    await b.clock.advanceAsync(1);
    expect(b.told()).toEqual(['expire uloc-1']);
    await b.clock.advanceAsync(1000 * HOUR);
    expect(b.told()).toEqual([]);
  });

  test('one that was over when it was told', async () => {
    const b = await listening();
    await b.send(event('insert', { expiresAt: START - 1000 }));
    await b.clock.advanceAsync(0);
    expect(b.told()).toEqual(['insert uloc-1', 'expire uloc-1']);
  });

  test('it carries the siblings that are left, when its sender gives them', async () => {
    const b = await listening();
    const two = { ...BINDING, bindingId: 'uloc-2', expiresAt: START + 900_000 };
    await b.send({ ...event('insert'), siblings: [BINDING] });
    await b.send({ kind: 'insert', binding: two, siblings: [BINDING, two] });
    b.events.length = 0;
    await b.clock.advanceAsync(900_000);
    expect(b.events).toEqual([
      { kind: 'expire', binding: BINDING, siblings: [two] },
      { kind: 'expire', binding: two, siblings: [] },
    ]);
  });

  test('it carries the hints of the last event: what another node has bound is no news of ours', async () => {
    const b = await listening();
    await b.send({ ...event('insert'), hints: { origin: 'local' } });
    const hints = { origin: 'replica', publish: false };
    await b.send({ ...event('update', { cseq: 2 }), hints });
    b.events.length = 0;
    await b.clock.advanceAsync(600_000);
    expect(b.events).toEqual([{ kind: 'expire', binding: { ...BINDING, cseq: 2 }, hints }]);
  });

  test('a binding that was given up lives again when it is refreshed', async () => {
    const b = await listening();
    await b.send(event('insert'));
    await b.clock.advanceAsync(600_000);
    b.told();
    expect(await b.send(event('update', { cseq: 2, expiresAt: START + 1_200_000 }))).toMatchObject({ accepted: 1 });
    await b.clock.advanceAsync(600_000);
    expect(b.told()).toEqual(['update uloc-1', 'expire uloc-1']);
  });

  test.each([false, 0] as const)('expire: %s leaves it to the sender', async (expire) => {
    const b = await listening({ expire });
    await b.send(event('insert'));
    b.told();
    await b.clock.advanceAsync(10 * HOUR);
    expect(b.told()).toEqual([]);
  });

  test('nothing is left behind by a stop', async () => {
    const b = await listening();
    await b.send(event('insert'));
    await b.stop();
    expect(b.clock.pending).toBe(0);
  });
});

test.each<[RegistrationWebhookOptions, string]>([
  [{ path: '/' }, 'registrationWebhook path: must be a path such as /events/dialogs, not "/"'],
  [{ expire: 2 as never }, 'registrationWebhook expire (expire): must be one of 0, 1, not 2'],
])('options that are none: %j', (options, message) => {
  expect(() => registrationWebhook(options)).toThrow(expect.objectContaining({ code: 'PUA_ERR_OPTION', message }));
});
