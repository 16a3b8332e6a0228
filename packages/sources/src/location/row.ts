/** A binding as a row: Kamailio's names for what its table `location` has, `attrs` for the rest. */
import type { Binding } from '@pua/core';
import type { StoredBinding } from './store.js';

export interface LocationRow {
  readonly ruid: string;
  readonly username: string;
  /** null: the AOR has none. */
  readonly domain: string | null;
  readonly contact: string;
  readonly received: string | null;
  readonly path: string | null;
  /** Milliseconds since 1970; 0: permanent. */
  readonly expires: number;
  /** -1: not given. */
  readonly q: number;
  readonly callid: string;
  readonly cseq: number;
  /** When the row was written, milliseconds since 1970. */
  readonly last_modified: number;
  readonly cflags: number;
  readonly user_agent: string;
  readonly instance: string | null;
  /** 0: none. */
  readonly reg_id: number;
  /** JSON of what Kamailio has no columns for. */
  readonly attrs: string;
}

/** In `attrs`. */
type Rest = Pick<Binding, 'bindingId' | 'table' | 'registeredAt' | 'params' | 'pubGruu' | 'tempGruu' | 'origin'> &
  Pick<StoredBinding, 'owner' | 'hints'>;

export const LOCATION_COLUMNS = [
  'ruid',
  'username',
  'domain',
  'contact',
  'received',
  'path',
  'expires',
  'q',
  'callid',
  'cseq',
  'last_modified',
  'cflags',
  'user_agent',
  'instance',
  'reg_id',
  'attrs',
] as const satisfies readonly (keyof LocationRow)[];

/** PostgreSQL keeps no NULs in texts. */
const clean = (text: string): string => (text.includes('\0') ? text.replaceAll('\0', ' ') : text);
const orNull = (text: string | undefined): string | null => (text === undefined ? null : clean(text));

export function rowOf({ key, binding, owner, hints }: StoredBinding, now: number): LocationRow {
  const { bindingId, table, registeredAt, params, pubGruu, tempGruu, origin } = binding;
  const rest: Rest = { bindingId, table, registeredAt, params, pubGruu, tempGruu, origin, owner, hints } as Rest;
  const at = binding.aor.lastIndexOf('@');
  return {
    ruid: key,
    username: at < 0 ? binding.aor : binding.aor.slice(0, at),
    domain: at < 0 ? null : binding.aor.slice(at + 1),
    contact: clean(binding.contact),
    received: orNull(binding.received),
    path: orNull(binding.path),
    expires: Math.round(binding.expiresAt),
    q: binding.q ?? -1,
    callid: clean(binding.callId ?? ''),
    cseq: binding.cseq ?? -1,
    last_modified: Math.round(now),
    cflags: binding.flags ?? 0,
    user_agent: clean(binding.userAgent ?? ''),
    instance: orNull(binding.instance),
    reg_id: binding.regId ?? 0,
    attrs: JSON.stringify(rest),
  };
}

/** @throws Error for a row that was damaged */
export function storedOf(row: LocationRow): StoredBinding {
  const { owner, hints, ...rest } = JSON.parse(row.attrs) as Rest;
  const cseq = Number(row.cseq);
  const regId = Number(row.reg_id);
  const flags = Number(row.cflags);
  const q = Number(row.q);
  return {
    key: row.ruid,
    owner,
    hints,
    binding: {
      aor: row.domain === null ? row.username : `${row.username}@${row.domain}`,
      contact: row.contact,
      expiresAt: Number(row.expires),
      ...rest,
      ...(row.callid === '' ? {} : { callId: row.callid }),
      ...(cseq < 0 ? {} : { cseq }),
      ...(q < 0 ? {} : { q }),
      ...(row.received === null ? {} : { received: row.received }),
      ...(row.path === null ? {} : { path: row.path }),
      ...(row.user_agent === '' ? {} : { userAgent: row.user_agent }),
      ...(row.instance === null ? {} : { instance: row.instance }),
      ...(regId === 0 ? {} : { regId }),
      ...(flags === 0 ? {} : { flags }),
    },
  };
}
