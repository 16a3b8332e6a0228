/** What the documents say. */
import type { DialogReason } from '@pua/core';
import { type Dialog, readDialogInfo } from '@pua/documents';
import { reasonOf } from '../dist/mapping.js';
import { ALICE, BOB, ringing } from './support/source';
import { inWorld, type World } from './support/world';

const answered = { callee: ringing() };
const dialog = (w: World, user: string): Dialog => w.document(user).dialogs[0]!;

describe('switches', () => {
  test('include_callid 0', async () => {
    const w = await inWorld({ dialoginfo: { includeCallid: 0 } });
    w.source.say('early', answered);
    await w.settle();
    expect(dialog(w, 'bob').callId).toBeUndefined();
    expect(dialog(w, 'bob').localTag).toBe('b-tag');
  });

  test('include_tags 0: no tags, and no contact of a callee that rings', async () => {
    const w = await inWorld({ dialoginfo: { includeTags: 0 } });
    w.source.say('early', answered);
    await w.settle();
    expect(dialog(w, 'alice')).toMatchObject({
      local: { target: { uri: 'sip:alice@192.0.2.1:5062' } },
      remote: { target: { uri: BOB } },
    });
    expect(dialog(w, 'alice')).not.toHaveProperty('localTag');
    expect(dialog(w, 'alice')).not.toHaveProperty('remoteTag');
    w.source.say('confirmed', answered);
    await w.settle();
    expect(dialog(w, 'alice').remote!.target!.uri).toBe('sip:b-tag@192.0.2.2');
  });

  test('include_localremote 0', async () => {
    const w = await inWorld({ dialoginfo: { includeLocalremote: 0 } });
    w.source.say('early', answered);
    await w.settle();
    expect(dialog(w, 'bob').local).toBeUndefined();
    expect(dialog(w, 'bob').remote).toBeUndefined();
    expect(w.document('bob').entity).toBe(BOB);
  });

  test('attribute_display: the user part, on both targets', async () => {
    const w = await inWorld({ dialoginfo: { attributeDisplay: 1 } });
    w.source.say('early', { caller: { uri: 'tel:+15551234;ext=7' }, callee: ringing() });
    await w.settle();
    expect(dialog(w, 'bob').local!.target).toEqual({ uri: 'sip:b-tag@192.0.2.2', display: 'bob' });
    expect(dialog(w, 'bob').remote!.target).toEqual({ uri: 'tel:+15551234;ext=7', display: '+15551234' });
  });

  test.each([
    [0, /^d[0-9a-f]{24}\.caller$/],
    [1, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.caller$/],
  ])('use_uuid %d: the ids of two runs are the same', async (useUuid, form) => {
    const ids: string[] = [];
    for (const seed of [1, 2]) {
      const w = await inWorld({ seed, dialoginfo: { useUuid } });
      w.source.say('early', answered);
      await w.settle();
      ids.push(dialog(w, 'alice').id);
      if (seed === 1) await w.stop();
    }
    expect(ids[0]).toMatch(form);
    expect(ids[1]).toBe(ids[0]);
  });
});

describe('ids', () => {
  test('differ for each call, fork and side; those of a fork depend on its tag', async () => {
    const w = await inWorld();
    for (const key of ['k1', 'k2']) {
      w.source.say('early', { key, ...answered });
      w.source.say('early', { key, callee: ringing('t2') });
    }
    w.source.say('early', { key: 'k1', callId: 'another', ...answered });
    await w.advance(100);
    const ids = w.server.publications.flatMap(({ body }) => readDialogInfo(body.text()).dialogs.map(({ id }) => id));
    expect(new Set(ids).size).toBe(10);
    w.source.say('confirmed', { key: 'k1', callee: ringing('t2') });
    await w.advance(100);
    const confirmed = w.published.filter(({ document }) => document?.dialogs[0]?.state === 'confirmed');
    expect(ids).toEqual(expect.arrayContaining(confirmed.map(({ document }) => document!.dialogs[0]!.id)));
  });
});

