/** Records that a database on a server refuses because of what they hold. */
import { channel } from 'node:diagnostics_channel';
import type { PuaRow } from '@pua/core';
import type { StoreEvent } from '@pua/store';
import { type DatabaseFixture, loadAll } from './database';
import { publicationRow, Source } from './rows';

/** @param misfits rows by key that this database refuses, with what is said about each */
export function misfitTests(
  make: () => Promise<DatabaseFixture>,
  misfits: Readonly<Record<string, readonly [change: Partial<PuaRow>, reason: RegExp]>>,
): void {
  let fixture: DatabaseFixture;
  const rejected = new Map<string, string>();
  const listen = (message: unknown) => {
    const event = message as StoreEvent;
    if (event.type === 'rejected') rejected.set(event.key, event.reason);
  };

  beforeEach(async () => {
    fixture = await make();
    rejected.clear();
    channel('pua:store').subscribe(listen);
  });
  afterEach(async () => {
    channel('pua:store').unsubscribe(listen);
    await fixture.dispose();
  });

  test('it is told by its key, and the others of its group are written and deleted', async () => {
    await fixture.sql('alter table pua add constraint small check (version < 1000)');
    const store = fixture.store({ writeDelayMs: 5 });
    await store.open();
    const ended = new Source('ended', publicationRow('ended'));
    store.changed(ended);
    await store.flush();
    ended.state = null;
    const all = { ...misfits, checked: [{ version: 1000 }, /small/] as const };
    const sources = [ended];
    for (const [key, [change]] of Object.entries(all)) {
      for (let i = 0; i < 20; i++) sources.push(new Source(`${key} ${i}`, publicationRow(`${key} ${i}`)));
      sources.push(new Source(key, publicationRow(key, change)));
    }
    for (const source of sources) store.changed(source);
    await store.flush();
    expect([...rejected.keys()].sort()).toEqual(Object.keys(all).sort());
    for (const [key, [, reason]] of Object.entries(all)) expect(rejected.get(key)).toMatch(reason);
    expect(store.status()).toMatchObject({
      durable: sources.length + 1,
      pending: 0,
      error: { code: 'PUA_ERR_ARGUMENT', message: expect.stringMatching(/^record .* can't be written: /) },
    });
    const good = sources.flatMap(({ key, state }) => (state === null || key in all ? [] : [key]));
    expect((await loadAll(store)).map((row) => row.record_key).sort()).toEqual(good.sort());
  });
}
