import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Binding, BindingEvent, BindingListener } from '@pua/core';
import { Bindings, type ContactUpdate, type Registration } from '@pua/sources';
import { SimClock } from '@pua/testkit';

const AOR = 'sip:alice@example.com';
const HOME = 'sip:alice@192.0.2.1:5060';
const DESK = 'sip:alice@192.0.2.2:5060';

function make(options: Partial<ConstructorParameters<typeof Bindings>[0]> = {}) {
  const clock = new SimClock();
  const table = new Bindings({ clock, ...options });
  const events: BindingEvent[] = [];
  table.onEvent((event) => void events.push(event));
  let cseq = 0;
  const register = (contacts: readonly ContactUpdate[] | '*', more: Partial<Registration> = {}) =>
    table.register({ aor: AOR, callId: 'call', cseq: ++cseq, contacts, ...more });
  const told = () => events.splice(0).map(({ kind, binding }) => `${kind} ${binding.contact}`);
  return { clock, table, events, register, told };
}

const at = (contact: string, expires = 600, more: Partial<ContactUpdate> = {}): ContactUpdate => ({
  contact,
  expires,
  ...more,
});
const flow = (contact: string, regId: number, expires = 600) =>
  at(contact, expires, { instance: 'urn:uuid:0001', regId });

test('what was decided about publishing is in the snapshot, too: a restart has no event to carry it', async () => {
  const { table, register } = make();
  register([at(HOME), at(DESK)], { publish: ({ contact }) => (contact === HOME ? false : undefined) });
  const all: Binding[] = [];
  for await (const binding of table.snapshot()) all.push(binding);
  expect(all.map(({ contact, publish }) => [contact, publish])).toEqual([
    [HOME, false],
    [DESK, undefined],
  ]);
});

