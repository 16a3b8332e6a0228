/**
 * States come from a table, not from whatever request goes by; documents from a writer that escapes; and who it is about from
 * the source.
 */
import type { DialogEventKind, DialogSnapshot } from '@pua/core';
import type { DialogInfo } from '@pua/documents';
import { complaints, describeWithSchemas, temporaryFolder } from '../../../documents/test/xmllint';
import {
  ALICE,
  BOB,
  brokenDialoginfo,
  call,
  callOffice,
  courses,
  documents,
  harmlessParts,
  lamps,
  PARTS,
  phone,
} from './office';

type State = typeof import('../../../dialoginfo/src/state.js');
type Presentities = typeof import('../../../dialoginfo/src/presentities.js');
type Identity = typeof import('../../../dialoginfo/src/identity.js');
type Domains = typeof import('../../../dialoginfo/src/domains.js');
type Documents = typeof import('@pua/documents');

const METHODS = ['PRACK', 'UPDATE', 'INFO', 'OPTIONS', 'MESSAGE', 'REFER', 'NOTIFY', 'ACK', 'CANCEL'];

/** What text in SIP may hold, and XML must not. */
const ODD = `"'<&>]]>\t\u00e9\u5b57\u{1f4de}`;
const ODD_CALL: Partial<DialogSnapshot> = {
  callId: `"a'<b>&c"@<pbx>`,
  caller: { uri: ALICE, display: `Al"ice" <& ${ODD}`, tag: `"a'<&>`, contact: 'sip:alice@192.0.2.1;x="<&>"' },
  callee: { uri: BOB, display: ODD, tag: '<b>&', contact: 'sip:bob@192.0.2.2' },
};

