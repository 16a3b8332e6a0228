/** Runs a route whose refusals are thrown. */
import type { HttpRoute } from '@pua/core';
import { Refused } from './entries/read.js';

export function answered(run: HttpRoute['run']): HttpRoute['run'] {
  return async (call, context) => {
    try {
      return await run(call, context);
    } catch (error) {
      if (error instanceof Refused) return error.answer;
      throw error;
    }
  };
}
