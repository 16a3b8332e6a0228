/** Bindings -> presence documents (RFC 3863). Pure: the same binding always gives the same document. */
import type { Binding } from '@pua/core';
import { type Tuple, writePidf } from '@pua/documents';
import { asUri } from './identity.js';

export interface DocumentSettings {
  /** Null: that of the presentity URI. */
  readonly entityPrefix: string | null;
  readonly compat: number;
  readonly contact: number;
}

/** A tel: URI has no domain that another scheme could do with. */
export function entityOf(presUri: string, { entityPrefix, compat }: DocumentSettings): string {
  if (entityPrefix === null && compat === 0) return presUri;
  if (entityPrefix !== null && /^tel:/i.test(presUri)) return presUri;
  const withoutScheme = presUri.slice(presUri.indexOf(':') + 1);
  return entityPrefix === null ? withoutScheme : `${entityPrefix}:${withoutScheme}`;
}

type Draft = { -readonly [K in keyof Tuple]: Tuple[K] };

/**
 * The service that a binding is. `timestamp`: when it came to be, if that is known. Phones have odd contacts: what can't
 * stand in a document is escaped or left out, it is no reason to be offline.
 */
export function openTuple(id: string, binding: Binding, settings: DocumentSettings): Tuple {
  const tuple: Draft = { id, basic: 'open' };
  const { contact, q = -1 } = binding;
  if (settings.contact === 1 && contact)
    tuple.contact = { uri: asUri(contact), ...(q >= 0 && q <= 1 ? { priority: q } : {}) };
  const since = timestampOf(binding, settings);
  if (since !== undefined) tuple.timestamp = since;
  return tuple;
}

function timestampOf({ registeredAt }: Binding, { compat }: DocumentSettings): string | undefined {
  return compat === 1 || registeredAt === undefined ? undefined : instant(registeredAt);
}

export function writeDocument(presUri: string, tuples: readonly Tuple[], settings: DocumentSettings): string {
  return writePidf({ entity: entityOf(presUri, settings), tuples });
}

const HOLE = { entity: 'urn:hole', id: 'hole', timestamp: '2000-01-01T00:00:00Z' } as const;
const HOLES = new RegExp(`"${HOLE.entity}"|"${HOLE.id}"|>${HOLE.timestamp}<`);
const written = (tuple: Tuple) =>
  writePidf({ entity: HOLE.entity, tuples: [tuple] }).split(HOLES) as [string, ...string[]];
const TIMELESS = written({ id: HOLE.id, basic: 'open' });
const TIMED = written({ id: HOLE.id, basic: 'open', timestamp: HOLE.timestamp });
/** Needs no escaping. */
const PLAIN = /^[\w.:@!~*'()$,;?/=+%-]+$/;

/**
 * The document of one binding. Without contact it differs in two or three words only, which are put into what writePidf
 * wrote once: REGISTERs come by the thousand, and this takes a fifth of the time.
 */
export function openDocument(presUri: string, id: string, binding: Binding, settings: DocumentSettings): string {
  const entity = entityOf(presUri, settings);
  if (settings.contact === 1 || !PLAIN.test(entity))
    return writeDocument(presUri, [openTuple(id, binding, settings)], settings);
  const since = timestampOf(binding, settings);
  const [start, middle, end, rest] = since === undefined ? TIMELESS : TIMED;
  const open = `${start}"${entity}"${middle}"${id}"${end}`;
  return since === undefined ? open : `${open}>${since}<${rest}`;
}

/**
 * Nobody is registered any more.
 * @param id of the tuple that was open; absent: the core gives the one of the publication
 * @param at milliseconds since 1970
 */
export function closedDocument(
  presUri: string,
  id: string | undefined,
  at: number,
  settings: DocumentSettings,
): string {
  const tuple: Draft = { basic: 'closed' };
  if (id !== undefined) tuple.id = id;
  if (settings.compat === 0) tuple.timestamp = instant(at);
  return writeDocument(presUri, [tuple], settings);
}

/** In whole seconds, as sources store it. */
const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, -5)}Z`;

const MOST_SECONDS = 0x7fffffff;

/**
 * Seconds to publish for; negative: for ever; 0: it is over.
 * @param expiresAt milliseconds since 1970; 0: permanent
 * @param grace seconds that the publication outlives its registration, so that a refresh is never late
 */
export function lifetime(expiresAt: number, now: number, grace: number): number {
  if (expiresAt === 0) return -1;
  const left = Math.ceil((expiresAt - now) / 1000);
  return left > 0 ? Math.min(left + grace, MOST_SECONDS) : 0;
}
