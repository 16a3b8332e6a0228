/** The program `pua run` as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

const CLI = join(dirname(require.resolve('@pua/bundle/package.json')), 'dist', 'cli.js');

/** Its line `app.started`. */
interface Started {
  readonly code: string;
  readonly sip: readonly string[];
  readonly http: string;
}

export class Program {
  readonly #child: ChildProcess;
  /** Where it listens: `udp:127.0.0.1:port`, and the URL of mi. */
  readonly sip: string;
  readonly url: string;

  private constructor(child: ChildProcess, { sip, http }: Started) {
    this.#child = child;
    this.sip = sip[0]!;
    this.url = http;
  }

  /** @throws Error with its output when it ends before it has started */
  static async start(configFile: string): Promise<Program> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PUA_')));
    // It must not outlive us: the end of its input ends it, and it comes when we are gone.
    const argv = [CLI, 'run', '--config', configFile, '--stop-on-stdin-end'];
    const child = spawn(process.execPath, argv, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const output: string[] = [];
    child.stderr.on('data', (data: Buffer) => output.push(data.toString('utf8')));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => reject(new Error(`pua run ended with ${code}:\n${output.join('\n')}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        output.push(line);
        const message = JSON.parse(line) as Started;
        if (message.code === 'app.started') resolve(new Program(child, message));
      });
    });
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it and gives its exit code; null after KILL. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.running) {
      const closed = once(this.#child, 'close');
      this.#child.kill(signal);
      await closed;
    }
    return this.#child.exitCode;
  }
}
