/** CPU time of a process and all its descendants, as Linux tells it: Kamailio is a dozen of them. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

interface Stat {
  readonly parent: number;
  /** In ticks. */
  readonly used: number;
}

function statOf(pid: string): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in brackets and may hold blanks.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) };
  } catch {
    // It has just ended.
    return undefined;
  }
}

let ticksPerSecond = 0;

/** Milliseconds so far, of those that live. */
export function treeCpuMs(root: number): number {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'latin1' }));
  const all = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (stat) all.set(Number(name), stat);
  }
  const within = (pid: number): boolean => pid === root || (all.has(pid) && within(all.get(pid)!.parent));
  let used = 0;
  for (const [pid, stat] of all) if (within(pid)) used += stat.used;
  return (used / ticksPerSecond) * 1000;
}
