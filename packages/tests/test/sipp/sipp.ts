/** sipp as a server on a free port of loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Step, scenario } from './scenario';

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

export class Sipp {
  private constructor(
    readonly port: number,
    readonly child: ChildProcess,
    readonly folder: string,
  ) {}

  /** Requests that come before it listens come again. `steps` may need its own and others' ports. */
  static async start(method: string, steps: (port: number) => readonly Step[]): Promise<Sipp> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'pua-sipp-'));
    const file = join(folder, 'scenario.xml');
    writeFileSync(file, scenario(method, steps(port)));
    // -timeout: it must not outlive us.
    const argv = ['-sf', file, '-p', String(port), '-i', '127.0.0.1', '-nostdin', '-timeout', '60s'];
    const child = spawn('sipp', argv, { cwd: folder, stdio: 'ignore' });
    await once(child, 'spawn');
    return new Sipp(port, child, folder);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
