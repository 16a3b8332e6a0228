/** Profile opensips: its state table and its script functions. */
import type { DialoginfoOptions } from '@pua/dialoginfo';
import { ALICE, BOB, ringing } from './support/source';
import { inWorld } from './support/world';

const opensips = (more: DialoginfoOptions = {}) => inWorld({ dialoginfo: { profile: 'opensips', ...more } });
const answered = { callee: ringing() };

describe('state table', () => {
  test('the creation publishes nothing', async () => {
    const w = await opensips({ publishOnTrying: 1 });
    w.source.say('created');
    await w.settle();
    expect(w.told()).toEqual([]);
  });

  test('a reply 100..179 publishes with publish_on_trying only', async () => {
    const w = await opensips();
    w.source.say('early', { state: 'trying' });
    w.source.say('early', { state: 'proceeding' });
    await w.settle();
    expect(w.told()).toEqual([]);
    await w.stopPua();
    await w.startPua({ publishOnTrying: 1 });
    w.source.say('created', { key: 'k2' });
    w.source.say('early', { key: 'k2', state: 'trying', branch: '0' });
    await w.settle();
    expect(w.published.map(({ expires }) => expires)).toEqual([300, 300]);
    expect(w.told()).toEqual(['alice initiator trying', 'bob recipient trying']);
    w.source.say('early', { key: 'k2', state: 'proceeding', branch: '0' });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator proceeding', 'bob recipient proceeding']);
  });

  test('a sign of life is no reply', async () => {
    const w = await opensips({ publishOnTrying: 1 });
    w.source.say('created');
    w.source.say('updated', { state: 'trying' });
    w.source.say('restored', { state: 'trying' });
    await w.settle();
    expect(w.told()).toEqual([]);
  });

  test('a reply 180..199 publishes early, the first on its branch, for 3600 s', async () => {
    const w = await opensips({ publishExpires: 100_000 });
    w.source.say('early', { ...answered, branch: '0', lifetime: 120 });
    w.source.say('early', { ...answered, branch: '0' });
    await w.settle();
    expect(w.published.map(({ expires }) => expires)).toEqual([3601, 3601]);
    expect(w.told()).toEqual(['alice initiator early', 'bob recipient early']);
  });

  test('with caller_confirmed the caller is confirmed', async () => {
    const w = await opensips({ callerConfirmed: 1 });
    w.source.say('early', { ...answered, branch: '0' });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient early']);
  });

  test('a reply of 300 and more ends its branch', async () => {
    const w = await opensips();
    w.source.say('early', { ...answered, branch: '0' });
    w.source.say('early', { callee: ringing('t1'), branch: '1' });
    await w.advance(100);
    w.told();
    w.source.say('failed', { ...answered, branch: '0', reason: { code: 486 } });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator terminated rejected 486', 'bob recipient terminated rejected 486']);
    expect(w.lamps()).toEqual({ alice: ['early', 'terminated'], bob: ['early', 'terminated'] });
  });

  test('terminated_lifetime 0: removed at once, without a document (RFC 3903 4.5)', async () => {
    const w = await opensips({ terminatedLifetime: 0 });
    w.source.say('early', { ...answered, branch: '0' });
    await w.settle();
    w.told();
    w.source.say('failed', { branch: '0' });
    await w.settle();
    expect(w.told()).toEqual(['alice removed', 'bob removed']);
  });

  test('the transaction fails for good: all that rang end; mute words and callees of branches hold', async () => {
    const w = await opensips();
    w.module.dialoginfoSet('k1');
    w.module.dialoginfoMuteBranch('k1', '1', 'A');
    w.module.dialoginfoSetBranchCallee('k1', '1', '"Carol" <sip:carol@example.com>');
    w.source.say('early', { ...answered, branch: '0' });
    w.source.say('early', { callee: ringing('t1'), branch: '1' });
    await w.advance(100);
    expect(w.told()).toEqual(['alice initiator early', 'bob recipient early', 'carol recipient early']);
    w.source.say('failed', { reason: { code: 480 } });
    await w.advance(100);
    expect(w.told()).toEqual([
      'alice initiator terminated rejected 480',
      'bob recipient terminated rejected 480',
      'carol recipient terminated rejected 480',
    ]);
    await w.advance(11_000);
    expect(w.lamps()).toEqual({});
  });

  test('CONFIRMED: for the lifetime of the dialog; the other branches have lost', async () => {
    const w = await opensips({ publishExpires: 100_000 });
    w.source.say('early', { ...answered, branch: '0' });
    w.source.say('early', { callee: ringing('t1'), branch: '1' });
    await w.advance(100);
    w.told();
    w.source.say('confirmed', { callee: ringing('t1'), branch: '1', lifetime: 7200 });
    await w.advance(100);
    expect(w.published.filter(({ document }) => document!.dialogs[0]!.state === 'confirmed')[0]!.expires).toBe(7201);
    expect(w.told().sort()).toEqual([
      'alice initiator confirmed',
      'alice initiator terminated cancelled',
      'bob recipient confirmed',
      'bob recipient terminated cancelled',
    ]);
  });

  test('requests in the dialog: re-INVITE only, without nopublish_flag', async () => {
    const w = await opensips({ nopublishFlag: 2 });
    w.source.say('confirmed', answered);
    await w.settle();
    w.told();
    const named = (display: string) => ({ caller: { uri: ALICE, display }, ...answered });
    w.source.say('updated', named('one'), { method: 'UPDATE' });
    w.source.say('updated', named('two'), { method: 'ACK' });
    w.source.say('updated', named('three'), { method: 'INVITE', flags: 4 });
    await w.settle();
    expect(w.told()).toEqual([]);
    w.source.say('updated', named('four'), { method: 'INVITE', flags: 3 });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
  });

  test.each(['terminated', 'expired'] as const)('%s', async (kind) => {
    const w = await opensips();
    w.source.say('confirmed', answered);
    await w.settle();
    w.source.say(kind);
    await w.settle();
    expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
  });

  test('terminated before anything was published is no error', async () => {
    const w = await opensips();
    w.source.say('created');
    w.source.say('failed', { branch: '0' });
    w.source.say('failed');
    await w.advance(20_000);
    expect(w.told()).toEqual([]);
  });
});

