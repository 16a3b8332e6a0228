/** How the command ends: 0 fine, 1 failed, 2 wrong usage or configuration. */
import { PuaError } from '@pua/core';
import { ConfigError } from './config/problems.js';

export const EXIT = { fine: 0, failed: 1, usage: 2 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure with the one clear message that the user sees. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    message: string,
    readonly exitCode: ExitCode = EXIT.failed,
  ) {
    super(message);
  }
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Failure) return error.exitCode;
  if (error instanceof ConfigError) return EXIT.usage;
  return error instanceof PuaError && error.code === 'PUA_ERR_OPTION' ? EXIT.usage : EXIT.failed;
}

/** What goes to standard error: no stack, a reader can't do anything with it. */
export function messageOf(error: unknown): string {
  if (error instanceof ConfigError) {
    const count = error.problems.length;
    return `the configuration has ${count === 1 ? 'a problem' : `${count} problems`}:\n${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
