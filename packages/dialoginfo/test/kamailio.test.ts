/** Profile kamailio: which event publishes what, for whom, and for how long. */
import type { DialogEventKind } from '@pua/core';
import { ALICE, BOB, ringing } from './support/source';
import { inWorld } from './support/world';

const answered = { callee: ringing() };

describe('state table', () => {
  test('CREATED: trying for the caller, none for the callee; identities as targets, the tag that is known', async () => {
    const w = await inWorld();
    w.source.say('created');
    await w.settle();
    expect(w.document('alice').dialogs[0]).toMatchObject({
      localTag: 'a-tag',
      local: { target: { uri: ALICE } },
      remote: { target: { uri: BOB } },
    });
    expect(w.document('alice').dialogs[0]).not.toHaveProperty('remoteTag');
    expect(w.told()).toEqual(['alice initiator trying']);
  });

  test('CREATED with callee_trying: the callee, too', async () => {
    const w = await inWorld({ dialoginfo: { calleeTrying: 1 } });
    w.source.say('created');
    await w.settle();
    expect(w.told()).toEqual(['alice initiator trying', 'bob recipient trying']);
  });

  test('EARLY without tag: proceeding', async () => {
    const w = await inWorld();
    w.source.say('created');
    await w.settle();
    w.source.say('early', { state: 'proceeding' });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator trying', 'alice initiator proceeding', 'bob recipient proceeding']);
  });

  test('EARLY: early for both, with tags and contacts', async () => {
    const w = await inWorld();
    w.source.say('early', answered);
    await w.settle();
    const local = { target: { uri: 'sip:alice@192.0.2.1:5062' } };
    const remote = { target: { uri: 'sip:b-tag@192.0.2.2' } };
    expect(w.document('alice').dialogs[0]).toMatchObject({ localTag: 'a-tag', remoteTag: 'b-tag', local, remote });
    expect(w.document('bob').dialogs[0]).toMatchObject({
      localTag: 'b-tag',
      remoteTag: 'a-tag',
      local: remote,
      remote: local,
    });
    expect(w.told()).toEqual(['alice initiator early', 'bob recipient early']);
  });

  test('EARLY with caller_confirmed: confirmed for the caller', async () => {
    const w = await inWorld({ dialoginfo: { callerConfirmed: 1 } });
    w.source.say('early', answered);
    await w.settle();
    expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient early']);
  });

  test('EARLY again: once per tag and target', async () => {
    const w = await inWorld();
    for (let i = 0; i < 3; i++) {
      w.source.say('early', answered);
      await w.settle();
    }
    expect(w.told()).toHaveLength(2);
    w.source.say('early', { callee: { ...ringing(), contact: 'sip:moved@192.0.2.9' } });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator early', 'bob recipient early']);
  });

  test('CONFIRMED_NA: confirmed for both; tags and the contact of the callee stay', async () => {
    const w = await inWorld();
    w.source.say('early', answered);
    w.source.say('confirmed', { callee: { uri: BOB } });
    await w.settle();
    expect(w.document('bob').dialogs[0]).toMatchObject({
      state: 'confirmed',
      localTag: 'b-tag',
      remoteTag: 'a-tag',
      local: { target: { uri: 'sip:b-tag@192.0.2.2' } },
    });
  });

  const ENDS: [string, DialogEventKind, DialogEventKind, object, string, string][] = [
    ['FAILED, cancelled', 'early', 'failed', { code: 487 }, 'cancelled 487', 'cancelled 487'],
    ['FAILED, rejected', 'early', 'failed', { code: 486 }, 'rejected 486', 'rejected 486'],
    ['FAILED, who knows why', 'early', 'failed', {}, '', ''],
    ['TERMINATED by the caller', 'confirmed', 'terminated', { event: 'bye', by: 'caller' }, 'local-bye', 'remote-bye'],
    ['TERMINATED by the callee', 'confirmed', 'terminated', { event: 'bye', by: 'callee' }, 'remote-bye', 'local-bye'],
    ['TERMINATED by the server', 'confirmed', 'terminated', {}, '', ''],
    ['TERMINATED by a 481', 'confirmed', 'terminated', { code: 481 }, 'error', 'error'],
    ['EXPIRED', 'confirmed', 'expired', {}, 'timeout', 'timeout'],
  ];
  test.each(ENDS)(
    '%s: terminated for both, for 10 s, then removed',
    async (_, before, kind, reason, caller, callee) => {
      const w = await inWorld();
      w.source.say(before, answered);
      await w.settle();
      w.told();
      w.source.say(kind, { reason });
      await w.settle();
      // The core's lifetime is a second longer, as Kamailio's is.
      expect(w.published.map(({ expires }) => expires)).toEqual([11, 11]);
      expect(w.told()).toEqual([
        `alice initiator terminated ${caller}`.trim(),
        `bob recipient terminated ${callee}`.trim(),
      ]);
      await w.advance(9_990);
      expect(w.told()).toEqual([]);
      await w.advance(20);
      expect(w.told()).toEqual(['alice removed', 'bob removed']);
      expect(w.lamps()).toEqual({});
    },
  );

  test('any end of a state that the source made up is an end', async () => {
    const w = await inWorld();
    w.source.say('confirmed', answered);
    w.source.say('updated', { state: 'terminated' });
    await w.settle();
    expect(w.lamps()).toEqual({ alice: ['terminated'], bob: ['terminated'] });
  });

  test('kamailio#2700: a request in the dialog never makes early confirmed', async () => {
    const w = await inWorld();
    w.source.say('early', answered);
    await w.settle();
    w.told();
    for (const method of ['PRACK', 'UPDATE', 'INFO']) w.source.say('updated', { state: 'early' }, { method });
    await w.settle();
    expect(w.told()).toEqual([]);
  });

  test('LOADED: nothing at once for what is published', async () => {
    const w = await inWorld();
    w.source.say('confirmed', answered);
    await w.settle();
    w.told();
    w.source.say('restored', answered);
    await w.settle();
    expect(w.told()).toEqual([]);
  });
});

