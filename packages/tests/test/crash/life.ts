/** One life of the program under test: told what to do, listened to, killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Command, Line, Setup } from '../../dist/crash/protocol';

const PROGRAM = join(__dirname, '../../dist/crash/program.js');
const SLOW_MS = 30_000;

export class Life {
  /** All it has said; complete once it has ended. */
  readonly lines: Line[] = [];
  readonly #child;
  readonly #read: Promise<void>;
  readonly #heard = new Map<Line['is'], () => void>();

  constructor(setup: Setup) {
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(setup)], { stdio: ['pipe', 'pipe', 'inherit'] });
    // It may be dead when it is told something.
    this.#child.stdin!.on('error', () => undefined);
    this.#read = this.#listen(once(this.#child, 'exit'));
  }

  async #listen(ended: Promise<unknown>): Promise<void> {
    for await (const text of createInterface({ input: this.#child.stdout! })) {
      // The last line of a process that was killed may be cut off: that was not said yet.
      if (!text.endsWith('}')) continue;
      let line: Line;
      try {
        line = JSON.parse(text) as Line;
      } catch {
        continue;
      }
      this.lines.push(line);
      this.#heard.get(line.is)?.();
    }
    await ended;
  }

  tell(command: Command): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  /** @throws Error when it does not say so, or ends before */
  async says(what: Line['is']): Promise<void> {
    if (this.lines.some((line) => line.is === what)) return;
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) =>
        reject(new Error(`not ${what}: ${why}; said at last ${JSON.stringify(this.lines.at(-1))}`));
      const timer = setTimeout(() => fail(`nothing for ${SLOW_MS} ms`), SLOW_MS);
      void this.#read.then(() => {
        clearTimeout(timer);
        fail('it has ended');
      });
      this.#heard.set(what, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** kill -9; resolves when it is dead and all it said is read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#read;
  }

  /** @returns its exit code */
  async ended(): Promise<number | null> {
    await this.#read;
    return this.#child.exitCode;
  }
}
