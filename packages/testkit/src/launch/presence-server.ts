import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StartOptions } from '../server/start.js';

const START_MS = 10_000;
const STOP_MS = 5_000;

interface Line {
  readonly ready?: boolean;
  readonly port?: number;
  readonly uri?: string;
  readonly id?: number;
  readonly ok?: boolean;
  readonly result?: unknown;
  readonly error?: string;
}

/** The presence server in a process of its own: for kill tests, and where its work must not disturb a measurement. */
export class PresenceServerProcess {
  readonly pid: number;
  readonly port: number;
  /** `sip:127.0.0.1:port` */
  readonly uri: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly #exited: Promise<void>;
  #id = 0;

  private constructor(child: ChildProcess, port: number, uri: string) {
    this.#child = child;
    this.pid = child.pid!;
    this.port = port;
    this.uri = uri;
    this.#exited = new Promise((done) =>
      child.once('exit', () => {
        for (const { reject } of this.#waiting.values()) reject(new Error('the presence server has ended'));
        this.#waiting.clear();
        done();
      }),
    );
  }

  /** @throws Error when it does not come up */
  static async launch(options: StartOptions = {}): Promise<PresenceServerProcess> {
    const program = join(__dirname, '..', 'presence-server.js');
    const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout! });
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(timer);
        child.kill('SIGKILL');
        reject(new Error(`the presence server did not start: ${why}`));
      };
      const timer = setTimeout(() => fail(`not ready within ${START_MS} ms`), START_MS);
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code) => fail(`exit code ${code}`));
      lines.once('line', (text) => {
        const line = JSON.parse(text) as Line;
        if (!line.ready) return fail(line.error ?? text);
        clearTimeout(timer);
        child.removeAllListeners('exit');
        const server = new PresenceServerProcess(child, line.port!, line.uri!);
        lines.on('line', (answer) => server.#take(JSON.parse(answer) as Line));
        resolve(server);
      });
    });
  }

  /**
   * Runs one command, see COMMANDS in server/commands.ts, and returns its result.
   * @throws Error (by rejection) that the server reports, or when it has ended
   */
  command<T = unknown>(name: string, given: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      if (!this.running) return reject(new Error('the presence server has ended'));
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject });
      this.#child.stdin!.write(`${JSON.stringify({ id, command: name, arguments: given })}\n`);
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** TERM, KILL when that does not end it. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    if (this.running) this.#child.kill('SIGTERM');
    if (this.running) await this.#exited;
    clearTimeout(timer);
  }

  /** As a crash. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.running) await this.#exited;
  }

  #take(line: Line): void {
    const waiting = line.id === undefined ? undefined : this.#waiting.get(line.id);
    if (!waiting) return;
    this.#waiting.delete(line.id!);
    if (line.ok) waiting.resolve(line.result);
    else waiting.reject(new Error(line.error));
  }
}
