#!/usr/bin/env node
/**
 * The presence server as a process of its own.
 *
 *     node presence-server.js [JSON with the options of startPresenceServer()]
 *     out: {"ready":true,"port":40713,"uri":"sip:127.0.0.1:40713","pid":4711}
 *     in:  {"id":1,"command":"answerNext","arguments":{"method":"PUBLISH","status":503,"headers":[["Retry-After","2"]]}}
 *     out: {"id":1,"ok":true,"result":null}
 *
 * The command `stop`, TERM, INT and the end of the input end it.
 */
import { createInterface } from 'node:readline';
import { answerLine } from './server/commands.js';
import { type StartOptions, startPresenceServer } from './server/start.js';

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(): Promise<void> {
  const options = JSON.parse(process.argv[2] ?? '{}') as StartOptions;
  const { server, port, uri } = await startPresenceServer(options);
  write({ ready: true, port, uri, pid: process.pid });

  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    lines.close();
    await server.stop();
    process.exit(0);
  };
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    if (/"command"\s*:\s*"stop"/.test(line)) void stop();
    else if (line.trim() !== '') process.stdout.write(`${answerLine(server, line)}\n`);
  });
  lines.on('close', () => void stop());
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
}

main().catch((error: Error) => {
  write({ ready: false, error: error.message });
  process.exitCode = 1;
});