describe('documents', () => {
  test('the callee is the Request-URI with the display name of To; targets are identities; tags in all states', async () => {
    const w = await opensips();
    const requestUri = 'sip:bob@home.example.com';
    w.source.say('early', { callee: { ...ringing(), display: 'Bob' }, requestUri });
    await w.settle();
    const { dialogs, version, state } = w.document('alice');
    expect([version, state]).toEqual([0, 'full']);
    expect(dialogs[0]).toMatchObject({
      localTag: 'a-tag',
      remoteTag: 'b-tag',
      local: { target: { uri: ALICE } },
      remote: { identity: { uri: requestUri, display: 'Bob' }, target: { uri: requestUri } },
    });
    expect(w.document('bob').entity).toBe(requestUri);
    w.source.say('terminated');
    await w.settle();
    expect(w.document('bob').dialogs[0]).toMatchObject({ localTag: 'b-tag', remoteTag: 'a-tag' });
  });

  test.each([0, 1])('osips_ps %d: the version is written, and rises', async (osipsPs) => {
    const w = await opensips({ osipsPs });
    w.source.say('early', answered);
    await w.settle();
    w.source.say('confirmed', answered);
    await w.settle();
    expect(w.published.filter(({ uri }) => uri === BOB).map(({ document }) => document!.version)).toEqual([0, 1]);
  });

  test('caller_spec_param, callee_spec_param: name-addr or URI, instead of the headers', async () => {
    const w = await opensips({ callerSpecParam: '$avp(caller)', calleeSpecParam: '$var(callee)' });
    const vars = {
      '$avp(caller)': '"A \\"the\\" Lice" <sip:100@example.com>;tag=x',
      '$var(callee)': ['sip:200@example.com'],
    };
    w.source.say('early', { ...answered, vars });
    await w.settle();
    expect(w.document('100').dialogs[0]).toMatchObject({
      local: { identity: { uri: 'sip:100@example.com', display: 'A "the" Lice' } },
      remote: { identity: { uri: 'sip:200@example.com' } },
    });
    expect(Object.keys(w.lamps())).toEqual(['100', '200']);
  });
});

