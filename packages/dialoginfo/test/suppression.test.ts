/** Who is not published, and what the other side may then see. */
import type { Dialog } from '@pua/documents';
import { ALICE, BOB, ringing } from './support/source';
import { inWorld, userOf, type World } from './support/world';

const FLAG = 5;
const SET = 1 << FLAG;
const answered = { callee: ringing() };
const ALICES_PLACE = '192.0.2.1';
const BOBS_PLACE = '192.0.2.2';

const dialog = (w: World, user: string): Dialog => w.document(user).dialogs[0]!;
const bodies = (w: World) => w.published.map(({ body }) => body).join('\n');

describe('rule 1: no flag parameter', () => {
  test('nobody is ever suppressed', async () => {
    const w = await inWorld();
    w.source.say('created', { ...answered, flags: -1 }, { flags: -1 });
    w.source.say('early', answered, { flags: -1 });
    w.source.say('terminated', answered, { flags: -1 });
    await w.settle();
    expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
  });
});

describe('rule 2: a flag parameter, no substitute', () => {
  test.each(['caller', 'callee'] as const)('the INVITE has the flag: no document of the %s, ever', async (side) => {
    const parameter = side === 'caller' ? { disableCallerPublishFlag: FLAG } : { disableCalleePublishFlag: FLAG };
    const w = await inWorld({ dialoginfo: { ...parameter, calleeTrying: 1 } });
    w.source.say('created', { flags: SET });
    w.source.say('early', answered);
    w.source.say('confirmed', answered);
    w.source.say(
      'updated',
      { caller: { uri: ALICE, contact: 'sip:new@192.0.2.1' }, ...answered },
      { method: 'INVITE' },
    );
    w.source.say('terminated', answered);
    await w.advance(100);
    expect(Object.keys(w.lamps())).toEqual([side === 'caller' ? 'bob' : 'alice']);
    expect(new Set(w.published.map(({ uri }) => uri)).size).toBe(1);
  });

  test.each(['failed', 'expired'] as const)(
    '%s has no request of its own: what the INVITE said holds',
    async (kind) => {
      const w = await inWorld({ dialoginfo: { disableCallerPublishFlag: FLAG } });
      w.source.say('early', { ...answered, flags: SET });
      w.source.say(kind, answered);
      await w.advance(20_000);
      expect(w.told().every((line) => line.startsWith('bob'))).toBe(true);
    },
  );

  test('the flags of the creation are those of the INVITE; later ones do not count', async () => {
    const w = await inWorld({ dialoginfo: { disableCallerPublishFlag: FLAG } });
    w.source.say('created', {}, { flags: SET });
    w.source.say('early', { ...answered, flags: 0 }, { flags: 0 });
    w.source.say('early', { key: 'k2', ...answered, flags: 0 });
    w.source.say('confirmed', { key: 'k2', ...answered, flags: SET });
    await w.advance(100);
    expect(w.lamps()).toEqual({ bob: ['confirmed', 'early'], alice: ['confirmed'] });
  });

  test('a re-INVITE with the flag: no document because of it', async () => {
    const w = await inWorld({ dialoginfo: { disableCallerPublishFlag: FLAG } });
    w.source.say('confirmed', answered);
    await w.settle();
    w.told();
    const moved = { caller: { uri: ALICE, contact: 'sip:new@192.0.2.1' }, ...answered };
    w.source.say('updated', moved, { method: 'INVITE', flags: SET });
    await w.settle();
    expect(w.told()).toEqual(['bob recipient confirmed']);
  });

  test('a BYE with the flag: the lamp goes out without a document', async () => {
    const w = await inWorld({ dialoginfo: { disableCallerPublishFlag: FLAG } });
    w.source.say('confirmed', answered);
    await w.settle();
    w.told();
    w.source.say('terminated', answered, { method: 'BYE', flags: SET });
    await w.settle();
    expect(w.told()).toEqual(['alice removed', 'bob recipient terminated']);
  });

  test('the identity is shown, the contact is not', async () => {
    const w = await inWorld({ dialoginfo: { disableCallerPublishFlag: FLAG } });
    w.source.say('early', { ...answered, flags: SET });
    await w.settle();
    expect(dialog(w, 'bob').remote).toEqual({ identity: { uri: ALICE }, target: { uri: ALICE } });
    expect(bodies(w)).not.toContain(ALICES_PLACE);
  });
});

