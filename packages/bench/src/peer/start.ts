/** Starts the answering server and asks it for its CPU time. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AnswerMode, ServerReport } from './messages.js';

export interface Server {
  readonly port: number;
  /** Microseconds of CPU so far. */
  cpu(): Promise<number>;
  stop(): Promise<void>;
}

export async function startServer(mode: AnswerMode): Promise<Server> {
  // Profilers asked for on the command line concern the client.
  const child = fork(join(__dirname, 'server.js'), [mode], { execArgv: [] });
  const ended = once(child, 'exit');
  const report = (): Promise<ServerReport> =>
    Promise.race([
      once(child, 'message').then(([message]) => message as ServerReport),
      ended.then(() => Promise.reject(new Error('the answering server has ended'))),
    ]);
  const { port } = await report();
  return {
    port,
    async cpu() {
      child.send('report');
      return (await report()).cpu;
    },
    async stop() {
      child.kill();
      await ended;
    },
  };
}
