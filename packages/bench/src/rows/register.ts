/** REGISTER in, PUBLISH out, beside Kamailio's registrar, usrloc, pua and pua_usrloc: rate, and CPU per operation. */
import { join } from 'node:path';
import { launchKamailioPublisher, launchMariadb } from '@pua/testkit';
import { makeFolder, removeFolder } from '../load/folder.js';
import { NativeProgram } from '../load/native.js';
import { treeCpuMs } from '../load/process-tree.js';
import { type Between, BINDINGS, cpuOf, registering } from '../load/registering.js';
import { startPeer } from '../peer/start.js';
import type { Effort, Goal, Row, Sample } from '../row.js';

const RATE: Goal = { atLeast: 2 };
const cpuGoal = (atMost: number): Goal => ({ atMost });

async function ours(effort: Effort, storage: 'off' | 'SQLite'): Promise<Sample> {
  const folder = await makeFolder();
  const url = storage === 'SQLite' ? [`sqlite:${join(folder, 'pua.db')}`] : [];
  try {
    return await registering(effort, async (serverPort): Promise<Between> => {
      const { port, cpu, stop } = await startPeer('registrar', String(serverPort), ...url);
      return { port, cpuMs: async () => (await cpu()) / 1000, stop };
    });
  } finally {
    await removeFolder(folder);
  }
}

/** In memory mode; it writes its table `pua` each 100 s. */
async function kamailio(effort: Effort): Promise<Sample> {
  const mariadb = await launchMariadb();
  try {
    return await registering(effort, async (serverPort): Promise<Between> => {
      const outboundProxy = `sip:127.0.0.1:${serverPort}`;
      const launched = await launchKamailioPublisher({ mariadb, outboundProxy, sharedMemory: 2048, startMs: 60_000 });
      return {
        port: launched.port,
        cpuMs: async () => treeCpuMs(launched.pid),
        stop: async () => {
          // Without notice: at a proper end it would write what it has into the table.
          await launched.interrupt('kill');
          await launched.stop();
        },
      };
    });
  } finally {
    await mariadb.stop();
  }
}

const mirror = (effort: Effort): Promise<Sample> =>
  registering(effort, async (serverPort): Promise<Between> => {
    const program = await NativeProgram.start('mirror', String(serverPort));
    const { port } = await program.read<{ port: number }>();
    return { port, cpuMs: async () => 0, stop: () => program.stop() };
  });

const rowOf = (
  name: string,
  what: string,
  unit: Row['unit'],
  goal: Goal,
  own: Row['ours'],
  peer: Row['ours'],
): Row => ({
  name,
  what: `REGISTER in, PUBLISH out: ${what}`,
  unit,
  n: BINDINGS,
  goal,
  needs: ['mariadb', 'kamailio', 'cc'],
  ours: own,
  against: { name: 'Kamailio', measure: peer },
});

export const registerMemory = rowOf(
  'register-memory',
  'rate, storage off',
  'k/s',
  RATE,
  (effort) => ours(effort, 'off'),
  kamailio,
);
export const registerSqlite = rowOf(
  'register-sqlite',
  'rate, SQLite',
  'k/s',
  RATE,
  (effort) => ours(effort, 'SQLite'),
  kamailio,
);
export const registerCpu = rowOf(
  'register-cpu',
  'CPU, storage off',
  'ms/1000',
  cpuGoal(1 / 3),
  (effort) => cpuOf(ours(effort, 'off')),
  (effort) => cpuOf(kamailio(effort)),
);
export const registerCpuSqlite = rowOf(
  'register-cpu-sqlite',
  'CPU, SQLite',
  'ms/1000',
  cpuGoal(1 / 2),
  (effort) => cpuOf(ours(effort, 'SQLite')),
  (effort) => cpuOf(kamailio(effort)),
);

/** What the phones and their server can do at most. */
export const phones: Row = {
  name: 'phones',
  what: 'the phones and the server of the rows register, with nothing but a mirror in between',
  unit: 'k/s',
  n: BINDINGS,
  needs: ['cc'],
  ours: mirror,
};
