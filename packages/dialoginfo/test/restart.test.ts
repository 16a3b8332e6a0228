/** A restart of ours in the middle of calls. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { channels, type DialogSnapshot } from '@pua/core';
import { ALICE, BOB, FakeSource, ringing, snapshot } from './support/source';
import { inWorld, type World, type WorldOptions } from './support/world';

const confirmed = (more: Partial<DialogSnapshot> = {}) => snapshot({ state: 'confirmed', callee: ringing(), ...more });
const live = (...calls: DialogSnapshot[]) => new FakeSource(calls);

/** Events as a new process hears them: nothing of the old one's memory. */
async function restart(w: World, options: WorldOptions['dialoginfo'] = {}): Promise<void> {
  await w.stopPua();
  w.told();
  await w.startPua(options);
  await w.settle();
}

test('what lives is adopted: no PUBLISH, no second publication', async () => {
  const w = await inWorld({ source: live(confirmed(), confirmed({ key: 'k2', state: 'early' })) });
  w.source.say('confirmed', { callee: ringing() });
  w.source.say('early', { key: 'k2', callee: ringing() });
  await w.settle();
  await restart(w);
  await w.advance(10_000);
  expect(w.told()).toEqual([]);
  expect(w.server.publications).toHaveLength(4);
  expect(w.module.stats()).toMatchObject({ calls: 2, publications: 4 });
});

test('what changed meanwhile modifies the publication', async () => {
  const w = await inWorld({ source: live() });
  w.source.say('early', { callee: ringing() });
  await w.settle();
  w.source.calls!.set('k1', confirmed());
  await restart(w);
  expect(w.published.every(({ initial }) => !initial)).toBe(true);
  expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
});

test('a call that began meanwhile is published', async () => {
  const w = await inWorld({ source: live(confirmed()) });
  await w.settle();
  expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
});

test('what is not live ends after the grace: its own document, terminated by timeout', async () => {
  const w = await inWorld({ source: live() });
  w.source.say('confirmed', { callee: ringing() });
  await w.settle();
  const before = w.document('bob').dialogs[0]!;
  await restart(w, { heartbeatInterval: 10, heartbeatGrace: 25 });
  await w.advance(29_000);
  expect(w.told()).toEqual([]);
  await w.advance(2_000);
  expect(w.document('bob').dialogs[0]).toEqual({ ...before, state: 'terminated', event: 'timeout' });
  expect(w.told()).toEqual(['alice initiator terminated timeout', 'bob recipient terminated timeout']);
  await w.advance(10_000);
  expect(w.server.publications).toEqual([]);
});

