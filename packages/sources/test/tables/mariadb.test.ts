import { dialectOf } from '../../dist/tables/dialect.js';
import { mariadb } from './databases';
import { suite } from './suite';

suite(mariadb, (server) => {
  test('the clock is right in the hour when summer time ends', async () => {
    const { db, drop } = await server().create();
    // Two hours ahead of UTC, then one.
    const ends = 1_900_000_800;
    for (const [table, ...rows] of [
      ['time_zone', [7, 'N']],
      ['time_zone_name', ['Test/Summer', 7]],
      ['time_zone_transition_type', [7, 0, 7200, 1, 'S'], [7, 1, 3600, 0, 'W']],
      ['time_zone_transition', [7, -2_000_000_000, 0], [7, ends, 1]],
    ] as [string, ...unknown[][]][]) {
      for (const row of rows) await db.raw(`INSERT INTO mysql.${table} VALUES (${row.map(() => '?')})`, row as never);
    }
    await db.transaction(async (session) => {
      await session.raw("SET time_zone = 'Test/Summer'");
      for (const at of [ends - 1800, ends + 1800, ends + 5400]) {
        await session.raw('SET timestamp = ?', [at]);
        const [row] = await session.select({ now: dialectOf(db).now(db) });
        expect(Number(row.now)).toBe(at);
      }
    });
    await drop();
  });
});