describe('strange values', () => {
  test.each([`q"8'v<1>&7@x`, 'grüße@ÿ', 'a b'])('Call-ID %j', async (callId) => {
    const w = await inWorld();
    w.source.say('early', { ...answered, callId });
    await w.settle();
    expect(dialog(w, 'bob').callId).toBe(callId);
  });

  test('display names are those of the headers, whatever they are', async () => {
    const w = await inWorld();
    const display = `Zoë "Z" <&> 'x' 漢字 \u{1f600}`;
    w.source.say('early', { caller: { uri: ALICE, display }, callee: { ...ringing(), display: 'Reception & Co' } });
    await w.settle();
    expect(dialog(w, 'bob')).toMatchObject({
      local: { identity: { uri: BOB, display: 'Reception & Co' } },
      remote: { identity: { uri: ALICE, display } },
    });
  });

  test('what XML can not carry is replaced', async () => {
    const w = await inWorld();
    const strange = { uri: ALICE, display: 'A\u0000\ud800B', tag: '\u0001t', contact: 'sip:a@\ufffe' };
    w.source.say('early', { caller: strange, callee: ringing() });
    await w.settle();
    expect(dialog(w, 'bob')).toMatchObject({
      remoteTag: '\ufffdt',
      remote: { identity: { display: 'A\ufffd\ufffdB' }, target: { uri: ALICE } },
    });
  });

  test('an ampersand in a URI', async () => {
    const w = await inWorld();
    const uri = 'sip:alice@example.com?a=1&b=2';
    w.source.say('early', { caller: { uri }, callee: ringing() });
    await w.settle();
    expect(dialog(w, 'bob').remote!.identity!.uri).toBe(uri);
  });

  test('values beyond 1 kB: no document for such a URI, no such contact', async () => {
    const w = await inWorld();
    const long = `sip:${'x'.repeat(1100)}@example.com`;
    w.source.say('early', { caller: { uri: long }, callee: { ...ringing(), contact: long } });
    await w.settle();
    expect(w.told()).toEqual(['bob recipient early']);
    expect(w.server.publications[0]!.body.text()).not.toContain('xxx');
  });
});

describe('legs of a B2BUA', () => {
  test('each side is told of the leg that faces it', async () => {
    const w = await inWorld();
    w.source.say('confirmed', {
      callId: 'leg-a',
      caller: { uri: ALICE, tag: 'a1', peerTag: 'us-a' },
      callee: { uri: BOB, tag: 'b1', peerTag: 'us-b', callId: 'leg-b' },
    });
    await w.settle();
    expect(dialog(w, 'alice')).toMatchObject({ callId: 'leg-a', localTag: 'a1', remoteTag: 'us-a' });
    expect(dialog(w, 'bob')).toMatchObject({ callId: 'leg-b', localTag: 'b1', remoteTag: 'us-b' });
  });

  test('a tag of the other leg is not written for an unknown one', async () => {
    const w = await inWorld();
    w.source.say('early', {
      callId: 'leg-a',
      caller: { uri: ALICE, tag: 'a1' },
      callee: { uri: BOB, tag: 'b1', callId: 'leg-b' },
    });
    await w.settle();
    expect(dialog(w, 'alice')).not.toHaveProperty('remoteTag');
    expect(dialog(w, 'bob')).not.toHaveProperty('remoteTag');
  });
});

describe('what a dialog is about', () => {
  /*
   *   re-INVITE a=sendonly ->     the caller holds: +sip.rendering "no"
   *   re-INVITE a=sendrecv ->     and no longer
   */
  test('hold is a parameter of the target: it alone is a change that is published', async () => {
    const w = await inWorld();
    w.source.say('confirmed', answered);
    await w.settle();
    const sent = () => w.server.requests.filter(({ method }) => method === 'PUBLISH').length;
    const before = sent();
    const caller = { uri: ALICE, contactParams: { '+sip.rendering': 'no', '+sip.byeless': true as const } };
    w.source.say('updated', { ...answered, state: 'confirmed', caller });
    await w.settle();
    expect(dialog(w, 'alice').local!.target!.params).toEqual([
      { name: '+sip.rendering', value: 'no' },
      { name: '+sip.byeless', value: 'true' },
    ]);
    expect(dialog(w, 'bob').remote!.target!.params).toHaveLength(2);
    expect(sent()).toBe(before + 2);
    w.source.say('updated', { ...answered, state: 'confirmed' });
    await w.settle();
    expect(sent()).toBe(before + 2);
    w.source.say('updated', { ...answered, state: 'confirmed', caller: { uri: ALICE, contactParams: {} } });
    await w.settle();
    expect(dialog(w, 'alice').local!.target).toEqual({ uri: 'sip:alice@192.0.2.1:5062' });
  });

  test('who is masked has no parameters either', async () => {
    const w = await inWorld();
    const caller = { uri: ALICE, contactParams: { '+sip.instance': 'urn:uuid:1' } };
    w.source.say('confirmed', { ...answered, caller, mask: { caller: 'sip:switchboard@example.com' } });
    await w.settle();
    expect(dialog(w, 'bob').remote!.target).toEqual({ uri: 'sip:switchboard@example.com' });
  });

  test('duration counts from the INVITE, as the source or we saw it', async () => {
    const w = await inWorld();
    w.source.say('created');
    await w.advance(20_000);
    w.source.say('confirmed', answered);
    await w.advance(164_000);
    w.source.say('terminated', answered);
    await w.settle();
    expect(dialog(w, 'bob').duration).toBe(184);
    w.source.say('confirmed', { key: 'k2', ...answered, startedAt: w.clock.wall() - 65_500 });
    w.source.say('confirmed', { key: 'k3', ...answered, callee: { uri: 'sip:carol@example.com' } });
    await w.advance(500);
    expect(dialog(w, 'bob').duration).toBe(65);
    // Nobody knows when a call began that is heard of late.
    expect(dialog(w, 'carol').duration).toBeUndefined();
  });

  test('a start that lies ahead is none', async () => {
    const w = await inWorld();
    w.source.say('confirmed', { ...answered, startedAt: w.clock.wall() + 60_000 });
    await w.settle();
    expect(dialog(w, 'bob').duration).toBeUndefined();
  });

  test('referred-by for both, replaces for the callee who got it', async () => {
    const w = await inWorld();
    const replaces = { callId: 'old&1', localTag: 'l', remoteTag: 'r' };
    w.source.say('early', { ...answered, replaces, referredBy: { uri: 'sip:carol@example.com', display: 'Carol' } });
    await w.settle();
    expect(dialog(w, 'bob').replaces).toEqual(replaces);
    expect(dialog(w, 'alice').replaces).toBeUndefined();
    expect(dialog(w, 'alice').referredBy).toEqual({ uri: 'sip:carol@example.com', display: 'Carol' });
  });

  test('local_identity_dlg_var is the callee, but not at the creation', async () => {
    const w = await inWorld({ dialoginfo: { localIdentityDlgVar: 'who', calleeTrying: 1 } });
    const vars = { who: 'sip:desk@example.com' };
    w.source.say('created', { vars });
    await w.settle();
    expect(dialog(w, 'alice').remote!.identity!.uri).toBe(BOB);
    w.source.say('early', answered);
    await w.settle();
    expect(dialog(w, 'alice').remote!.identity!.uri).toBe('sip:desk@example.com');
    expect(w.document('bob').entity).toBe('sip:desk@example.com');
    w.source.say('confirmed', { ...answered, vars: { '$dlg_var(who)': 'unused', who: '' } });
    await w.settle();
    expect(dialog(w, 'alice').remote!.identity!.uri).toBe(BOB);
  });
});

