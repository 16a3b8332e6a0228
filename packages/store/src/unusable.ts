/** What a driver says, as the one error that users see. */
import { PuaError } from '@pua/core';
import { LeaseLost } from './lease-lost.js';
import type { Dialect, DialectSettings } from './session.js';

export function unusable(error: unknown, dialect: Dialect, settings: DialectSettings): Error {
  if (error instanceof PuaError || error instanceof LeaseLost) return error;
  // A driver may go on with a list of all places where it looked.
  const [reason] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  const remedy = dialect.remedy(error) ?? 'is it a database of this kind, and free of damage?';
  return new PuaError('PUA_ERR_STORE_OPEN', `cannot use ${settings.location}: ${reason}; ${remedy}`);
}
