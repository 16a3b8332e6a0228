#!/usr/bin/env node
import { EXIT } from './exit.js';
import { main } from './program.js';

const LINGER_MS = 1_000;

// A reader that has gone (`| head`) must not end it with a stack.
process.stdout.on('error', () => process.exit(EXIT.failed));

void main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
}).then((code) => {
  process.exitCode = code;
  // Everything is closed by now. Should anything hold the process nevertheless, it ends all the same.
  setTimeout(() => process.exit(code), LINGER_MS).unref();
});
