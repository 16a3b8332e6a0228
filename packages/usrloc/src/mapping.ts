/** Bindings -> presence documents (RFC 3863). Pure: the same binding always gives the same document. */
import type { Binding } from '@pua/core';
import { type Tuple, writePidf } from '@pua/documents';

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

/** The service that a binding is. `timestamp`: when it came to be, if that is known. */
export function openTuple(id: string, binding: Binding, { contact, compat }: DocumentSettings): Tuple {
  const tuple: Draft = { id, basic: 'open' };
  if (contact === 1)
    tuple.contact = { uri: binding.contact, ...(binding.q === undefined ? {} : { priority: binding.q }) };
  if (compat === 0 && binding.registeredAt !== undefined) tuple.timestamp = instant(binding.registeredAt);
  return tuple;
}

export function writeDocument(presUri: string, tuples: readonly Tuple[], settings: DocumentSettings): string {
  return writePidf({ entity: entityOf(presUri, settings), tuples });
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

const instant = (ms: number): string => new Date(ms).toISOString();

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