describe('requests in the dialog', () => {
  const moved = { caller: { uri: ALICE, contact: 'sip:alice@192.0.2.77' } };

  test('publish only when the document changes', async () => {
    const w = await inWorld();
    w.source.say('confirmed', answered);
    await w.settle();
    w.told();
    w.source.say('updated', {}, { method: 'INFO' });
    w.source.say('updated', {}, { method: 'REFER' });
    w.source.say('updated', {}, { method: 'ACK' });
    await w.settle();
    expect(w.told()).toEqual([]);
    w.source.say('updated', moved, { method: 'INVITE' });
    await w.settle();
    expect(w.document('alice').dialogs[0]!.local!.target!.uri).toBe('sip:alice@192.0.2.77');
    expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
  });

  test('publish_dialog_req_within 0: never; what they say is known all the same', async () => {
    const w = await inWorld({ dialoginfo: { publishDialogReqWithin: 0 } });
    w.source.say('confirmed', answered);
    await w.settle();
    w.told();
    w.source.say('updated', moved, { method: 'INVITE' });
    await w.settle();
    expect(w.told()).toEqual([]);
    w.source.say('updated', moved);
    await w.settle();
    expect(w.told()).toEqual(['alice initiator confirmed', 'bob recipient confirmed']);
  });
});