describe('one REGISTER', () => {
  test('a new contact is inserted, again refreshed, with 0 deleted', () => {
    const { clock, events, register, told } = make();
    register([at(HOME)], { received: 'sip:192.0.2.1:5060', path: '<sip:edge;lr>', userAgent: 'Phone', fromUri: AOR });
    const [inserted] = events;
    expect(inserted).toEqual({
      kind: 'insert',
      binding: {
        aor: 'alice@example.com',
        bindingId: expect.stringMatching(/^b-[0-9a-f]{32}$/),
        contact: HOME,
        expiresAt: clock.wall() + 600_000,
        callId: 'call',
        cseq: 1,
        received: 'sip:192.0.2.1:5060',
        path: '<sip:edge;lr>',
        userAgent: 'Phone',
        registeredAt: clock.wall(),
      },
      siblings: [inserted!.binding],
      hints: { fromUri: AOR },
    });
    expect(told()).toEqual([`insert ${HOME}`]);
    clock.advance(100_000);
    register([at(HOME, 600, { q: 0.5 })]);
    const [updated] = events;
    expect(updated).toMatchObject({ kind: 'update', previous: inserted!.binding });
    expect(updated!.binding).toMatchObject({
      bindingId: inserted!.binding.bindingId,
      q: 0.5,
      registeredAt: inserted!.binding.registeredAt,
      expiresAt: clock.wall() + 600_000,
    });
    told();
    register([at(HOME, 0)]);
    expect(events).toEqual([expect.objectContaining({ kind: 'delete', binding: updated!.binding, siblings: [] })]);
  });

  test('none removes what is not there', () => {
    const { register, told, table } = make();
    expect(register([at(HOME, 0)])).toEqual({ bindings: [] });
    expect(register('*')).toEqual({ bindings: [] });
    expect(told()).toEqual([]);
    expect(table.size).toBe(0);
  });

  test('an empty one asks: the bindings there are, those that are due left out', () => {
    const { clock, register, told } = make();
    register([at(HOME, 60), at(DESK, 600)]);
    told();
    const found = register([]);
    expect('bindings' in found && found.bindings.map(({ contact }) => contact)).toEqual([HOME, DESK]);
    clock.advance(60_000);
    expect(told()).toEqual([`expire ${HOME}`]);
  });

  test('several contacts: each its event, every event shows all that are bound afterwards', () => {
    const { events, register } = make();
    register([at(HOME)]);
    events.length = 0;
    register([at(HOME, 0), at(DESK), at('sip:alice@192.0.2.3')]);
    expect(events.map(({ kind }) => kind)).toEqual(['delete', 'insert', 'insert']);
    for (const { siblings } of events) {
      expect(siblings!.map(({ contact }) => contact)).toEqual([DESK, 'sip:alice@192.0.2.3']);
    }
  });

  test('the same contact twice counts as it stands last', () => {
    const { register, told } = make();
    register([at(HOME, 600), at(`${HOME};x=1`, 300)]);
    expect(told()).toEqual([`insert ${HOME};x=1`]);
    register([at(HOME, 600), at(HOME, 0)]);
    expect(told()).toEqual([`delete ${HOME};x=1`]);
    expect(register([at(DESK), at(DESK, 0)])).toEqual({ bindings: [] });
    expect(told()).toEqual([]);
  });

  test('contacts are compared as URIs', () => {
    const { register, told } = make();
    register([at('sip:%61lice@Host.example.com;foo=1')]);
    register([at('sip:alice@host.EXAMPLE.com')]);
    expect(told()).toEqual(['insert sip:%61lice@Host.example.com;foo=1', 'update sip:alice@host.EXAMPLE.com']);
  });

  test('* removes all', () => {
    const { register, told, table } = make();
    register([at(HOME), at(DESK)]);
    told();
    expect(register('*')).toEqual({ bindings: [] });
    expect(told()).toEqual([`delete ${HOME}`, `delete ${DESK}`]);
    expect(table.size).toBe(0);
  });

  test('an address and a table have their own bindings', async () => {
    const { table, register } = make();
    register([at(HOME)]);
    register([at(DESK)], { table: 'guests' });
    register([at('sip:bob@192.0.2.9')], { aor: 'sip:bob@example.com' });
    const contacts = async (aor: string, name?: string) =>
      (await table.bindings(aor, name)).map(({ contact }) => contact);
    expect(await contacts('sip:alice@EXAMPLE.com:5060')).toEqual([HOME]);
    expect(await contacts('alice@example.com', 'location')).toEqual([HOME]);
    expect(await contacts('alice@example.com', 'guests')).toEqual([DESK]);
    expect(await contacts('nobody@example.com')).toEqual([]);
    expect(await contacts('sip:@')).toEqual([]);
    const all: Binding[] = [];
    for await (const binding of table.snapshot()) all.push(binding);
    expect(all.map(({ table: name, contact }) => [name, contact])).toEqual([
      [undefined, HOME],
      ['guests', DESK],
      [undefined, 'sip:bob@192.0.2.9'],
    ]);
  });

  test('one that lives for ever never expires', () => {
    const { clock, register, told, table } = make();
    register([at(HOME, Number.POSITIVE_INFINITY)]);
    clock.advance(10 * 365 * 86_400_000);
    expect(told()).toEqual([`insert ${HOME}`]);
    expect(table.size).toBe(1);
    expect(clock.pending).toBe(0);
  });
});

