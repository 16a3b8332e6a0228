/**
 * One run of one row in a process of its own: `node dist/run-row.js ROW '{"window":200,...}'`. The result goes to the
 * parent, or to standard output when it was started by hand (`node --cpu-prof dist/run-row.js memory`).
 */
import { type Load, USUAL } from './row.js';
import { rowOf } from './rows/index.js';

async function main([name = '', load = '{}']: readonly string[]): Promise<void> {
  const measurement = await rowOf(name).run({ ...USUAL, ...(JSON.parse(load) as Partial<Load>) });
  if (!process.send) console.log(JSON.stringify(measurement, null, 2));
  else process.send(measurement, () => process.disconnect());
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
  if (process.connected) process.disconnect();
});