describe('reasons (RFC 4235 section 3.7.1)', () => {
  const reasons = [
    [{ event: 'cancelled', code: 487 }, 'failed', { event: 'cancelled', code: 487 }],
    [{ code: 487 }, 'failed', { event: 'cancelled', code: 487 }],
    [{ event: 'rejected', code: 603 }, 'failed', { event: 'rejected', code: 603 }],
    [{ code: 404 }, 'failed', { event: 'rejected', code: 404 }],
    [{ event: 'rejected', code: 99 }, 'failed', { event: 'rejected' }],
    [{ event: 'rejected', code: 700 }, 'failed', { event: 'rejected' }],
    [{ event: 'rejected', code: 486.5 }, 'failed', { event: 'rejected' }],
    [undefined, 'failed', {}],
    [{ event: 'replaced' }, 'terminated', { event: 'replaced' }],
    [{ event: 'bye', by: 'caller' }, 'terminated', { event: 'local-bye' }],
    [{ event: 'bye', by: 'callee' }, 'terminated', { event: 'remote-bye' }],
    [{ by: 'callee' }, 'terminated', { event: 'remote-bye' }],
    [{ event: 'bye' }, 'terminated', {}],
    [{ event: 'timeout' }, 'terminated', { event: 'timeout' }],
    [{ event: 'error', code: 481 }, 'terminated', { event: 'error' }],
    [{ code: 481 }, 'terminated', { event: 'error' }],
    [{ code: 408 }, 'terminated', { event: 'error' }],
    [undefined, 'terminated', {}],
    [undefined, 'expired', { event: 'timeout' }],
  ] as const;
  test.each(reasons)('%j of %s, as the caller sees it: %j', (reason, kind, expected) => {
    expect(reasonOf(reason, kind, 'caller')).toEqual(expected);
  });

  // A document with them could not be written, and the lamp would stay on.
  test.each([
    [{ event: 'hangup' }, 'terminated', {}],
    [{ event: 'hangup', code: 486 }, 'failed', { event: 'rejected', code: 486 }],
    [{ event: 'bye', by: 'nobody' }, 'terminated', {}],
  ] as const)('words that nobody knows are left out: %j of %s', (reason, kind, expected) => {
    expect(reasonOf(reason as unknown as DialogReason, kind, 'caller')).toEqual(expected);
  });

  test('the callee sees the other BYE', () => {
    expect(reasonOf({ event: 'bye', by: 'caller' }, 'terminated', 'callee')).toEqual({ event: 'remote-bye' });
    expect(reasonOf({ event: 'bye', by: 'callee' }, 'terminated', 'callee')).toEqual({ event: 'local-bye' });
  });
});