describe('all or nothing (RFC 3261 10.3, steps 6 and 7)', () => {
  test.each([
    ['the same CSeq', 5],
    ['a lower one', 4],
  ])('%s of the same Call-ID refuses all of it', (_, cseq) => {
    const { register, told, table } = make();
    register([at(HOME)], { cseq: 5 });
    told();
    const fault = { fault: 'out-of-order', reason: expect.any(String) };
    expect(register([at(DESK), at(HOME)], { cseq })).toEqual(fault);
    expect(register([at(HOME, 0)], { cseq })).toEqual(fault);
    expect(register('*', { cseq })).toEqual(fault);
    expect(told()).toEqual([]);
    expect(table.size).toBe(1);
  });

  test('* is refused as a whole when it comes too late for one of them', () => {
    const { register, told } = make();
    register([at(HOME)], { callId: 'a', cseq: 9 });
    register([at(DESK)], { callId: 'b', cseq: 1 });
    told();
    expect(register('*', { callId: 'a', cseq: 9 })).toHaveProperty('fault', 'out-of-order');
    expect(told()).toEqual([]);
    register('*', { callId: 'a', cseq: 10 });
    expect(told()).toEqual([`delete ${HOME}`, `delete ${DESK}`]);
  });

  test('another Call-ID, as after a reboot, is a refresh whatever its CSeq is', () => {
    const { register, events } = make();
    register([at(HOME)], { callId: 'a', cseq: 9 });
    register([at(HOME)], { callId: 'b', cseq: 1 });
    expect(events.map(({ kind }) => kind)).toEqual(['insert', 'update']);
    expect(events[1]).toMatchObject({ previous: { callId: 'a', cseq: 9 }, binding: { callId: 'b', cseq: 1 } });
    expect(events[1]!.binding.bindingId).toBe(events[0]!.binding.bindingId);
  });

  test('more contacts than an address may have', () => {
    const { register, told, table } = make({ maxContacts: 2 });
    register([at(HOME), at(DESK)]);
    told();
    expect(register([at(HOME), at('sip:third@h')])).toHaveProperty('fault', 'too-many-contacts');
    expect(told()).toEqual([]);
    register([at(HOME, 0), at('sip:third@h')]);
    expect(told()).toEqual([`delete ${HOME}`, 'insert sip:third@h']);
    expect(table.size).toBe(2);
  });

  test('more values than anybody needs', () => {
    const { register } = make();
    const many = Array.from({ length: 101 }, (_, i) => at(`sip:${i}@h`, 0));
    expect(register(many)).toHaveProperty('fault', 'too-many-contacts');
  });

  test('more bindings than there is place for; refreshes go on', () => {
    const { register, told } = make({ maxBindings: 1 });
    register([at(HOME)]);
    expect(register([at(DESK)])).toHaveProperty('fault', 'full');
    expect(register([at('sip:bob@h')], { aor: 'sip:bob@example.com' })).toHaveProperty('fault', 'full');
    register([at(HOME)]);
    expect(told()).toEqual([`insert ${HOME}`, `update ${HOME}`]);
    register([at(HOME, 0), at(DESK)]);
    expect(told()).toEqual([`delete ${HOME}`, `insert ${DESK}`]);
  });

  test('a refresh goes on where there are more than a REGISTER could make', async () => {
    const { table, register, told } = make({ maxContacts: 1 });
    register([at(HOME)]);
    const remote = { aor: AOR, contact: DESK, bindingId: 'c1', expiresAt: 0 };
    await table.upsert(remote, { origin: 'reginfo', subscriptionId: 's1' });
    told();
    expect(register([at('sip:third@h')])).toHaveProperty('fault', 'too-many-contacts');
    register([at(HOME)]);
    expect(told()).toEqual([`update ${HOME}`]);
  });

  test.each<[string, Partial<Registration>, Partial<ContactUpdate>]>([
    ['an address that is none', { aor: 'sip:@' }, {}],
    ['a long Call-ID', { callId: 'x'.repeat(256) }, {}],
    ['a long Path', { path: 'x'.repeat(2_049) }, {}],
    ['a long contact', {}, { contact: `sip:${'x'.repeat(512)}@h` }],
    ['a long instance', {}, { instance: 'x'.repeat(256) }],
  ])('%s', (_, registration, contact) => {
    const { register, told } = make();
    const result = register([at(DESK), { ...at(HOME), ...contact }], registration);
    expect(result).toHaveProperty('fault', 'malformed');
    expect(told()).toEqual([]);
  });
});

