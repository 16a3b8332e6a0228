/** Publication <-> row of the table `pua`. Monotonic time becomes wall time and back here, nowhere else. */

import { formatHeaders, parseHeaderLines } from '../headers.js';
import { refreshDelay } from '../policy/timing.js';
import type { PuaRow } from '../ports/store.js';
import type { Blank } from '../record.js';
import { fromWall, notBeforeToWall, retryAtToWall, toWall, type WallClock } from '../walltime.js';
import { Publication } from './state.js';

/** Bits of the column `pending`. */
const DOCUMENT = 1;
const END = 2;
const PARKED = 4;
/** The row's document is to be opened anew after the end. */
const NEXT = 8;

/** Columns that depend on the state; identity (URI, event, flag, keys) is the shell's. */
export function writeColumns(row: Blank<PuaRow>, s: Readonly<Publication>, clock: WallClock): void {
  const document = s.end && s.next ? s.next : null;
  row.expires = s.expiresAt === 0 ? 0 : toWall(s.expiresAt, clock);
  row.desired_expires = toWall(s.desiredUntil, clock);
  row.etag = s.etag;
  row.tuple_id = s.tupleId;
  row.version = s.version;
  row.extra_headers = formatHeaders(document?.extraHeaders ?? s.extraHeaders);
  row.document = document ? document.body : s.body;
  row.content_type = document ? document.contentType : s.contentType;
  row.outbound_proxy = s.outboundProxy || null;
  row.min_expires = s.minExpires;
  row.asked_expires = document ? document.expires : s.asked;
  row.pending =
    (s.bodyWish > s.held ? DOCUMENT : 0) |
    (s.end ? END : 0) |
    (s.phase === 'parked' ? PARKED : 0) |
    (document ? NEXT : 0);
  row.not_before = notBeforeToWall(s.notBefore, clock);
  row.more = moreOf(s, clock);
}

interface More {
  onLost?: 'report';
  publishExpires?: number;
  /** Next try, seconds since 1970. */
  retryAt?: number;
}

function moreOf(s: Readonly<Publication>, clock: WallClock): string | null {
  const retryAt = retryAtToWall(s, clock);
  const { onLost, publishExpires } = s.end && s.next ? s.next : s;
  if (onLost !== 'report' && publishExpires === 0 && retryAt === 0) return null;
  const more: More = {};
  if (onLost === 'report') more.onLost = 'report';
  if (publishExpires > 0) more.publishExpires = publishExpires;
  if (retryAt > 0) more.retryAt = retryAt;
  return JSON.stringify(more);
}

/**
 * A row as a resting record. Its deadline says when it goes on: at once when something is pending.
 * @throws SyntaxError when `more` is not JSON
 */
export function publicationFromRow(row: PuaRow, clock: WallClock, random: () => number): Publication {
  const s = new Publication();
  s.etag = row.etag;
  s.expiresAt = row.etag === '' ? 0 : fromWall(row.expires, clock);
  const held = row.etag !== '' && s.expiresAt > clock.now;
  const pendingBody = (row.pending & DOCUMENT) !== 0;
  s.end = (row.pending & END) !== 0;
  s.body = row.document;
  s.contentType = row.content_type ?? '';
  s.asked = row.asked_expires;
  s.desiredUntil = row.desired_expires === 0 ? Number.POSITIVE_INFINITY : fromWall(row.desired_expires, clock);
  s.extraHeaders = parseHeaderLines(row.extra_headers);
  s.outboundProxy = row.outbound_proxy ?? '';
  const more = (row.more === null ? {} : JSON.parse(row.more)) as More;
  s.onLost = more.onLost ?? 'republish';
  s.publishExpires = more.publishExpires ?? 0;
  s.wish = 1;
  s.bodyWish = row.document === null ? 0 : 1;
  s.held = row.etag === '' || pendingBody ? 0 : 1;
  // The grant is not stored: what is left of it is treated as one.
  s.refreshAt = held ? clock.now + refreshDelay(s.expiresAt - clock.now, random()) : clock.now;
  s.version = row.version;
  // Which one went out is not stored: the newest may have.
  s.sentVersion = row.version;
  s.tupleId = row.tuple_id;
  s.minExpires = row.min_expires;
  s.notBefore = row.not_before === 0 ? 0 : fromWall(row.not_before, clock);
  if (s.end && (row.pending & NEXT) !== 0 && row.document !== null) {
    s.next = {
      kind: 'publish',
      op: null,
      body: row.document,
      contentType: s.contentType,
      expires: row.asked_expires,
      publishExpires: s.publishExpires,
      insert: false,
      etag: '',
      extraHeaders: s.extraHeaders,
      outboundProxy: s.outboundProxy,
      onLost: s.onLost,
      version: row.version,
      tupleId: row.tuple_id,
    };
  }
  const soon = Math.max(clock.now, s.notBefore, more.retryAt === undefined ? 0 : fromWall(more.retryAt, clock));
  // One that is parked for want of its document asks for it again: its module may have it by now.
  if ((row.pending & PARKED) !== 0 && (held || row.document !== null)) {
    s.phase = 'parked';
    s.deadline = s.desiredUntil;
  } else if (held && !pendingBody && !s.end && more.retryAt === undefined) {
    s.phase = 'published';
    s.deadline = s.expiresAt >= s.desiredUntil ? s.desiredUntil : s.refreshAt;
  } else {
    s.phase = 'waiting';
    s.deadline = s.end ? soon : Math.min(soon, s.desiredUntil);
  }
  return s;
}
