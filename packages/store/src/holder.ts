/** Who holds the lease, and whether that process can be proved dead, so that a restart after a crash need not wait. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Holder {
  /** Shown to people. */
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  /** Boot and start time of the process, `<boot id> <clock ticks>`; empty where the system does not tell. */
  readonly started: string;
}

interface Process {
  readonly state: string;
  readonly ticks: string;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

/** Reads /proc/<pid>/stat (proc(5)); null where there is none. */
function processOf(pid: number): Process | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The second field is the command in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', ticks: fields[19] ?? '' };
}

function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

export function thisProcess(name: string | null): Holder {
  const host = hostname();
  const ticks = processOf(process.pid)?.ticks ?? '';
  const started = ticks === '' ? '' : `${bootId()} ${ticks}`;
  return { name: name ?? `${host}/${process.pid}`, host, pid: process.pid, started };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/**
 * True only when it is certain. `local`: the database can't be opened from another machine, so equal host names mean
 * the same machine even after a boot.
 */
export function provablyDead(holder: Holder, local: boolean): boolean {
  if (holder.host !== hostname()) return false;
  const [boot = '', ticks = ''] = holder.started.split(' ');
  // Equal host names may be two machines, unless the boot says otherwise.
  if (boot === '' && !local) return false;
  if (boot !== '' && boot !== bootId()) return local;
  if (!runs(holder.pid)) return true;
  const now = processOf(holder.pid);
  if (now === null) return false;
  // Killed but not yet waited for by its parent: it will never write again.
  if (now.state === 'Z' || now.state === 'X') return true;
  return ticks !== '' && now.ticks !== ticks;
}