describe('rule 3: a flag parameter and a substitute', () => {
  test('caller: the substitute stands in the document of the callee', async () => {
    const front = 'sip:reception@example.com';
    const w = await inWorld({
      dialoginfo: { disableCallerPublishFlag: FLAG, callerEntityWhenPublishDisabled: front },
    });
    w.source.say('early', { ...answered, flags: SET });
    w.source.say('confirmed', answered);
    await w.advance(100);
    expect(dialog(w, 'bob').remote).toEqual({ identity: { uri: front }, target: { uri: front } });
    expect(bodies(w)).not.toContain(ALICES_PLACE);
    expect(bodies(w)).not.toContain(ALICE);
    expect(Object.keys(w.lamps())).toEqual(['bob']);
  });

  test('callee: mirrored; local_identity_dlg_var is a later word', async () => {
    const front = 'sip:hunt@example.com';
    const w = await inWorld({
      dialoginfo: {
        disableCalleePublishFlag: FLAG,
        calleeEntityWhenPublishDisabled: front,
        localIdentityDlgVar: 'who',
      },
    });
    w.source.say('early', { ...answered, flags: SET });
    await w.settle();
    expect(dialog(w, 'alice').remote).toEqual({ identity: { uri: front }, target: { uri: front } });
    w.source.say('confirmed', { ...answered, vars: { who: 'sip:desk@example.com' } });
    await w.settle();
    expect(dialog(w, 'alice').remote!.identity!.uri).toBe('sip:desk@example.com');
    expect(bodies(w)).not.toContain(BOBS_PLACE);
  });

  test('only the INVITE counts', async () => {
    const w = await inWorld({
      dialoginfo: { disableCallerPublishFlag: FLAG, callerEntityWhenPublishDisabled: 'sip:front@example.com' },
    });
    w.source.say('confirmed', answered);
    await w.settle();
    w.told();
    const moved = { caller: { uri: ALICE, contact: 'sip:new@192.0.2.1' }, ...answered };
    w.source.say('updated', moved, { method: 'INVITE', flags: SET });
    w.source.say('terminated', moved, { method: 'BYE', flags: SET });
    await w.advance(100);
    expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
  });
});

describe('what the source says itself', () => {
  test('publish: the first word counts, and wins over flags', async () => {
    const w = await inWorld({ dialoginfo: { disableCallerPublishFlag: FLAG, disableCalleePublishFlag: FLAG } });
    w.source.say('early', { ...answered, flags: SET, publish: { caller: true } });
    w.source.say('confirmed', { ...answered, publish: { caller: false } });
    await w.advance(100);
    expect(w.lamps()).toEqual({ alice: ['confirmed'] });
  });

  test('publish false: no document, no contact of that side', async () => {
    const w = await inWorld();
    w.source.say('early', { ...answered, publish: { callee: false } });
    await w.settle();
    expect(w.told()).toHaveLength(1);
    w.source.say('confirmed', answered);
    await w.settle();
    expect(bodies(w)).not.toContain(BOBS_PLACE);
  });

  test('mask: the other side sees it, and no contact; the own document stays as it is', async () => {
    const w = await inWorld();
    w.source.say('early', { ...answered, mask: { caller: 'sip:front@example.com' } });
    await w.settle();
    expect(dialog(w, 'bob').remote).toEqual({
      identity: { uri: 'sip:front@example.com' },
      target: { uri: 'sip:front@example.com' },
    });
    expect(dialog(w, 'alice').local!.target!.uri).toContain(ALICES_PLACE);
    w.source.say('confirmed', answered);
    await w.settle();
    expect(dialog(w, 'bob').remote!.identity!.uri).toBe('sip:front@example.com');
  });
});

describe('privacy (RFC 3323)', () => {
  test('asked for late: in all forks', async () => {
    const w = await inWorld();
    w.source.say('early', { callee: ringing('t1') });
    w.source.say('early', { callee: ringing('t2') });
    w.source.say('updated', { callee: ringing('t2'), state: 'early', privacy: { caller: ['id'] } });
    await w.advance(100);
    const held = w.server.publications.filter(({ presentity }) => userOf(presentity) === 'bob');
    expect(held).toHaveLength(2);
    for (const { body } of held) expect(body.text()).not.toContain('alice');
  });

  test.each(['id', 'user'])('%s: anonymous to the other side', async (value) => {
    const w = await inWorld();
    const caller = { uri: ALICE, display: 'Alice', contact: `sip:alice@${ALICES_PLACE}` };
    w.source.say('early', { ...answered, caller, privacy: { caller: ['critical', value] } });
    await w.settle();
    const uri = 'sip:anonymous@anonymous.invalid';
    expect(dialog(w, 'bob').remote).toEqual({ identity: { uri, display: 'Anonymous' }, target: { uri } });
    expect(dialog(w, 'alice').local!.identity).toEqual({ uri: ALICE, display: 'Alice' });
    const bobs = w.published.find(({ uri: to }) => to === BOB)!.body;
    expect(bobs).not.toContain('lice');
    expect(bobs).not.toContain(ALICES_PLACE);
  });

  test('of the callee, too; a mask is private enough', async () => {
    const w = await inWorld();
    w.source.say('early', { ...answered, privacy: { callee: ['id'] } });
    await w.settle();
    expect(dialog(w, 'alice').remote!.identity!.uri).toBe('sip:anonymous@anonymous.invalid');
    w.source.say('confirmed', { ...answered, mask: { callee: 'sip:hunt@example.com' } });
    await w.settle();
    expect(dialog(w, 'alice').remote!.identity!.uri).toBe('sip:hunt@example.com');
  });

  test('none, header: not asked for; privacy 0: not honoured', async () => {
    const w = await inWorld();
    w.source.say('early', { ...answered, privacy: { caller: ['none'] } });
    await w.settle();
    expect(dialog(w, 'bob').remote!.identity!.uri).toBe(ALICE);
    await w.stopPua();
    await w.startPua({ privacy: 0 });
    w.source.say('early', { ...answered, key: 'k2', privacy: { caller: ['id'] } });
    await w.settle();
    expect(dialog(w, 'bob').remote!.identity!.uri).toBe(ALICE);
  });
});
