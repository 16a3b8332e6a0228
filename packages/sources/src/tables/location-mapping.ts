/** Rows of `location` as bindings (spec of usrloc: each row is one contact of one AOR). */
import type { Binding, BindingEvent } from '@pua/core';
import { type Location, locationOf } from './location-rows.js';
import type { Meaning, Time } from './table-source.js';
import type { Told } from './table-watch.js';
import { known, text } from './values.js';

/** Kamailio's word for a User-Agent that was not given. */
const NO_AGENT = 'n/a';

export function locationMeaning(table: string): Meaning<BindingEvent, Binding> {
  const binding = (row: Told, time: Time) => bindingOf(locationOf(row.text), table, time);
  return {
    item: binding,
    appeared: (row, time) => ({ kind: 'insert', binding: binding(row, time) }),
    changed: (row, before, time) => ({ kind: 'update', binding: binding(row, time), previous: binding(before, time) }),
    ended: (row, late, time) => ({ kind: late ? 'expire' : 'delete', binding: binding(row, time) }),
  };
}

export function bindingOf(row: Location, table: string, time: Time): Binding {
  const { ruid, callid, received, path, user_agent, instance } = row;
  const q = Number(row.q);
  const regId = Number(row.reg_id);
  const urn = text(instance)?.replace(/^"?<?|>?"?$/g, '');
  return known({
    aor: text(row.domain) ? `${row.username}@${row.domain}` : String(row.username),
    table,
    bindingId: text(ruid),
    contact: String(row.contact),
    expiresAt: row.expires === 0 ? 0 : time.wall(row.expires),
    callId: text(callid),
    cseq: Number(row.cseq),
    q: q >= 0 ? q : undefined,
    received: text(received),
    path: text(path),
    userAgent: user_agent === NO_AGENT ? undefined : text(user_agent),
    instance: urn,
    regId: regId > 0 ? regId : undefined,
    flags: Number(row.cflags),
  });
}
