/** kamailioLocation() on each kind of database, rows written as Kamailio does. */
import type { Binding, BindingEvent, PuaModule, RegistrationSource } from '@pua/core';
import { systemClock } from '@pua/sip';
import { type KamailioLocationOptions, kamailioLocation } from '@pua/sources';
import { Database } from '../../dist/tables/database.js';
import { locationMeaning } from '../../dist/tables/location-mapping.js';
import { LocationRows } from '../../dist/tables/location-rows.js';
import { TableSource } from '../../dist/tables/table-source.js';
import { type Fresh, type Kind, local, type Server } from './databases';
import { all, contact, type Fault, faults, Inbox, now, run } from './support';

export function locationSuite({ name, time }: Kind, server: () => Server): void {
  describe('location', () => {
    let shared: Fresh;
    let fresh: Fresh;
    let dropIndex: (() => PromiseLike<void>) | undefined;
    let told: { readonly inbox: Inbox<Fault>; off(): void };
    let source: RegistrationSource & PuaModule;

    beforeAll(async () => {
      shared = await server().create();
    });
    afterAll(() => shared.drop());
    beforeEach(() => {
      fresh = shared;
      told = faults();
      dropIndex = undefined;
    });
    afterEach(async () => {
      await source.stop!();
      told.off();
      await dropIndex?.();
      await (fresh === shared ? shared.clear() : fresh.drop());
    });

    /** An index that the test makes goes with it. */
    const withIndex = () => {
      dropIndex = () =>
        shared.db.schema.alterTable('location', (table) => {
          table.dropIndex([], 'location_last_modified_idx');
        });
    };
    const make = (options: Partial<KamailioLocationOptions> = {}) => {
      source = kamailioLocation({ dbUrl: fresh.url, pollInterval: 20, ...options });
      return source;
    };
    const insert = (...rows: Record<string, unknown>[]) => fresh.db.batchInsert('location', rows, 250);
    const row = (more: Parameters<typeof contact>[1] = {}) => contact(time, more);
    const snapshot = () => all(source.snapshot!());
    const message = (fault: Fault | undefined) => `${fault?.where}: ${fault?.error.message}`;

    test('a row is a binding: every column', async () => {
      const expires = now() + 600;
      await insert(
        row({
          ...{ ruid: 'uloc-a', username: 'alice', contact: 'sip:alice@192.0.2.1;ob', q: 0.5, callid: 'c"<&>', cseq: 7 },
          ...{
            expires: time(expires),
            received: 'sip:203.0.113.5:5070',
            path: '<sip:edge.example.com;lr>',
          },
          ...{
            user_agent: 'Phone 1',
            instance: '<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>',
            reg_id: 2,
            cflags: 5,
          },
        }),
        row({ ruid: 'uloc-b', username: 'bob', domain: null, expires: time(0) }),
        row({ ruid: 'uloc-c', username: 'carol', domain: '' }),
        row({ lifetime: -60 }),
      );
      await run<BindingEvent>(make());
      const [alice, bob, carol, ...others] = await snapshot();
      expect(alice).toEqual<Binding>({
        ...{ aor: 'alice@example.com', table: 'location', bindingId: 'uloc-a', contact: 'sip:alice@192.0.2.1;ob' },
        ...{ expiresAt: expires * 1000, callId: 'c"<&>', cseq: 7, q: 0.5, received: 'sip:203.0.113.5:5070' },
        ...{ path: '<sip:edge.example.com;lr>', userAgent: 'Phone 1', regId: 2, flags: 5 },
        instance: 'urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF',
      });
      // Epoch 0 is permanent, a negative q is none, n/a no user agent, an empty domain no domain.
      expect(bob).toEqual<Binding>({
        ...{ aor: 'bob', table: 'location', bindingId: 'uloc-b', contact: expect.any(String), expiresAt: 0 },
        ...{ callId: expect.any(String), cseq: 1, flags: 0 },
      });
      expect(carol!.aor).toBe('carol');
      // What has run out is no binding.
      expect(others).toEqual([]);
      expect(told.inbox.items).toEqual([]);
    });

    test('insert, update with what was before, delete; nothing for what does not change', async () => {
      await insert(row({ ruid: 'old' }));
      const inbox = await run<BindingEvent>(make());
      await insert(row({ ruid: 'new', username: 'alice', cseq: 1 }));
      const [appeared] = await inbox.take();
      expect([appeared!.kind, appeared!.binding.bindingId]).toEqual(['insert', 'new']);
      const later = { cseq: 2, last_modified: time(now() + 1) };
      await fresh.db('location').where({ ruid: 'new' }).update(later);
      const [update] = await inbox.take();
      expect(update).toMatchObject({ kind: 'update', binding: { cseq: 2 }, previous: { cseq: 1 } });
      await fresh.db('location').where({ ruid: 'new' }).delete();
      expect(await inbox.take()).toEqual([{ kind: 'delete', binding: update!.binding }]);
      await insert(row({ ruid: 'last' }));
      expect((await inbox.take()).map(({ kind, binding }) => [kind, binding.bindingId])).toEqual([['insert', 'last']]);
      expect((await snapshot()).map(({ bindingId }) => bindingId)).toEqual(['old', 'last']);
    });

    test("expiry is told by our clock, however far the database's is away", async () => {
      const hour = 3_600_000;
      const clock = {
        ...systemClock,
        now: () => systemClock.now(),
        wall: () => Date.now() + hour,
      } as typeof systemClock;
      clock.after = (ms, f) => systemClock.after(ms, f);
      await insert(row({ lifetime: 100 }));
      await run(make(), clock);
      const [{ expiresAt }] = (await snapshot()) as [Binding];
      expect(Math.abs(expiresAt - (Date.now() + hour + 100_000))).toBeLessThanOrEqual(2000);
    });

    test('times are seconds since 1970 with `expires_type` 1 of usrloc', async () => {
      fresh = await server().create();
      await fresh.db.schema.alterTable('location', (table) => {
        table.dropColumn('expires');
        table.dropColumn('last_modified');
      });
      await fresh.db.schema.alterTable('location', (table) => {
        table.bigInteger('expires').notNullable().defaultTo(0);
        table.bigInteger('last_modified').notNullable().defaultTo(0);
      });
      const at = now() + 500;
      const numbers = (expires: number) => ({ expires: String(expires), last_modified: String(now()) });
      await insert(row({ username: 'alice', ...numbers(at) }), row({ username: 'bob', ...numbers(0) }));
      const inbox = await run<BindingEvent>(make({ createIndex: 1 }));
      expect((await snapshot()).map(({ expiresAt }) => expiresAt)).toEqual([at * 1000, 0]);
      await fresh
        .db('location')
        .where({ username: 'alice' })
        .update(numbers(at + 60));
      expect((await inbox.take())[0]!.binding.expiresAt).toBe((at + 60) * 1000);
    });

    if (name === 'SQLite') {
      test('there is no time_zone', async () => {
        await expect(run(make({ timeZone: '+02:00' }))).rejects.toMatchObject({ code: 'PUA_ERR_OPTION' });
      });

      test('a time that is none is told', async () => {
        await insert(row({ expires: 'soon' }));
        await run(make());
        expect((await told.inbox.take()).map(message)).toEqual([expect.stringContaining('expires is not a time')]);
      });

      test('a binding has expired a second after its time, and when its row is removed about then', async () => {
        const inbox = await run<BindingEvent>(make());
        await insert(row({ ruid: 'stays', lifetime: 1 }));
        const [stays] = await inbox.take();
        // Kamailio removes rows of the past once a minute.
        expect(await inbox.take()).toEqual([{ kind: 'expire', binding: stays!.binding }]);
        await fresh.db('location').where({ ruid: 'stays' }).delete();
        await insert(row({ ruid: 'goes', lifetime: 1 }));
        const [goes] = await inbox.take();
        await fresh.db('location').where({ ruid: 'goes' }).delete();
        expect(await inbox.take()).toEqual([{ kind: 'expire', binding: goes!.binding }]);
        expect(await snapshot()).toEqual([]);
      });
    } else {
      test('time_zone: Kamailio writes times of another zone than that of the database', async () => {
        const at = now() + 600;
        const brasilia = -3 * 3600;
        const times = { expires: local(at, brasilia), last_modified: local(now(), brasilia) };
        await insert(row({ ...times }), row({ ...times, expires: local(0, brasilia) }));
        await run(make({ timeZone: name === 'PostgreSQL' ? 'America/Sao_Paulo' : '-03:00' }));
        expect((await snapshot()).map(({ expiresAt }) => expiresAt)).toEqual([at * 1000, 0]);
      });

      test('time_zone: a zone that the database does not know is refused', async () => {
        await expect(run(make({ timeZone: 'Moon/Crater' }))).rejects.toMatchObject({
          code: 'PUA_ERR_OPTION',
          message: expect.stringContaining('timeZone (time_zone): the database does not know "Moon/Crater"'),
        });
      });
    }

    test('rows that are written in another zone are noticed, once', async () => {
      const inbox = await run<BindingEvent>(make());
      // One that comes from a backup.
      await insert(row({ ruid: 'restored', last_modified: time(now() - 1300) }));
      await inbox.take();
      expect(told.inbox.items).toEqual([]);
      const behind = 2 * 3600;
      await insert(row({ lifetime: 60 - behind, last_modified: time(now() - behind) }));
      const [fault] = await told.inbox.take();
      expect(message(fault)).toMatch(/another time zone: .* -2 hours from now: set timeZone \(time_zone\)/);
      await insert(row({ last_modified: time(now() - behind) }), row());
      await inbox.take(2);
      expect(told.inbox.items).toEqual([]);
    });

    test('create_index 0: once the table is larger than a poll, the statement that helps is told', async () => {
      withIndex();
      await insert(row(), row());
      const inbox = await run<BindingEvent>(make({ rowsPerPoll: 2 }));
      expect(told.inbox.items).toEqual([]);
      await insert(row());
      const [fault] = await told.inbox.take();
      expect(message(fault)).toContain('refreshes are found late');
      const statement = /run (CREATE INDEX .*)$/.exec(fault!.error.message)![1]!;
      await inbox.take();
      await source.stop!();
      await fresh.db.raw(statement);
      await run(make({ rowsPerPoll: 2 }));
      expect(told.inbox.items).toEqual([]);
    });

    test('create_index 1: the index is made, and refreshes are found by the next poll', async () => {
      withIndex();
      // The rotation alone would need 20 seconds.
      const inbox = await run<BindingEvent>(make({ createIndex: 1, rowsPerPoll: 1 }));
      await insert(...Array.from({ length: 999 }, () => row()), row({ ruid: 'last' }));
      await inbox.take(1000);
      expect(told.inbox.items).toEqual([]);
      // They are new no longer.
      for (let i = 0; i < 3; i++) {
        await insert(row());
        await inbox.take();
      }
      await fresh
        .db('location')
        .where({ ruid: 'last' })
        .update({ cseq: 9, last_modified: time(now() + 1) });
      expect(await inbox.take()).toMatchObject([{ kind: 'update', binding: { bindingId: 'last', cseq: 9 } }]);
    });

    test('a malformed row is told once and left out; the others live', async () => {
      await insert(row({ username: '' }), row({ contact: 'no uri' }), row({ username: 'alice' }));
      const inbox = await run<BindingEvent>(make());
      expect((await snapshot()).map(({ aor }) => aor)).toEqual(['alice@example.com']);
      expect((await told.inbox.take(2)).map(message)).toEqual([
        expect.stringMatching(/^kamailioLocation: table location: row \d+ is left out: username is empty$/),
        expect.stringMatching(/row \d+ is left out: contact is not a URI$/),
      ]);
      await insert(row({ username: 'bob' }));
      await inbox.take();
      expect(told.inbox.items).toEqual([]);
    });

    test('a listener that throws is told as a fault, and hinders nobody', async () => {
      const inbox = new Inbox<BindingEvent>();
      make().onEvent(() => {
        throw new Error('broken');
      });
      source.onEvent(inbox.put);
      await run(source);
      await insert(row({ username: 'alice' }), row({ username: 'bob' }));
      expect((await inbox.take(2)).map(({ binding }) => binding.aor)).toEqual(['alice@example.com', 'bob@example.com']);
      expect((await told.inbox.take(2)).map(message)).toEqual(Array(2).fill('a listener of kamailioLocation: broken'));
    });

    test('bindings() of an address, in whatever form', async () => {
      await insert(row({ username: 'alice' }), row({ username: 'alice', lifetime: -5 }), row({ username: 'alice' }));
      await insert(row({ username: 'alice', domain: 'other.example' }), row({ username: 'bob', domain: '' }));
      await run(make());
      const of = async (aor: string, table?: string) => (await source.bindings!(aor, table)).map((one) => one.aor);
      expect(await of('sip:alice@Example.com')).toEqual(['alice@example.com', 'alice@example.com']);
      expect(await of('alice@other.example', 'location')).toEqual(['alice@other.example']);
      expect(await of('bob')).toEqual(['bob']);
      expect(await of('carol@example.com')).toEqual([]);
      expect(await of('alice@example.com', 'another_table')).toEqual([]);
    });

    test('a table that is not there, or another one, is refused', async () => {
      await expect(run(make({ table: 'nowhere' }))).rejects.toMatchObject({
        code: 'PUA_ERR_OPTION',
        message: expect.stringContaining('table nowhere: there is no such table: check db_url'),
      });
      await expect(run(make({ table: 'dialog' }))).rejects.toMatchObject({
        code: 'PUA_ERR_OPTION',
        message: expect.stringContaining('lacks the columns ruid, username'),
      });
    });

    if (name === 'MariaDB') {
      test('an account that may only read needs no index; asked to make one, it says what to run', async () => {
        await fresh.db.raw("CREATE USER IF NOT EXISTS reader@127.0.0.1 IDENTIFIED BY 'secret'");
        await fresh.db.raw('GRANT SELECT ON location TO reader@127.0.0.1');
        const dbUrl = fresh.url.replace('//root@', '//reader:secret@');
        await run(make({ dbUrl }));
        await source.stop!();
        await expect(run(make({ dbUrl, createIndex: 1 }))).rejects.toMatchObject({
          code: 'PUA_ERR_STORE_OPEN',
          message: expect.stringMatching(
            /create_index\): leave it out, or run CREATE INDEX .* as somebody who may: (?!.*secret)/,
          ),
        });
      });

      test('a database that goes away ends nothing; what happened meanwhile is told when it is back', async () => {
        await fresh.db.raw('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
        await insert(row({ ruid: 'stays' }), row({ ruid: 'goes' }));
        const inbox = await run<BindingEvent>(make());
        await server().interrupt!();
        const [fault] = await told.inbox.take();
        expect(fault!.where).toContain('a poll failed, what was known is kept');
        expect(await snapshot()).toHaveLength(2);
        await server().resume!();
        await fresh.db('location').where({ ruid: 'goes' }).delete();
        await insert(row({ ruid: 'comes' }));
        const events = await inbox.take(2);
        expect(events.map(({ kind, binding }) => `${kind} ${binding.bindingId}`).sort()).toEqual([
          'delete goes',
          'insert comes',
        ]);
        expect([inbox.items, told.inbox.items]).toEqual([[], []]);
      });

      test('20 000 rows: few statements per poll, few rows, no scan', async () => {
        withIndex();
        await fresh.db.raw(
          `INSERT INTO location (ruid, username, domain, contact, expires, callid, user_agent, last_modified)
           SELECT seq, seq, 'example.com', 'sip:a@192.0.2.1', NOW() + INTERVAL 1 HOUR, 'c', 'n/a',
             NOW() - INTERVAL IF(seq > 19900, 0, 600) SECOND FROM seq_1_to_20000`,
        );
        const database = new Database('test', fresh.url);
        const options = { table: 'location', pollInterval: 10, rowsPerPoll: 1000 };
        await database.createIndex('location', 'last_modified');
        const read = new TableSource(database, options, locationMeaning('location'));
        const open = () => LocationRows.open(database, 'location', null);
        const inbox = await run<BindingEvent>({
          name: 'test',
          onEvent: (listener) => read.onEvent(listener),
          setup: (pua) => read.setup(pua),
          start: () => read.start(open),
        });
        const scans = async () => {
          const [[row]] = await fresh.db.raw("SHOW GLOBAL STATUS LIKE 'Select_scan'");
          return Number(row.Value);
        };
        const before = await scans();
        const POLLS = 5;
        const isClock = (sql: string) => sql.includes('UTC_TIMESTAMP');
        const count = { polls: 0, statements: 0, rows: 0 };
        await new Promise<void>((done) => {
          database.knex.on('query-response', (response: unknown[], { sql }: { sql: string }) => {
            if (isClock(sql) && ++count.polls > POLLS) return done();
            if (count.polls === 0 || count.polls > POLLS) return;
            count.statements++;
            count.rows += isClock(sql) ? 0 : response.length;
          });
        });
        await read.stop();
        // The clock, new rows, changed rows, two pages of the rotation.
        expect(count.statements / POLLS).toBe(5);
        // Those of the rotation, and those that share a second with the last change.
        expect(count.rows / POLLS).toBeLessThanOrEqual(1100);
        expect(count.rows / POLLS).toBeGreaterThanOrEqual(1000);
        // The statement that asks for it is one.
        expect((await scans()) - before).toBeLessThanOrEqual(1);
        expect(inbox.items).toEqual([]);
      });
    }
  });
}
