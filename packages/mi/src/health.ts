/** What `/health` and `/ready` tell. */
import type { PuaApi } from '@pua/core';

export interface Health {
  readonly ok: boolean;
  /** Name of each part -> `ok` or what is wrong. */
  readonly checks: Readonly<Record<string, string>>;
  readonly publications: number;
  readonly subscriptions: number;
}

export function healthOf(
  pua: PuaApi,
  checks: Readonly<Record<string, () => string | undefined>>,
  stopping: boolean,
): Health {
  const { store, records } = pua.stats();
  const results: Record<string, string> = { store: store.error ?? 'ok' };
  for (const [name, check] of Object.entries(checks)) results[name] = check() ?? 'ok';
  if (stopping) results['state'] = 'stopping';
  const ok = Object.values(results).every((result) => result === 'ok');
  return { ok, checks: results, ...records };
}
