import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { main } from '@pua/bundle';

export const CLI = join(__dirname, '..', 'dist', 'cli.js');

/** Our environment without what would override a configuration. */
export function cleanEnv(more: Record<string, string> = {}): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('PUA_'));
  return { ...(Object.fromEntries(own) as Record<string, string>), ...more };
}

const folders: string[] = [];
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'pua-bundle-test-'));
  folders.push(made);
  return made;
}
export function removeFolders(): void {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
}

export function configFile(text: string): string {
  const file = join(folder(), 'pua.yaml');
  writeFileSync(file, text);
  return file;
}

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The command line in this process. */
export async function pua(...argv: string[]): Promise<Run> {
  let out = '';
  let err = '';
  const code = await main(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

export interface Child {
  readonly pid: number;
  /** The first line of its output that matches. */
  line(matches: (line: string) => boolean): Promise<string>;
  signal(name: NodeJS.Signals): void;
  readonly done: Promise<Run & { readonly signal: NodeJS.Signals | null }>;
}

/** The command line as a process. */
export function start(argv: readonly string[], env: Record<string, string> = {}): Child {
  const child = spawn(process.execPath, [CLI, ...argv], { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let err = '';
  child.stderr.on('data', (data: Buffer) => {
    err += data.toString('utf8');
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const done = new Promise<Run & { signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code: code ?? -1, signal, out: lines.join('\n'), err }));
  });
  return {
    pid: child.pid!,
    done,
    signal: (name) => void child.kill(name),
    line: (matches) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = lines.find(matches);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        void done.then(({ out, err: errors }) => reject(new Error(`it ended first:\n${out}\n${errors}`)));
        look();
      }),
  };
}
