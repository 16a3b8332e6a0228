/** The PUA of the demo: `pua run` as a process of its own, so that it can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Failure } from '../exit.js';

const START_MS = 20_000;
const STOP_MS = 30_000;
const LOG_LINES = 12;

export interface Started {
  readonly http: string;
  readonly sip: readonly string[];
  readonly publications: number;
  readonly subscriptions: number;
}

export class PuaChild {
  readonly started: Started;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | NodeJS.Signals>;

  private constructor(child: ChildProcess, exited: Promise<number | NodeJS.Signals>, started: Started) {
    this.#child = child;
    this.#exited = exited;
    this.pid = child.pid!;
    this.started = started;
  }

  /** @throws Failure with the end of its output when it does not start */
  static start(config: string): Promise<PuaChild> {
    const cli = join(__dirname, '..', 'cli.js');
    // In a group of its own, so that Ctrl-C reaches only us; without our PUA_ variables, which would override its keys.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PUA_')));
    const child = spawn(process.execPath, [cli, 'run', '--config', config, '--stop-on-stdin-end'], {
      detached: true,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // It may be killed while something is written to it.
    child.stdin!.on('error', () => undefined);
    const last: string[] = [];
    const keep = (line: string) => {
      last.push(line);
      if (last.length > LOG_LINES) last.shift();
    };
    createInterface({ input: child.stderr! }).on('line', keep);
    const exited = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? code ?? 1));
    });
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        child.kill('SIGKILL');
        reject(new Failure(`the PUA did not start: ${why}\n${last.join('\n')}`));
      };
      const timer = setTimeout(() => fail(`not ready within ${START_MS / 1000} s`), START_MS);
      child.once('error', (error) => fail(error.message));
      void exited.then((how) => fail(`it ended with ${how}`));
      createInterface({ input: child.stdout! }).on('line', (line) => {
        keep(line);
        const started = startedFrom(line);
        if (!started) return;
        clearTimeout(timer);
        resolve(new PuaChild(child, exited, started));
      });
    });
  }

  /** SIGKILL: it can't do anything about it. */
  async kill(): Promise<number | NodeJS.Signals> {
    this.#child.kill('SIGKILL');
    return this.#exited;
  }

  /** SIGTERM; SIGKILL when that does not help. */
  async stop(): Promise<number | NodeJS.Signals> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    this.#child.kill('SIGTERM');
    const how = await this.#exited;
    clearTimeout(timer);
    return how;
  }
}

function startedFrom(line: string): Started | undefined {
  try {
    const entry = JSON.parse(line) as Started & { code?: string };
    return entry.code === 'app.started' ? entry : undefined;
  } catch {
    return undefined;
  }
}
