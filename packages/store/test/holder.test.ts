import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { provablyDead, thisProcess } from '../dist/holder.js';

// Processes and threads start slowly on a busy machine.
jest.setTimeout(30_000);

const me = thisProcess(null);

test('this process is named by host and pid, and alive', () => {
  expect(me).toMatchObject({ name: `${me.host}/${process.pid}`, pid: process.pid });
  expect(thisProcess('node-1').name).toBe('node-1');
  expect(provablyDead(me, true)).toBe(false);
});

test('a process that has ended is dead; on another host nobody knows', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  const pid = child.pid!;
  await once(child, 'exit');
  const ended = { ...me, pid, started: '' };
  expect(provablyDead(ended, true)).toBe(true);
  expect(provablyDead({ ...ended, host: `${me.host}-other` }, true)).toBe(false);
});

test('a pid in use by somebody else again does not keep the lease', () => {
  const [boot] = me.started.split(' ');
  expect(provablyDead({ ...me, started: `${boot} 1` }, true)).toBe(true);
  expect(provablyDead({ ...me, started: '' }, true)).toBe(false);
});

test('after a boot a holder of this machine is dead; of a database on the network it may be another machine', () => {
  const earlier = { ...me, started: '00000000-0000-0000-0000-000000000000 1' };
  expect(provablyDead(earlier, true)).toBe(true);
  expect(provablyDead(earlier, false)).toBe(false);
});

test('a process that only waits to be collected by its parent is dead', async () => {
  // The shell starts a child and becomes a program that never collects it.
  const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(parent, 'exit');
  const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
  const zombie = { ...me, pid: Number((await lines.next()).value), started: '' };
  try {
    parent.stdin.write('now it is the program\n');
    await lines.next();
    expect(provablyDead(zombie, true)).toBe(false);
    process.kill(zombie.pid, 'SIGKILL');
    while (!provablyDead(zombie, true)) await new Promise(setImmediate);
    expect(process.kill(zombie.pid, 0)).toBe(true);
  } finally {
    parent.stdin.end();
    await exited;
  }
});
