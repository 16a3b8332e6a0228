/** The program under load, listened to. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command, Said, Setup } from '../../dist/database/protocol';

const PROGRAM = join(__dirname, '../../dist/database/program.js');

type Of<I extends Said['is']> = Extract<Said, { is: I }>;

export class Program {
  readonly faults: string[] = [];
  readonly #child: ChildProcess;
  #status: Of<'status'> | null = null;

  private constructor(setup: Setup) {
    this.#child = fork(PROGRAM, [JSON.stringify(setup)]);
    this.#child.on('message', (said: Said) => {
      if (said.is === 'status') this.#status = said;
      if (said.is === 'fault') this.faults.push(said.text);
    });
  }

  static async start(setup: Setup): Promise<{ program: Program; started: Of<'started'> }> {
    const program = new Program(setup);
    return { program, started: await program.says('started') };
  }

  tell(command: Command): void {
    this.#child.send(command);
  }

  /** @throws Error with its faults when it ends instead */
  async says<I extends Said['is']>(is: I, matches: (said: Of<I>) => boolean = () => true): Promise<Of<I>> {
    return new Promise((resolve, reject) => {
      const heard = (said: Said) => {
        if (said.is === 'fault') end(() => reject(new Error(said.text)));
        else if (said.is === is && matches(said as Of<I>)) end(() => resolve(said as Of<I>));
      };
      const exited = () => end(() => reject(new Error(`it has ended, not "${is}"; ${this.faults.join('\n')}`)));
      const end = (done: () => void) => {
        this.#child.off('message', heard).off('exit', exited);
        done();
      };
      this.#child.on('message', heard).once('exit', exited);
    });
  }

  /** Resolves when so many more changes than now are on disk. */
  async writes(more: number): Promise<void> {
    const from = this.#status?.durable ?? 0;
    await this.says('status', ({ durable, error }) => durable >= from + more && error === null);
  }

  /** Resolves when so many more requests than now were accepted, with writing failing. */
  async goesOnWithout(more: number): Promise<Of<'status'>> {
    const from = this.#status?.accepted ?? 0;
    return this.says('status', ({ accepted, error }) => accepted >= from + more && error !== null);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
