import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 50;
const LOG_TAIL = 4000;

/**
 * Waits for the end of its input, which comes when the process that launched the peer is gone, however it died. Then
 * it ends the peer's process group and removes the folder; the folder's name in the command line shows that the
 * number still belongs to the peer.
 */
const GUARD = `while read -r line; do :; done
if tr '\\0' ' ' <"/proc/$1/cmdline" 2>/dev/null | grep -qF "$2"; then kill -s KILL -- "-$1"; sleep 0.2; fi
rm -rf -- "$2"`;

export interface PeerOptions {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Private folder; must occur in the arguments. */
  readonly folder: string;
  /** What it prints goes here. */
  readonly logFile: string;
  /** Rejects as long as the peer does not answer. */
  readonly probe: () => Promise<void>;
  readonly startMs: number;
}

/** A peer in the foreground, in a process group of its own, with a guard that outlives us. */
export class PeerProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #guard: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess, folder: string) {
    this.pid = child.pid!;
    this.#child = child;
    this.#exited = new Promise((done) => child.once('exit', () => done()));
    this.#guard = spawn('/bin/sh', ['-c', GUARD, 'guard', String(this.pid), folder], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#guard.on('error', () => undefined);
    this.#guard.unref();
    (this.#guard.stdin as unknown as { unref(): void }).unref();
    child.unref();
  }

  /** @throws Error with the tail of the log when the peer ends or does not answer in time; nothing is left then */
  static async start(options: PeerOptions): Promise<PeerProcess> {
    const log = openSync(options.logFile, 'a');
    const child = spawn(options.command, options.arguments, { detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    await new Promise<void>((started, failed) => {
      child.once('spawn', started);
      child.once('error', failed);
    });
    const peer = new PeerProcess(child, options.folder);
    const deadline = performance.now() + options.startMs;
    for (;;) {
      const failure = await options.probe().then(
        () => undefined,
        (error: Error) => error,
      );
      if (!failure) return peer;
      const late = performance.now() > deadline;
      if (peer.running && !late) {
        await pause(POLL_MS);
        continue;
      }
      const why = peer.running ? `no answer within ${options.startMs} ms (${failure.message})` : 'it ended';
      await peer.stop(0);
      throw new Error(`${options.name} did not start: ${why}\n${tail(options.logFile)}`);
    }
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** TERM, after `graceMs` KILL for the whole process group; returns when it is gone. */
  async stop(graceMs = 10_000): Promise<void> {
    if (this.running && graceMs > 0) {
      this.signal('SIGTERM');
      const timer = new AbortController();
      await Promise.race([this.#exited, pause(graceMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    }
    await this.kill();
  }

  /** KILL at once, as a crash. */
  async kill(): Promise<void> {
    try {
      // The group, for children that outlive their parent.
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // None left.
    }
    if (this.running) await this.#exited;
    this.#guard.kill('SIGKILL');
    this.#guard.stdin?.destroy();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

export function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-LOG_TAIL);
  } catch {
    return '';
  }
}