describe('flows (RFC 5626 section 6)', () => {
  test('instance and reg-id are the binding, whatever its URI is', () => {
    const { register, events } = make();
    register([flow('sip:alice@192.0.2.1:4001', 1)]);
    register([flow('sip:alice@192.0.2.1:4002', 1)], { callId: 'after reboot', cseq: 1 });
    expect(events[1]).toMatchObject({
      kind: 'update',
      previous: { contact: 'sip:alice@192.0.2.1:4001', callId: 'call' },
      binding: { contact: 'sip:alice@192.0.2.1:4002', bindingId: 'urn:uuid:0001;1' },
    });
    expect(events[1]!.siblings).toHaveLength(1);
  });

  test('each reg-id is a binding, also with the same URI; instances are compared as URNs', () => {
    const { register, told } = make();
    register([flow(HOME, 1)]);
    register([flow(HOME, 2)]);
    register([at(DESK, 600, { instance: 'URN:UUID:0001', regId: 1 })]);
    expect(told()).toEqual([`insert ${HOME}`, `insert ${HOME}`, `update ${DESK}`]);
  });

  test('an instance without reg-id is compared by its URI', () => {
    const { register, told } = make();
    register([at(HOME, 600, { instance: 'urn:uuid:0001' })]);
    register([at(DESK, 600, { instance: 'urn:uuid:0001' })]);
    expect(told()).toEqual([`insert ${HOME}`, `insert ${DESK}`]);
  });

  test('a phone that begins to use flows keeps its binding, and its old contact may come back as another one', () => {
    const { register, events } = make();
    register([at(HOME)]);
    register([flow(HOME, 1)]);
    register([flow(DESK, 1)]);
    register([at(HOME)]);
    expect(events.map(({ kind }) => kind)).toEqual(['insert', 'update', 'update', 'insert']);
    const ids = events.map(({ binding }) => binding.bindingId);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(ids[3]).not.toBe(ids[0]);
  });

  test('an identity that is given is used', () => {
    const { register, events } = make();
    register([at(HOME, 600, { bindingId: 'uloc-1' })]);
    register([at(DESK, 600, { bindingId: 'uloc-1' })]);
    expect(events.map(({ kind, binding }) => [kind, binding.bindingId])).toEqual([
      ['insert', 'uloc-1'],
      ['update', 'uloc-1'],
    ]);
  });
});

describe('what a source decides', () => {
  test('publish is asked when a binding comes and is refreshed, and stays with it until it ends', () => {
    const { clock, register, events } = make();
    const publish = ({ contact }: Binding) => (contact === HOME ? true : contact === DESK ? false : undefined);
    register([at(HOME, 60), at(DESK, 60), at('sip:third@h', 60)], { publish });
    register([at(HOME, 0)]);
    clock.advance(60_000);
    const decided = events.map(({ kind, binding, hints }) => `${kind} ${binding.contact} ${hints?.publish}`);
    expect(decided.slice(0, 3)).toEqual([
      `insert ${HOME} true`,
      `insert ${DESK} false`,
      'insert sip:third@h undefined',
    ]);
    expect(decided.slice(3).sort()).toEqual([
      `delete ${HOME} true`,
      `expire ${DESK} false`,
      'expire sip:third@h undefined',
    ]);
  });

  test('From and origin go with the events', () => {
    const { register, events } = make();
    register([at(HOME)], { fromUri: 'sip:boss@example.com', origin: 'replica' });
    expect(events[0]).toMatchObject({
      binding: { origin: 'replica' },
      hints: { fromUri: 'sip:boss@example.com', origin: 'replica' },
    });
  });

  test('a predicate that throws is told as a fault and decides nothing', () => {
    const { register, events } = make();
    const faults = listen();
    register([at(HOME)], {
      publish: () => {
        throw new Error('in the predicate');
      },
    });
    expect(events[0]!.hints).toEqual({});
    expect(faults.end()).toEqual([expect.objectContaining({ error: new Error('in the predicate') })]);
  });
});

describe('listeners', () => {
  test('one that throws or rejects harms nobody', async () => {
    const { table, register, told } = make();
    const faults = listen();
    table.onEvent(() => {
      throw new Error('thrown');
    });
    table.onEvent(async () => {
      throw new Error('rejected');
    });
    register([at(HOME)]);
    expect(told()).toEqual([`insert ${HOME}`]);
    await new Promise(setImmediate);
    expect(faults.end().map(({ error }) => (error as Error).message)).toEqual(['thrown', 'rejected']);
  });

  test('one that gives something back is none that fails', () => {
    const { table, register, told } = make();
    const faults = listen();
    const list: BindingEvent[] = [];
    // JavaScript has no void.
    table.onEvent(((event: BindingEvent) => list.push(event)) as unknown as BindingListener);
    register([at(HOME)]);
    expect([told(), list.length, faults.end()]).toEqual([[`insert ${HOME}`], 1, []]);
  });

  test('one that changes something is told of it after everybody has heard what came before', () => {
    const { table, register } = make();
    const heard: string[] = [];
    const off = table.onEvent(({ kind }) => {
      heard.push(`first ${kind}`);
      if (kind === 'insert') register('*');
    });
    table.onEvent(({ kind }) => void heard.push(`second ${kind}`));
    register([at(HOME)]);
    expect(heard).toEqual(['first insert', 'second insert', 'first delete', 'second delete']);
    off();
    register([at(HOME)]);
    expect(heard.slice(4)).toEqual(['second insert']);
  });
});