describe('10: states derived wrongly, invalid documents (kamailio#2700, #3838, #3143 and known issues)', () => {
  harmlessParts(
    'requests while it rings never say confirmed',
    async (parts) => {
      const { world, calls } = await callOffice(parts);
      calls.tell(call('created'));
      calls.tell(call('early', { callee: phone('b') }));
      for (const method of METHODS) {
        calls.tell(call('updated', { state: 'early', callee: phone('b') }, { method }));
        await world.advance(200);
        expect(lamps(world)).toEqual({ alice: ['early'], bob: ['early'] });
      }
      calls.tell(call('failed', { callee: phone('b'), reason: { event: 'rejected', code: 486 } }));
      await world.advance(15_000);
      expect([...courses(world).values()].flat()).not.toContain('confirmed');
      // Nothing has changed by those requests: nothing was told.
      expect(documents(world)).toHaveLength(5);
      await world.stop();
    },
    {
      'every request in the dialog meant that it is answered': brokenDialoginfo<State>('state.js', ({ nextState }) => ({
        nextState: (...[now, kind, told]: Parameters<typeof nextState>) =>
          nextState(now, kind, kind === 'updated' ? 'confirmed' : told),
      })),
    },
  );

  // The whole table: what each event does to a dialog of each state.
  const TABLE: Readonly<Record<string, Partial<Record<DialogEventKind, string>>>> = {
    trying: { early: 'early', confirmed: 'confirmed', failed: '', terminated: '', expired: '' },
    early: { created: 'early', early: 'early', confirmed: 'confirmed', failed: '', terminated: '', expired: '' },
    confirmed: { created: 'confirmed', early: 'confirmed', failed: 'confirmed', terminated: '', expired: '' },
  };
  const KIND = { trying: 'created', early: 'early', confirmed: 'confirmed' } as const;
  harmlessParts(
    'every event in every state',
    async (parts) => {
      for (const [state, row] of Object.entries(TABLE)) {
        for (const [kind, next] of Object.entries(row)) {
          const { world, calls } = await callOffice(parts);
          calls.tell(call(KIND[state as keyof typeof KIND]));
          await world.advance(100);
          calls.tell(call(kind as DialogEventKind));
          await world.advance(15_000);
          expect([state, kind, lamps(world)['alice'] ?? ['']]).toEqual([state, kind, [next]]);
          await world.stop();
        }
      }
    },
    {
      'a call that was answered could ring again': brokenDialoginfo<State>('state.js', ({ nextState }) => ({
        nextState: (...[now, kind, told]: Parameters<typeof nextState>) =>
          now === 'confirmed' && kind === 'early' ? told : nextState(now, kind, told),
      })),
    },
  );

  harmlessParts(
    'a caller without Contact, display name or tag is published all the same; one without URI harms nobody',
    async (parts) => {
      const { world, calls } = await callOffice(parts);
      calls.tell(call('early', { caller: { uri: ALICE, contact: '', display: '', tag: '' }, callee: phone('b') }));
      await world.advance(100);
      expect(lamps(world)).toEqual({ alice: ['early'], bob: ['early'] });
      const [first] = documents(world);
      expect(first!.document.dialogs[0]!.local).toEqual({ identity: { uri: ALICE }, target: { uri: ALICE } });
      const nobody = { key: 'second', callId: 'second', caller: { uri: '', contact: '' }, callee: phone('c') };
      calls.tell(call('early', nobody));
      await world.advance(100);
      expect(lamps(world)).toEqual({ alice: ['early'], bob: ['early', 'early'] });
      calls.tell(call('failed', nobody));
      calls.tell(call('failed', { callee: phone('b') }));
      await world.advance(15_000);
      expect(lamps(world)).toEqual({});
      await world.stop();
    },
    {
      'a Contact of zero length were an error': brokenDialoginfo<Presentities>(
        'presentities.js',
        ({ presentitiesOf }) => ({
          presentitiesOf: (...[view, side]: Parameters<typeof presentitiesOf>) =>
            !view.fork.parties[side].contact ? new Set() : presentitiesOf(view, side),
        }),
      ),
    },
  );

  harmlessParts(
    'quotes, brackets and other letters in Call-ID, tags and names come through as they are',
    async (parts) => {
      const { world, calls } = await callOffice(parts);
      calls.tell(call('early', ODD_CALL));
      await world.advance(100);
      const found = documents(world);
      expect(found.map(({ user }) => user)).toEqual(['alice', 'bob']);
      const [dialog] = found[0]!.document.dialogs;
      expect(dialog).toMatchObject({
        callId: ODD_CALL.callId,
        localTag: ODD_CALL.caller!.tag,
        remoteTag: ODD_CALL.callee!.tag,
        local: { identity: { uri: ALICE, display: ODD_CALL.caller!.display } },
      });
      calls.tell(call('terminated', ODD_CALL));
      await world.advance(15_000);
      expect(lamps(world)).toEqual({});
      await world.stop();
    },
    {
      'nothing were escaped': brokenDialoginfo<Documents>('@pua/documents', ({ writeDialogInfo }) => ({
        writeDialogInfo: (document: DialogInfo) =>
          writeDialogInfo(document)
            .replace(/&(?:quot|#34);/g, '"')
            .replace(/&lt;/g, '<')
            .replace(/&amp;/g, '&'),
      })),
    },
  );

  const group = { uri: 'sip:+4930123@gateway.example.net', tag: 'b' };
  harmlessParts(
    'the callee is who the source says, not what To says',
    async (parts) => {
      // The source knows the AOR.
      const known = await callOffice(parts);
      known.calls.tell(call('early', { callee: phone('b'), requestUri: 'sip:17@192.0.2.2:5062' }));
      await known.world.advance(100);
      expect(lamps(known.world)).toEqual({ alice: ['early'], bob: ['early'] });
      await known.world.stop();
      // It knows but the Request-URI: to be taken instead of To, or when there is nothing else.
      for (const [uri, includeReqUri] of [
        [group.uri, 1],
        ['', 0],
      ] as const) {
        const { world, calls } = await callOffice(parts, { includeReqUri });
        calls.tell(call('early', { callee: { ...group, uri }, requestUri: 'sip:carol@example.com' }));
        await world.advance(100);
        expect(lamps(world)).toEqual({ alice: ['early'], carol: ['early'] });
        await world.stop();
      }
    },
    {
      'it were always the Request-URI': brokenDialoginfo<Identity>('identity.js', ({ addressedIdentity }) => ({
        addressedIdentity: (...[view, side]: Parameters<typeof addressedIdentity>) =>
          side === 'callee' ? { uri: view.facts.requestUri ?? '' } : addressedIdentity(view, side),
      })),
      'it were always To': brokenDialoginfo<Identity>('identity.js', ({ addressedIdentity }) => ({
        addressedIdentity: (...[view, side]: Parameters<typeof addressedIdentity>) =>
          side === 'callee' ? { uri: view.fork.parties.callee.uri } : addressedIdentity(view, side),
      })),
    },
  );

  harmlessParts(
    'domains are those that are named, whatever the port, case and other names of this host',
    async (parts) => {
      const { world, calls } = await callOffice(parts, { localDomains: 'example.com, /^.*\\.example\\.org$/' });
      const callees = ['b@EXAMPLE.com:5080', 'c@pbx.example.org', 'd@example.net', 'e@10.0.0.1', 'f@notexample.com'];
      for (const [i, callee] of callees.entries()) {
        calls.tell(call('early', { key: `${i}`, callId: `${i}`, callee: phone(`t${i}`, `sip:${callee}`) }));
      }
      await world.advance(1_000);
      expect(Object.keys(lamps(world)).sort()).toEqual(['alice', 'b', 'c']);
      expect(lamps(world)['alice']).toHaveLength(callees.length);
      await world.stop();
    },
    {
      'hosts were compared with their ports': brokenDialoginfo<Domains>('domains.js', () => ({
        localDomainTest: () => (uri: string) => /@(?:example\.com|.*\.example\.org)$/i.test(uri),
      })),
      'every host were ours': brokenDialoginfo<Domains>('domains.js', () => ({ localDomainTest: () => () => true })),
    },
  );
});

describeWithSchemas('10: by the schema of RFC 4235', () => {
  const folder = temporaryFolder();
  // Fails when the order of the elements is that of the C modules (tried in the writer of @pua/documents).
  test('an odd call, from its begin to its end', async () => {
    const { world, calls } = await callOffice(PARTS);
    for (const kind of ['created', 'early', 'confirmed', 'terminated'] as const) {
      calls.tell(call(kind, { ...ODD_CALL, startedAt: world.clock.wall() - 5_000 }));
      await world.advance(1_000);
    }
    const texts = world.server.requests.flatMap(({ body }) => body?.text() ?? []);
    expect(texts.length).toBeGreaterThan(6);
    expect(complaints(folder(), { 'urn:ietf:params:xml:ns:dialog-info': 'dialog-info' }, texts)).toBe('');
    await world.stop();
  });
});