test('presence_server is the next hop', async () => {
  const w = await opensips({ presenceServer: 'sip:10.0.0.77:5070' });
  const seen: string[] = [];
  w.network.tap(({ to }) => void seen.push(to));
  w.source.say('early', answered);
  await w.settle();
  expect(new Set(seen)).toEqual(new Set(['10.0.0.77:5070']));
  expect([...w.pua.list()].map(({ outboundProxy }) => outboundProxy)).toEqual(Array(2).fill('sip:10.0.0.77:5070'));
});

describe('dialoginfo_set', () => {
  test.each([
    ['A', ['alice']],
    ['B', ['bob']],
    ['AB', ['alice', 'bob']],
    ['', ['alice', 'bob']],
    [undefined, ['alice', 'bob']],
    ['BX', ['bob']],
    ['X', []],
  ])('%p', async (side, users) => {
    const warnings: string[] = [];
    const w = await opensips({ warn: (text) => void warnings.push(text) });
    expect(w.module.dialoginfoSet('k1', side)).toBe(1);
    w.source.say('early', answered);
    await w.settle();
    expect(Object.keys(w.lamps())).toEqual(users);
    expect(warnings.length).toBe(side?.includes('X') ? 1 : 0);
  });

  test('-1 without call; what is said of calls that never come is forgotten', async () => {
    const w = await opensips();
    expect(w.module.dialoginfoSet('')).toBe(-1);
    expect(w.module.dialoginfoSetBranchCallee('nobody', '0', BOB)).toBe(-1);
    expect(w.module.dialoginfoMuteBranch('nobody', '0')).toBe(-1);
    w.module.dialoginfoSet('later');
    expect(w.module.dialoginfoMuteBranch('later', '0')).toBe(1);
    await w.advance(180_001);
    expect(w.module.dialoginfoMuteBranch('later', '0')).toBe(-1);
  });
});

describe('what was said of a call', () => {
  test('is forgotten with it, whatever was told of it', async () => {
    const w = await opensips();
    w.source.say('failed', { key: 'never heard of', branch: '3' });
    await w.advance(33_000);
    expect(w.module.dialoginfoMuteBranch('never heard of', '0')).toBe(-1);
  });

  test('but not with another one of the same key', async () => {
    const w = await opensips();
    w.source.say('early', answered);
    w.source.say('terminated', answered);
    await w.advance(20_000);
    w.module.dialoginfoSet('k1', 'B');
    w.source.say('created', { callId: 'another' });
    await w.advance(20_000);
    w.told();
    w.source.say('early', { ...answered, callId: 'another' });
    await w.settle();
    expect(w.told()).toEqual(['bob recipient early']);
  });
});

describe('dialoginfo_set_branch_callee', () => {
  test('the callee of one branch, until it is taken back', async () => {
    const w = await opensips();
    w.source.say('created');
    expect(w.module.dialoginfoSetBranchCallee('k1', '0', 'sip:carol@example.com')).toBe(1);
    expect(w.module.dialoginfoSetBranchCallee('k1', '0', '<not an address>')).toBe(-1);
    w.source.say('early', { ...answered, branch: '0' });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator early', 'carol recipient early']);
    expect(w.module.dialoginfoSetBranchCallee('k1', '0', '')).toBe(1);
    w.source.say('confirmed', { ...answered, branch: '0' });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator confirmed', 'carol recipient terminated', 'bob recipient confirmed']);
  });
});

describe('dialoginfo_mute_branch', () => {
  test.each([
    ['A', ['bob recipient early']],
    ['B', ['alice initiator early']],
    [undefined, []],
  ])('%p', async (side, lines) => {
    const w = await opensips();
    w.source.say('created');
    expect(w.module.dialoginfoMuteBranch('k1', '0', side)).toBe(1);
    w.source.say('early', { ...answered, branch: '0' });
    await w.settle();
    expect(w.told()).toEqual(lines);
  });
});