describe('expiry', () => {
  test('at its time, in the order of time, with the bindings that are left', () => {
    const { clock, register, events } = make();
    register([at(HOME, 60), at(DESK, 30)]);
    events.length = 0;
    clock.advance(29_999);
    expect(events).toEqual([]);
    clock.advance(1);
    expect(events.map(({ kind, binding, siblings }) => [kind, binding.contact, siblings!.length])).toEqual([
      ['expire', DESK, 1],
    ]);
    clock.advance(30_000);
    expect(events[1]).toMatchObject({ kind: 'expire', binding: { contact: HOME }, siblings: [] });
    expect(clock.pending).toBe(0);
  });

  test('what has run out is gone before it is told', async () => {
    const { clock, table, register } = make();
    register([at(HOME, 60), at(DESK, 60)]);
    const found: Promise<readonly Binding[]>[] = [];
    table.onEvent(() => void found.push(table.bindings(AOR)));
    clock.advance(60_000);
    expect(await Promise.all(found)).toEqual([[], []]);
  });

  test('a refresh moves it, later and earlier', () => {
    const { clock, register, told } = make();
    register([at(HOME, 60)]);
    register([at(HOME, 600)]);
    clock.advance(599_999);
    register([at(HOME, 10)]);
    told();
    clock.advance(10_000);
    expect(told()).toEqual([`expire ${HOME}`]);
  });

  test('a clock that is put right changes no lifetime', () => {
    const { clock, register, told } = make();
    register([at(HOME, 60)]);
    told();
    clock.jumpWall(3_600_000);
    clock.advance(59_999);
    expect(told()).toEqual([]);
    clock.advance(1);
    expect(told()).toEqual([`expire ${HOME}`]);
  });

  test.each([3_600_000, -3_600_000])('nor does it hide a binding that lives (%d ms)', async (ms) => {
    const { clock, table, register } = make();
    register([at(HOME, 60)]);
    clock.jumpWall(ms);
    expect(await table.bindings(AOR)).toHaveLength(1);
    expect(register([])).toMatchObject({ bindings: [{ contact: HOME }] });
  });

  test('10 000 in the same second come in portions, the event loop has its turn in between', () => {
    const { clock, table, register, events } = make();
    for (let i = 0; i < 10_000; i++) register([at(`sip:${i}@h`, 60)], { aor: `sip:${i}@example.com` });
    events.length = 0;
    const portions: number[] = [];
    const after = clock.after.bind(clock);
    clock.after = (ms, run) =>
      after(ms, () => {
        const before = events.length;
        run();
        portions.push(events.length - before);
      });
    clock.advance(60_000);
    expect(table.size).toBe(0);
    expect(new Set(events.map(({ binding }) => binding.aor)).size).toBe(10_000);
    expect(clock.pending).toBe(0);
    expect(Math.max(...portions)).toBeLessThanOrEqual(1_000);
  });
});