test('a source that can not tell: calls of records stay until they end', async () => {
  const w = await inWorld({ source: new FakeSource() });
  w.source.say('confirmed', { callee: ringing(), lifetime: 1_000 });
  await w.settle();
  await restart(w, { heartbeatInterval: 10, heartbeatGrace: 10 });
  await w.advance(600_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
  w.source.say('terminated', { callee: { uri: BOB } });
  await w.settle();
  expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
});

test('nor does one of several that can not tell', async () => {
  const w = await inWorld({ source: new FakeSource() });
  w.source.say('confirmed', { callee: ringing() });
  await w.settle();
  await restart(w, { sources: [live()], heartbeatInterval: 10, heartbeatGrace: 10 });
  await w.advance(600_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
});

test('an end ends all that the records have: both sides, all forks, all presentities', async () => {
  const w = await inWorld();
  const publishUris = { caller: ['sip:c1@example.com', 'sip:c2@example.com'] };
  w.source.say('early', { callee: ringing('t1'), publishUris });
  w.source.say('early', { callee: ringing('t2') });
  w.source.say('early', { key: 'k2', callee: { uri: 'sip:carol@example.com', tag: 'x' } });
  await w.advance(100);
  await restart(w);
  w.source.say('failed', { caller: { uri: ALICE }, reason: { code: 487 } });
  await w.advance(100);
  const end = 'terminated cancelled 487';
  expect(w.told().sort()).toEqual(
    [`bob recipient ${end}`, `bob recipient ${end}`, `c1 initiator ${end}`, `c1 initiator ${end}`]
      .concat([`c2 initiator ${end}`, `c2 initiator ${end}`])
      .sort(),
  );
  await w.advance(11_000);
  expect(w.lamps()).toEqual({ alice: ['early'], carol: ['early'] });
});

test('forks are found again by their tags and branches', async () => {
  const w = await inWorld();
  w.source.say('early', { callee: ringing('t1') });
  w.source.say('early', { callee: ringing('t2') });
  w.source.say('early', { key: 'k2', branch: '0', callee: { uri: 'sip:carol@example.com' } });
  w.source.say('early', { key: 'k2', branch: '1', callee: { uri: 'sip:carol@example.com' } });
  await w.advance(100);
  expect(w.server.publications).toHaveLength(8);
  await restart(w);
  w.source.say('confirmed', { callee: ringing('t2') });
  w.source.say('confirmed', { key: 'k2', branch: '1', callee: { uri: 'sip:carol@example.com' } });
  await w.advance(100);
  expect(w.published.every(({ initial }) => !initial)).toBe(true);
  expect(w.server.publications).toHaveLength(8);
  await w.advance(11_000);
  expect(w.lamps()).toEqual({ alice: ['confirmed', 'confirmed'], bob: ['confirmed'], carol: ['confirmed'] });
});

test('kamailio#2906: the late end of a branch that is over ends no other one', async () => {
  const w = await inWorld();
  const carol = { uri: 'sip:carol@example.com' };
  w.source.say('early', { branch: '0', callee: carol });
  w.source.say('early', { branch: '1', callee: carol });
  w.source.say('failed', { branch: '0', callee: carol });
  await w.advance(15_000);
  await restart(w);
  w.source.say('failed', { branch: '0', callee: carol });
  await w.settle();
  expect(w.lamps()).toEqual({ alice: ['early'], carol: ['early'] });
  w.source.say('failed', { branch: '1', callee: carol });
  await w.settle();
  expect(w.lamps()).toEqual({ alice: ['terminated'], carol: ['terminated'] });
});

test('tags and contacts that the events leave out are those of the documents', async () => {
  const w = await inWorld();
  w.source.say('early', { callee: ringing() });
  await w.settle();
  await restart(w);
  w.source.say('confirmed', { caller: { uri: ALICE }, callee: { uri: BOB } });
  await w.settle();
  expect(w.document('bob').dialogs[0]).toMatchObject({
    state: 'confirmed',
    localTag: 'b-tag',
    remoteTag: 'a-tag',
    callId: 'c1@call.example.com',
    local: { target: { uri: 'sip:b-tag@192.0.2.2' } },
    remote: { target: { uri: 'sip:alice@192.0.2.1:5062' } },
  });
});

test('the legs of a B2BUA, too', async () => {
  const call = confirmed({
    callId: 'leg-a',
    caller: { uri: ALICE, tag: 'a1', peerTag: 'us-a' },
    callee: { uri: BOB, tag: 'b1', peerTag: 'us-b', callId: 'leg-b' },
  });
  const w = await inWorld({ source: live(call) });
  await w.settle();
  await restart(w);
  expect(w.told()).toEqual([]);
  w.source.say('updated', {
    callId: 'leg-a',
    caller: { uri: ALICE, contact: 'sip:new@192.0.2.1' },
    callee: { uri: BOB },
  });
  await w.settle();
  expect(w.document('bob').dialogs[0]).toMatchObject({ callId: 'leg-b', localTag: 'b1', remoteTag: 'us-b' });
});

test('what a call replaces and who referred to it, too', async () => {
  const w = await inWorld();
  const replaces = { callId: 'old', localTag: 'l', remoteTag: 'r' };
  w.source.say('early', {
    callee: ringing(),
    replaces,
    referredBy: { uri: 'sip:carol@example.com', display: 'Carol' },
  });
  await w.settle();
  await restart(w);
  w.source.say('early', { callee: ringing() });
  await w.settle();
  expect(w.told()).toEqual([]);
});

test('a new tag replaces one of the records', async () => {
  const w = await inWorld();
  w.source.say('confirmed', { callee: ringing() });
  await w.settle();
  await restart(w);
  w.source.say('updated', { callee: ringing('after-transfer') });
  await w.settle();
  expect(w.document('alice').dialogs[0]!.remoteTag).toBe('after-transfer');
  expect(w.server.publications).toHaveLength(2);
});

describe('what was suppressed stays so', () => {
  const FLAG = { disableCallerPublishFlag: 5, callerEntityWhenPublishDisabled: 'sip:front@example.com' };

  test('a side without document, and the substitute in the other one', async () => {
    const w = await inWorld({ dialoginfo: FLAG });
    w.source.say('early', { callee: ringing(), flags: 32 });
    await w.settle();
    await restart(w);
    w.source.say('confirmed', { callee: ringing() });
    await w.settle();
    expect(w.told()).toEqual(['bob recipient confirmed']);
    expect(w.server.publications[0]!.body.text()).not.toContain('alice');
    w.source.say('expired', { callee: ringing() });
    await w.settle();
    expect(w.told()).toEqual(['bob recipient terminated timeout']);
  });

  test('unless the source says otherwise', async () => {
    const w = await inWorld({ dialoginfo: FLAG });
    w.source.say('early', { callee: ringing(), flags: 32 });
    await w.settle();
    await restart(w);
    w.source.say('confirmed', { callee: ringing(), publish: { caller: true } });
    await w.settle();
    expect(Object.keys(w.lamps()).sort()).toEqual(['alice', 'bob']);
  });

  test.each([
    ['a mask', { mask: { caller: 'sip:front@example.com' } }],
    ['privacy', { privacy: { caller: ['id'] } }],
  ])('%s', async (_, more) => {
    const w = await inWorld();
    w.source.say('early', { callee: ringing(), ...more });
    await w.settle();
    await restart(w);
    w.source.say('confirmed', { callee: ringing() });
    await w.settle();
    const { remote } = w.document('bob').dialogs[0]!;
    expect(remote!.identity!.uri).not.toBe(ALICE);
    expect(remote!.target!.uri).toBe(remote!.identity!.uri);
    expect(w.document('alice').dialogs[0]!.local!.identity!.uri).toBe(ALICE);
  });

  test('in every fork of the call', async () => {
    const w = await inWorld();
    const hidden = { publish: { caller: false }, privacy: { caller: ['id'] } };
    w.source.say('early', { callee: ringing('t1'), ...hidden });
    w.source.say('early', { callee: ringing('t2') });
    await w.advance(100);
    await restart(w);
    w.source.say('early', { callee: { ...ringing('t1'), contact: 'sip:t1@192.0.2.7' } });
    w.source.say('early', { callee: { ...ringing('t2'), contact: 'sip:t2@192.0.2.7' } });
    await w.advance(100);
    expect(w.published).toHaveLength(2);
    for (const { body } of w.published) {
      expect(body).toContain('192.0.2.7');
      expect(body).not.toContain('alice');
    }
  });

  test('who is nobody here was not suppressed: its Contact is told as before', async () => {
    const w = await inWorld({ dialoginfo: { localDomains: 'example.com' } });
    const far = { uri: 'sip:bob@elsewhere.test', tag: 'b', contact: 'sip:bob@192.0.2.2' };
    w.source.say('early', { callee: far });
    await w.settle();
    await restart(w);
    w.source.say('early', { callee: far });
    await w.settle();
    expect(w.told()).toEqual([]);
    w.source.say('confirmed', { callee: far });
    await w.settle();
    expect(w.document('alice').dialogs[0]!.remote!.target!.uri).toBe('sip:bob@192.0.2.2');
  });

  test('the name by which the other side knew it does not become its own', async () => {
    const w = await inWorld({ dialoginfo: { includeTags: 0 } });
    w.source.say('early', { callee: ringing(), privacy: { caller: ['id'] } });
    await w.settle();
    await restart(w);
    w.source.say('confirmed', { callee: ringing() });
    await w.settle();
    expect(w.document('alice').dialogs[0]!.local!.identity).toEqual({ uri: ALICE });
  });

  test('a callee who had not been told of yet was not suppressed', async () => {
    const w = await inWorld();
    w.source.say('created');
    await w.settle();
    await restart(w);
    w.source.say('early', { callee: ringing() });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator early', 'bob recipient early']);
  });
});

test('presentities and identities of the script stay', async () => {
  const w = await inWorld({
    dialoginfo: {
      profile: 'opensips',
      callerSpecParam: '$avp(caller)',
      usePubruriAvps: 1,
      pubruriCallerAvp: '$avp(c)',
      pubruriCalleeAvp: '$avp(d)',
    },
  });
  const vars = {
    '$avp(caller)': 'sip:100@example.com',
    '$avp(c)': ['sip:x@example.com', 'sip:y@example.com'],
    '$avp(d)': [],
  };
  w.source.say('early', { callee: ringing(), vars });
  await w.settle();
  await restart(w);
  w.source.say('confirmed', { callee: ringing() });
  await w.settle();
  expect(w.document('y').entity).toBe('sip:100@example.com');
  expect(w.told()).toEqual(['x initiator confirmed', 'y initiator confirmed']);
});

test('a branch whose callee was renamed keeps the name', async () => {
  const w = await inWorld({ dialoginfo: { profile: 'opensips' } });
  w.module.dialoginfoSet('k1');
  w.module.dialoginfoSetBranchCallee('k1', '0', 'sip:carol@example.com');
  w.source.say('early', { callee: ringing(), branch: '0' });
  await w.settle();
  await restart(w);
  w.source.say('confirmed', { callee: ringing(), branch: '0' });
  await w.settle();
  expect(w.told()).toEqual(['alice initiator confirmed', 'carol recipient confirmed']);
});

test('a side that dialoginfo_set did not choose stays silent', async () => {
  const w = await inWorld({ dialoginfo: { profile: 'opensips' } });
  w.module.dialoginfoSet('k1', 'B');
  w.source.say('early', { callee: ringing(), branch: '0' });
  await w.settle();
  await restart(w);
  w.source.say('confirmed', { callee: ringing(), branch: '0' });
  await w.settle();
  expect(w.told()).toEqual(['bob recipient confirmed']);
});

test('what follows the first event follows the source again', async () => {
  const w = await inWorld();
  w.source.say('early', { callee: ringing() });
  await w.settle();
  await restart(w);
  w.source.say('confirmed', { callee: ringing() });
  w.source.say('updated', { callee: { ...ringing(), uri: 'sip:carol@example.com' } });
  await w.advance(100);
  expect(w.told()).toEqual(expect.arrayContaining(['bob recipient terminated', 'carol recipient confirmed']));
});

test('publications whose document says terminated are removed', async () => {
  const w = await inWorld();
  w.source.say('confirmed', { callee: ringing() });
  await w.settle();
  w.source.say('terminated', { callee: ringing() });
  await w.settle();
  await restart(w);
  await w.settle();
  expect(w.told()).toEqual(['alice removed', 'bob removed']);
  expect(w.module.stats()).toMatchObject({ calls: 0, publications: 0 });
});

test('caller_confirmed: what the caller is told is not believed', async () => {
  const w = await inWorld({ dialoginfo: { callerConfirmed: 1 } });
  w.source.say('early', { callee: ringing(), publish: { callee: false } });
  await w.settle();
  await restart(w);
  w.source.say('failed', { callee: ringing() });
  await w.settle();
  expect(w.told()).toEqual(['alice initiator terminated']);
});

describe('records that are not ours', () => {
  test.each([
    [
      "Kamailio's ids",
      '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:a@b.example"><dialog id="padi-1"><state>confirmed</state></dialog></dialog-info>',
    ],
    ['broken', '<dialog-info'],
  ])('%s: taken back', async (_, body) => {
    const w = await inWorld();
    // With a parameter it is nothing that the body processor looks into.
    const contentType = 'application/dialog-info+xml;charset=utf-8';
    const record = { presUri: ALICE, event: 'dialog', id: 'DIALOG_PUBLISH.padi-1', contentType, body } as const;
    w.pua.sendPublish({ ...record, sourceFlag: 'DIALOG_PUBLISH' });
    w.pua.sendPublish({ ...record, sourceFlag: 'RPC_PUBLISH' });
    await w.advance(100);
    expect(w.server.publications).toHaveLength(2);
    w.server.clearLog();
    await w.settle();
    await restart(w);
    await w.settle();
    expect(w.told().filter((line) => line.includes('removed'))).toEqual(['alice removed']);
    expect([...w.pua.list()].map(({ sourceFlag }) => sourceFlag)).toEqual([64]);
    expect(w.server.publications).toHaveLength(1);
  });
});

test('a record that nobody can end stops no start', async () => {
  const w = await inWorld();
  w.source.say('early', { callee: ringing() });
  await w.settle();
  await w.stopPua();
  w.told();
  // As another writer may have left it.
  const [key, row] = [...w.rows][0]!;
  w.rows.set(`${key} strange`, {
    ...row,
    record_key: `${key} strange`,
    pres_uri: 'sip:a b@example.com',
    document: null,
  });
  const faults: string[] = [];
  const listener = (message: unknown) => void faults.push((message as { where: string }).where);
  subscribe(channels.fault.name as string, listener);
  await w.startPua();
  await w.settle();
  unsubscribe(channels.fault.name as string, listener);
  expect(faults).toEqual(['dialoginfo: record of sip:a b@example.com']);
  w.source.say('confirmed', { callee: ringing() });
  await w.settle();
  expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
});

test('many records are read bit by bit; events wait for the last of them', async () => {
  const calls = Array.from({ length: 150 }, (_, i) => confirmed({ key: `k${i}` }));
  const w = await inWorld({ source: live(...calls) });
  await w.advance(20_000);
  await w.stopPua();
  w.told();
  await w.startPua();
  w.source.say('terminated', { key: 'k149', callee: ringing() });
  expect(w.module.stats().calls).toBeLessThan(150);
  await w.advance(1_000);
  expect(w.module.stats()).toMatchObject({ calls: 150, publications: 300 });
  expect(w.told()).toEqual(['alice initiator terminated', 'bob recipient terminated']);
});

test('events that come before our own start wait for the records', async () => {
  const w = await inWorld();
  w.source.say('early', { callee: ringing() });
  await w.settle();
  await w.stopPua();
  w.told();
  const { source } = w;
  await w.startPua({
    sources: [
      {
        // A source that starts earlier speaks from its own start on; here already when it is listened to.
        onEvent: (listener) => {
          void listener({ kind: 'confirmed', dialog: confirmed() });
          return () => {};
        },
      },
    ],
  });
  await w.settle();
  expect(source.listeners).toBe(1);
  expect(w.published.every(({ initial }) => !initial)).toBe(true);
  expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
});
