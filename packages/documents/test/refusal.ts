import { PuaError } from '@pua/core';

/** Message of the document error that `run` throws. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(PuaError);
    expect((error as PuaError).code).toBe('PUA_ERR_DOCUMENT');
    return (error as PuaError).message;
  }
  throw new Error('nothing was refused');
}
