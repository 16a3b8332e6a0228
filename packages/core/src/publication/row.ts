/** Publication <-> row of the table `pua`. Monotonic time becomes wall time and back here, nowhere else. */

import { formatHeaders, parseHeaderLines } from '../headers.js';
import { refreshDelay } from '../policy/timing.js';
import type { PuaRow } from '../ports/store.js';
import { fromWall, toWall, type WallClock } from '../walltime.js';
import { ABSENT, type Publication } from './state.js';

/** Bits of the column `pending`. */
const DOCUMENT = 1;
const END = 2;
const PARKED = 4;
/** The row's document is to be opened anew after the end. */
const NEXT = 8;

/** Columns that depend on the state; identity (URI, event, flag, keys) is the shell's. */
export function publicationColumns(s: Publication, clock: WallClock) {
  const document = s.end && s.next ? s.next : null;
  return {
    expires: s.expiresAt === 0 ? 0 : toWall(s.expiresAt, clock),
    desired_expires: toWall(s.desiredUntil, clock),
    etag: s.etag,
    tuple_id: s.tupleId,
    version: s.version,
    extra_headers: formatHeaders(document?.extraHeaders ?? s.extraHeaders),
    document: document ? document.body : s.body,
    content_type: document ? document.contentType : s.contentType,
    outbound_proxy: s.outboundProxy || null,
    min_expires: s.minExpires,
    asked_expires: document ? document.expires : s.asked,
    pending:
      (s.bodyWish > s.held ? DOCUMENT : 0) |
      (s.end ? END : 0) |
      (s.phase === 'parked' ? PARKED : 0) |
      (document ? NEXT : 0),
    not_before: s.notBefore > clock.now ? toWall(s.notBefore, clock) : 0,
    more: s.onLost === 'report' ? '{"onLost":"report"}' : null,
  };
}

/** A row as a resting record. Its deadline says when it goes on: at once when something is pending. */
export function publicationFromRow(row: PuaRow, clock: WallClock, random: () => number): Publication {
  const expiresAt = row.etag === '' ? 0 : fromWall(row.expires, clock);
  const held = row.etag !== '' && expiresAt > clock.now;
  const desiredUntil = row.desired_expires === 0 ? Number.POSITIVE_INFINITY : fromWall(row.desired_expires, clock);
  const pendingBody = (row.pending & DOCUMENT) !== 0;
  const end = (row.pending & END) !== 0;
  const notBefore = row.not_before === 0 ? 0 : fromWall(row.not_before, clock);
  const settled = held && !pendingBody && !end;
  // The grant is not stored: what is left of it is treated as one.
  const refreshAt = held ? clock.now + refreshDelay(expiresAt - clock.now, random()) : clock.now;
  const restored: Publication = {
    ...ABSENT,
    phase: settled ? 'published' : 'waiting',
    body: row.document,
    contentType: row.content_type ?? '',
    asked: row.asked_expires,
    desiredUntil,
    extraHeaders: parseHeaderLines(row.extra_headers),
    outboundProxy: row.outbound_proxy ?? '',
    onLost: row.more?.includes('"onLost":"report"') ? 'report' : 'republish',
    wish: 1,
    bodyWish: row.document === null ? 0 : 1,
    end,
    etag: row.etag,
    held: row.etag === '' || pendingBody ? 0 : 1,
    expiresAt,
    refreshAt,
    version: row.version,
    tupleId: row.tuple_id,
    minExpires: row.min_expires,
    notBefore,
    deadline: 0,
  };
  if ((row.pending & NEXT) !== 0 && row.document !== null) {
    return {
      ...restored,
      deadline: Math.max(clock.now, notBefore),
      next: {
        kind: 'publish',
        op: null,
        body: row.document,
        contentType: restored.contentType,
        expires: row.asked_expires,
        insert: false,
        etag: '',
        extraHeaders: restored.extraHeaders,
        outboundProxy: restored.outboundProxy,
        onLost: restored.onLost,
        version: row.version,
        tupleId: row.tuple_id,
      },
    };
  }
  if ((row.pending & PARKED) !== 0) return { ...restored, phase: 'parked', deadline: desiredUntil };
  const last = settled && expiresAt >= desiredUntil;
  return {
    ...restored,
    deadline: settled ? (last ? desiredUntil : refreshAt) : Math.min(Math.max(clock.now, notBefore), desiredUntil),
  };
}
