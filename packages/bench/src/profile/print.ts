/** Runs our side of a row under the profiler of V8, and prints the summary of each of its threads and processes. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inFolder } from '../load/folder.js';
import type { Effort, Row } from '../row.js';
import { runOnce } from '../runner.js';
import { type CpuProfile, type Share, type Summary, summaryOf } from './summary.js';

/** The long tail says nothing. */
const LEAST_PART = 0.005;
const MODULES = 25;

/** `CPU.<date>.<time>.<pid>.<thread>.<n>.cpuprofile` */
function titleOf(file: string): string {
  const [, , , pid, thread] = file.split('.');
  return `process ${pid}, ${thread === '0' ? 'main thread' : `thread ${thread}`}`;
}

function shown(title: string, shares: readonly Share[]): string[] {
  const lines = shares
    .filter(({ part }) => part >= LEAST_PART)
    .map(({ name, ms, part }) => `  ${ms.toFixed(0).padStart(7)}  ${(part * 100).toFixed(1).padStart(5)} %  ${name}`);
  return [`  self ms  busy %  ${title}`, ...lines];
}

export function textOf(title: string, { busyMs, idleMs, groups, modules }: Summary): string {
  const head = `${title}: ${busyMs.toFixed(0)} ms busy, ${idleMs.toFixed(0)} ms idle`;
  return [head, ...shown('package', groups), ...shown('module', modules.slice(0, MODULES))].join('\n');
}

/** @throws Error (by rejection) when the row gives no result */
export async function printProfile(row: Row, effort: Effort): Promise<void> {
  const prepared = await row.prepare?.(effort);
  try {
    await inFolder(async (folder) => {
      const profiler = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
      const { value } = await runOnce(row, 'ours', effort, prepared?.env, profiler);
      console.log(`${row.name}: ${row.what}\n${value.toPrecision(3)} ${row.unit} with the profiler on`);
      const files = (await readdir(folder)).filter((file) => file.endsWith('.cpuprofile')).sort();
      for (const file of files) {
        const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as CpuProfile;
        console.log(`\n${textOf(titleOf(file), summaryOf(profile))}`);
      }
      console.log();
    });
  } finally {
    await prepared?.end();
  }
}