describe('presentities', () => {
  test('caller before callee, in the order of each list, all with the id of their side', async () => {
    const w = await inWorld();
    const publishUris = {
      caller: ['sip:c1@example.com', 'sip:c2@example.com'],
      callee: ['sip:d2@example.com', 'sip:d1@example.com'],
    };
    w.source.say('early', { ...answered, publishUris });
    await w.settle();
    expect(w.told()).toEqual(['c1 initiator early', 'c2 initiator early', 'd2 recipient early', 'd1 recipient early']);
    const records = [...w.pua.list()];
    expect(
      records.every(
        ({ sourceFlag, event, contentType }) =>
          sourceFlag === 1024 && event === 'dialog' && contentType === 'application/dialog-info+xml',
      ),
    ).toBe(true);
    expect(new Set(records.map(({ id }) => id)).size).toBe(2);
    for (const { id } of records) expect(id).toMatch(/^DIALOG_PUBLISH\.d[0-9a-f]{24}\.(caller|callee)$/);
  });

  test('the entity is the party, whoever gets the document', async () => {
    const w = await inWorld();
    w.source.say('early', { ...answered, publishUris: { callee: ['sip:lamp@example.com'] } });
    await w.settle();
    expect(w.document('lamp').entity).toBe(BOB);
  });

  test('calling oneself: two publications of one presentity, each with its own end', async () => {
    const w = await inWorld();
    const self = { caller: { uri: ALICE, tag: 'a' }, callee: { uri: ALICE, tag: 'b' } };
    w.source.say('early', self);
    w.source.say('confirmed', self);
    await w.advance(100);
    expect(w.lamps()).toEqual({ alice: ['confirmed', 'confirmed'] });
    w.source.say('terminated', self);
    await w.advance(11_000);
    expect(w.lamps()).toEqual({});
    expect(w.server.publications).toEqual([]);
  });

  test('nor is an anonymous caller anybody to publish for (RFC 3323)', async () => {
    const w = await inWorld();
    const caller = { uri: 'sip:anonymous@Anonymous.invalid', display: 'Anonymous', tag: 'a' };
    w.source.say('early', { caller, callee: ringing() });
    await w.settle();
    expect(w.told()).toEqual(['bob recipient early']);
    expect(w.server.publications[0]!.body.text()).toContain('Anonymous.invalid');
  });

  test('what is no URI is not published for', async () => {
    const w = await inWorld();
    w.source.say('early', { caller: { uri: 'anonymous' }, callee: ringing() });
    await w.settle();
    expect(w.told()).toEqual(['bob recipient early']);
    expect(w.server.publications[0]!.body.text()).not.toContain('anonymous');
  });

  test('the callee is To, or Request-URI with include_req_uri, or Request-URI when there is no To', async () => {
    const w = await inWorld();
    const requestUri = 'sip:2000@pbx.example.com';
    w.source.say('early', { ...answered, requestUri });
    w.source.say('early', { key: 'k2', callee: { ...ringing(), uri: '' }, requestUri });
    await w.settle();
    expect(Object.keys(w.lamps())).toEqual(['2000', 'alice', 'bob']);
    await w.stopPua();
    await w.startPua({ includeReqUri: 1 });
    w.source.say('early', { ...answered, key: 'k3', requestUri });
    await w.settle();
    expect(w.document('2000').entity).toBe(requestUri);
    expect(w.document('alice').dialogs[0]!.remote!.identity!.uri).toBe(requestUri);
  });

  test('lists are those of the call: what is taken away is so in all its forks', async () => {
    const w = await inWorld();
    const of = (...users: string[]) => ({ publishUris: { callee: users.map((user) => `sip:${user}@example.com`) } });
    w.source.say('early', { callee: ringing('t1'), ...of('d1', 'd2') });
    w.source.say('early', { callee: ringing('t2') });
    await w.advance(100);
    w.source.say('updated', { state: 'early', ...of('d2', 'd3') });
    await w.advance(11_000);
    expect(w.lamps()).toEqual({ alice: ['early', 'early'], d2: ['early', 'early'], d3: ['early', 'early'] });
  });

  test('one of several is taken away, one is added', async () => {
    const w = await inWorld();
    w.source.say('early', { ...answered, publishUris: { callee: ['sip:d1@example.com', 'sip:d2@example.com'] } });
    await w.settle();
    w.told();
    w.source.say('updated', { state: 'early', publishUris: { callee: ['sip:d2@example.com', 'sip:d3@example.com'] } });
    await w.settle();
    expect(w.told()).toEqual(['d1 recipient terminated', 'd3 recipient early']);
    await w.advance(11_000);
    expect(w.lamps()).toEqual({ alice: ['early'], d2: ['early'], d3: ['early'] });
  });
});

describe('local_domains', () => {
  const call = {
    caller: { uri: 'sip:alice@Example.COM:5062;transport=tcp' },
    callee: { uri: 'sip:bob@elsewhere.test', tag: 'b' },
  };

  test.each([
    ['a name', 'example.com'],
    ['names and expressions', 'other.test, /^example\\.(com|org)$/'],
    ['a list', ['other.test', /example\.com$/]],
    ['a function', (host: string) => host === 'example.com'],
  ])('%s: per presentity, without case and port', async (_, localDomains) => {
    const w = await inWorld({ dialoginfo: { localDomains } });
    w.source.say('early', call);
    await w.settle();
    expect(w.told()).toEqual(['alice initiator early']);
  });

  test('each URI of a list by itself', async () => {
    const w = await inWorld({ dialoginfo: { localDomains: 'example.com' } });
    const callee = ['sip:out@elsewhere.test', 'sip:in@example.com', 'tel:+15551234'];
    w.source.say('early', { ...answered, publishUris: { callee } });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator early', 'in recipient early']);
  });

  test('send_publish_flag: only calls with the flag, and no check of hosts', async () => {
    const w = await inWorld({ dialoginfo: { localDomains: 'example.com', sendPublishFlag: 3 } });
    w.source.say('early', { ...call, key: 'without', flags: 0b0111 });
    w.source.say('early', { ...call, key: 'unknown' });
    w.source.say('created', { ...call, key: 'with' }, { flags: 0b1000 });
    w.source.say('early', { ...call, key: 'with' });
    await w.settle();
    expect(w.told()).toEqual(['alice initiator trying', 'bob recipient early', 'alice initiator early']);
  });
});
