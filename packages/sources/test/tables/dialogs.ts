/** kamailioDialogs() on each kind of database, rows written as Kamailio does. */
import type { DialogEvent, DialogSnapshot, DialogSource, PuaModule } from '@pua/core';
import { type KamailioDialogsOptions, kamailioDialogs } from '@pua/sources';
import type { Fresh, Kind, Server } from './databases';
import { all, dialog, type Fault, faults, type Inbox, now, run } from './support';

export function dialogsSuite({ name }: Kind, server: () => Server): void {
  describe('dialog', () => {
    let fresh: Fresh;
    let told: { readonly inbox: Inbox<Fault>; off(): void };
    let source: DialogSource & PuaModule;

    beforeAll(async () => {
      fresh = await server().create();
    });
    afterAll(() => fresh.drop());
    beforeEach(() => {
      told = faults();
    });
    afterEach(async () => {
      await source.stop!();
      told.off();
      await fresh.clear();
    });

    const running = (options: Partial<KamailioDialogsOptions> = {}) => {
      source = kamailioDialogs({ dbUrl: fresh.url, pollInterval: 20, ...options });
      return run<DialogEvent>(source);
    };
    const insert = (...rows: ReturnType<typeof dialog>[]) => fresh.db('dialog').insert(rows);
    const update = (row: { hash_id: number }, values: object) =>
      fresh.db('dialog').where({ hash_id: row.hash_id }).update(values);
    const live = () => all(source.live!());

    test('a row is a call: every column, with its variables', async () => {
      const answered = now() - 5;
      await insert(
        dialog({
          ...{ hash_entry: 3999, hash_id: 77, callid: 'c"<&>@h', from_uri: 'sip:alice@example.com', from_tag: 'at' },
          ...{ to_uri: 'sip:bob@example.com', to_tag: 'bt', caller_contact: 'sip:alice@192.0.2.1;ob' },
          ...{ callee_contact: 'sip:bob@192.0.2.2:5062', req_uri: 'sip:team@example.com', state: 4 },
          ...{ start_time: answered, timeout: now() + 1800, sflags: 6 },
        }),
        // Another call with a variable of the same name.
        dialog({ hash_entry: 3999, hash_id: 78, state: 2, to_tag: '', callee_contact: '', start_time: 0, timeout: 0 }),
      );
      const of = (hash_id: number, dialog_key: string, dialog_value: string) => ({
        ...{ hash_entry: 3999, hash_id, dialog_key, dialog_value },
      });
      await fresh.db('dialog_vars').insert([of(77, 'caller', 'sip:a@example.com'), of(77, 'x', '1'), of(78, 'x', '2')]);
      await running();
      const [call, ringing] = await live();
      const { lifetime, ...rest } = call!;
      expect(rest).toEqual<DialogSnapshot>({
        ...{ key: '3999:77', callId: 'c"<&>@h', state: 'confirmed', requestUri: 'sip:team@example.com' },
        caller: { uri: 'sip:alice@example.com', tag: 'at', contact: 'sip:alice@192.0.2.1;ob' },
        callee: { uri: 'sip:bob@example.com', tag: 'bt', contact: 'sip:bob@192.0.2.2:5062' },
        ...{ answeredAt: answered * 1000, flags: 6, vars: { caller: 'sip:a@example.com', x: '1' } },
      });
      expect(Math.abs(lifetime! - 1800)).toBeLessThanOrEqual(2);
      expect(ringing).toEqual<DialogSnapshot>({
        ...{ key: '3999:78', callId: expect.any(String), state: 'early', requestUri: 'sip:bob@example.com' },
        caller: { uri: 'sip:alice@example.com', tag: 'a', contact: 'sip:alice@192.0.2.1' },
        callee: { uri: 'sip:bob@example.com' },
        ...{ flags: 0, vars: { x: '2' } },
      });
    });

    test('states 1 to 5: created, early, confirmed (also before the ACK), terminated', async () => {
      const inbox = await running();
      const row = dialog({ state: 1, to_tag: '', callee_contact: '', start_time: 0, timeout: 0 });
      await insert(row);
      const steps: [object, string, string][] = [
        [{ state: 2, to_tag: 'b' }, 'early', 'early'],
        [
          { state: 3, callee_contact: 'sip:bob@192.0.2.2', start_time: now(), timeout: now() + 60 },
          'confirmed',
          'confirmed',
        ],
        // The ACK changes nothing for anybody.
        [{ state: 4 }, 'updated', 'confirmed'],
        [{ caller_contact: 'sip:alice@192.0.2.77' }, 'updated', 'confirmed'],
        [{ state: 5 }, 'terminated', 'terminated'],
      ];
      const [created] = await inbox.take();
      expect([created!.kind, created!.dialog.state]).toEqual(['created', 'trying']);
      for (const [values, kind, state] of steps) {
        await update(row, values);
        const [event] = await inbox.take();
        expect([event!.kind, event!.dialog.state]).toEqual([kind, state]);
        if ('caller_contact' in values) expect(event!.dialog.caller.contact).toBe('sip:alice@192.0.2.77');
      }
      await fresh.db('dialog').delete();
      await insert(dialog({ callid: 'next' }));
      expect((await inbox.take())[0]!.dialog.callId).toBe('next');
    });

    test('a row that vanishes was a call that ended: by whom nobody knows', async () => {
      const [bye, cancelled] = [dialog(), dialog({ state: 2, timeout: 0 })];
      await insert(bye, cancelled);
      const inbox = await running();
      expect(await live()).toHaveLength(2);
      await fresh.db('dialog').delete();
      const ended = await inbox.take(2);
      for (const { kind, dialog: call } of ended) {
        expect([kind, call.state, call.reason, call.lifetime]).toEqual([
          'terminated',
          'terminated',
          undefined,
          undefined,
        ]);
      }
      expect(ended.map(({ dialog: { callId } }) => callId)).toEqual([bye.callid, cancelled.callid]);
      expect(await live()).toEqual([]);
    });

    if (name === 'SQLite') {
      test('a call whose timeout is over has expired, its row gone or not; not before it is answered', async () => {
        const [stays, goes] = [dialog({ timeout: now() + 1 }), dialog({ timeout: now() + 1 })];
        await insert(stays, goes, dialog({ callid: 'rings', state: 2, timeout: now() - 60 }));
        const inbox = await running();
        await fresh.db('dialog').where({ hash_id: goes.hash_id }).delete();
        for (const row of [goes, stays]) {
          expect(await inbox.take()).toMatchObject([
            { kind: 'expired', dialog: { callId: row.callid, state: 'terminated', reason: { event: 'timeout' } } },
          ]);
        }
        expect((await live()).map(({ callId }) => callId)).toEqual(['rings']);
      });
    }

    test('a variable that changes is an update', async () => {
      const row = dialog();
      await insert(row);
      const inbox = await running();
      const { hash_entry, hash_id } = row;
      await fresh.db('dialog_vars').insert({ hash_entry, hash_id, dialog_key: 'who', dialog_value: 'me' });
      expect(await inbox.take()).toMatchObject([{ kind: 'updated', dialog: { vars: { who: 'me' } } }]);
    });

    test('a timeout that moves keeps the call; it says how long it is expected to last', async () => {
      const row = dialog({ timeout: now() + 5 });
      await insert(row);
      const inbox = await running();
      await update(row, { timeout: now() + 600 });
      const [moved] = await inbox.take();
      expect(moved!.kind).toBe('updated');
      expect(moved!.dialog.lifetime!).toBeGreaterThan(595);
    });

    test('a malformed row is told once and left out', async () => {
      await insert(dialog({ callid: '' }), dialog({ to_uri: '' }), dialog({ state: 9 }), dialog({ callid: 'good' }));
      await running();
      expect((await live()).map(({ callId }) => callId)).toEqual(['good']);
      expect((await told.inbox.take(3)).map(({ error }) => error.message)).toEqual([
        'callid is empty',
        'to_uri is empty',
        'state 9 is not known',
      ]);
    });

    test('tables that are not there are refused', async () => {
      await expect(running({ varsTable: 'nowhere' })).rejects.toMatchObject({
        code: 'PUA_ERR_OPTION',
        message: expect.stringContaining('table nowhere: there is no such table'),
      });
      expect(() => source.live!()).toThrow(expect.objectContaining({ code: 'PUA_ERR_STATE' }));
    });
  });
}
