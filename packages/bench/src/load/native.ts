/** Programs of ../../native, compiled when they are needed: a generator in Node would be what is measured. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { makeFolder, removeFolder } from './folder.js';

const SOURCES = join(__dirname, '../../native');

export class NativeProgram {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly folder: string,
  ) {}

  static async start(name: 'phones' | 'mirror', ...args: readonly string[]): Promise<NativeProgram> {
    const folder = await makeFolder();
    try {
      const file = join(folder, name);
      await promisify(execFile)('cc', ['-O2', '-o', file, join(SOURCES, `${name}.c`)]);
      const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
      // It may have ended while something is written to it.
      child.stdin!.on('error', () => undefined);
      const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
      return new NativeProgram(child, lines, folder);
    } catch (error) {
      await removeFolder(folder);
      throw error;
    }
  }

  order(line: string): void {
    this.child.stdin!.write(`${line}\n`);
  }

  /** The next line it prints. @throws Error (by rejection) when it ends instead */
  async read<T>(): Promise<T> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`${this.child.spawnfile} has ended`);
    return JSON.parse(value) as T;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
    await removeFolder(this.folder);
  }
}