describe('bindings that a NOTIFY tells (RegistrationSink)', () => {
  const meta = { origin: 'reginfo', subscriptionId: 's1' } as const;
  const other = { origin: 'reginfo', subscriptionId: 's2' } as const;
  const remote = (contact: string, bindingId: string, expiresAt = 0): Binding => ({
    aor: AOR,
    contact,
    bindingId,
    expiresAt,
  });

  test('are inserted and updated, with their origin and owner', async () => {
    const { table, events } = make();
    expect(await table.upsert(remote(HOME, 'c1'), meta)).toBe('inserted');
    expect(await table.upsert(remote(DESK, 'c1'), meta)).toBe('updated');
    expect(events).toMatchObject([
      { kind: 'insert', binding: { aor: 'alice@example.com', origin: 'reginfo' }, hints: { origin: 'reginfo' } },
      { kind: 'update', binding: { contact: DESK, bindingId: 'c1' }, previous: { contact: HOME } },
    ]);
    expect(await table.listOwned('alice@example.com', 's1')).toEqual([events[1]!.binding]);
    expect(await table.listOwned('alice@example.com', 's2')).toEqual([]);
  });

  test.each([
    ['expired', 'expire', undefined],
    ['unregistered', 'delete', 'unregistered'],
    ['rejected', 'delete', 'rejected'],
    ['deactivated', 'delete', 'deactivated'],
    ['probation', 'delete', 'probation'],
    ['something-new', 'delete', undefined],
  ])('end by %s as %s', async (event, kind, reason) => {
    const { table, events } = make();
    await table.upsert(remote(HOME, 'c1'), meta);
    expect(await table.remove(AOR, 'c1', { ...other, event })).toBe(false);
    expect(await table.remove(AOR, 'c1', { ...meta, event })).toBe(true);
    expect(await table.remove(AOR, 'c1', { ...meta, event })).toBe(false);
    expect(events[1]).toMatchObject({ kind, hints: { origin: 'reginfo' }, siblings: [] });
    expect(events[1]!.hints?.reason).toBe(reason);
  });

  test('all of one subscription are removed, no others', async () => {
    const { table, register, told } = make();
    register([at('sip:local@h')]);
    await table.upsert(remote(HOME, 'c1'), meta);
    await table.upsert(remote(DESK, 'c2'), meta);
    await table.upsert(remote('sip:x@h', 'c3'), other);
    told();
    expect(await table.removeAll(AOR, meta)).toBe(2);
    expect(told()).toEqual([`delete ${HOME}`, `delete ${DESK}`]);
    expect(table.size).toBe(2);
  });

  test('leave those alone that were registered here, and are taken over by a REGISTER', async () => {
    const { table, register, told } = make();
    register([at(HOME)]);
    expect(await table.upsert(remote(HOME, 'c1'), meta)).toBe('updated');
    expect(told()).toEqual([`insert ${HOME}`]);
    await table.upsert(remote(DESK, 'c2'), meta);
    register([at(DESK)]);
    expect(told()).toEqual([`insert ${DESK}`, `update ${DESK}`]);
    expect(await table.listOwned(AOR, 's1')).toEqual([]);
    expect(await table.removeAll(AOR, meta)).toBe(0);
  });

  test('are those of the subscription in whatever table they are', async () => {
    const { table, register, told } = make();
    const guest = (contact: string, bindingId: string) => ({ ...remote(contact, bindingId), table: 'guests' });
    register([at('sip:local@h')], { table: 'guests' });
    await table.upsert(remote('sip:x@h', 'c0'), meta);
    await table.upsert(guest(HOME, 'c1'), meta);
    await table.upsert(guest(DESK, 'c2'), meta);
    await table.upsert(guest('sip:y@h', 'c3'), other);
    told();
    const owned = await table.listOwned(AOR, 's1');
    expect(owned.map(({ table: name, contact }) => [name, contact])).toEqual([
      [undefined, 'sip:x@h'],
      ['guests', HOME],
      ['guests', DESK],
    ]);
    expect(await table.remove(AOR, 'c1', { ...meta, event: 'expired' })).toBe(true);
    expect(await table.removeAll(AOR, meta)).toBe(2);
    expect(told()).toEqual([`expire ${HOME}`, 'delete sip:x@h', `delete ${DESK}`]);
    expect(table.size).toBe(2);
  });

  test('expire by themselves, and are bounded in total', async () => {
    const { clock, table, told } = make({ maxBindings: 1 });
    await table.upsert(remote(HOME, 'c1', clock.wall() + 5_000), meta);
    await expect(table.upsert(remote(DESK, 'c2'), meta)).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
    await expect(table.upsert({ ...remote(DESK, 'c2'), aor: 'sip:@' }, meta)).rejects.toMatchObject({
      code: 'PUA_ERR_ARGUMENT',
    });
    clock.advance(5_000);
    expect(told()).toEqual([`insert ${HOME}`, `expire ${HOME}`]);
  });

  test('have users without domain where the table has', async () => {
    const { table, register } = make({ useDomain: false });
    register([at(HOME)]);
    await table.upsert({ ...remote(DESK, 'c1'), aor: 'sip:alice@elsewhere.example.org' }, meta);
    expect((await table.bindings('alice')).map(({ contact }) => contact)).toEqual([HOME, DESK]);
  });
});

function listen() {
  const heard: Record<string, unknown>[] = [];
  const listener = (message: unknown) => void heard.push(message as Record<string, unknown>);
  subscribe('pua:fault', listener);
  return {
    end() {
      unsubscribe('pua:fault', listener);
      return heard;
    },
  };
}
