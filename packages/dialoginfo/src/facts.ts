/** What holds for a whole call: merged from its events, since each says only what is new. */
import { isDeepStrictEqual } from 'node:util';
import type { DialogEvent, DialogSnapshot } from '@pua/core';
import type { Call } from './call.js';
import { SIDES, type Side } from './ids.js';
import { dialogVariable, type Settings } from './options.js';
import { RANK } from './state.js';

type BySide<T> = Partial<Record<Side, T>>;

export interface Facts {
  readonly key: string;
  readonly callId: string;
  readonly requestUri?: string | undefined;
  /** Milliseconds since 1970; undefined: nobody knows. */
  readonly startedAt?: number | undefined;
  /** Sticky: the first word counts. */
  readonly publish: BySide<boolean>;
  readonly flags?: number | undefined;
  /** Presentities that were named; a side without has the default. */
  readonly lists: BySide<readonly string[]>;
  /** Sides whose list the source gave itself: AVPs no longer matter. */
  readonly direct: BySide<true>;
  /** AVPs were asked for and none had a value at the start: the call is not followed. */
  readonly ignored: boolean;
  readonly mask: BySide<string>;
  readonly privacy: BySide<readonly string[]>;
  readonly vars: Readonly<Record<string, string | readonly string[]>>;
  readonly referredBy?: DialogSnapshot['referredBy'];
  readonly replaces?: DialogSnapshot['replaces'];
}

const NOTHING = { publish: {}, lists: {}, direct: {}, ignored: false, mask: {}, privacy: {}, vars: {} } as const;

/**
 * Facts after an event.
 * @param before undefined: the first event
 * @param known the call is known from records: its presentities are those of the last run
 * @param earlier what the documents of the last run say
 */
export function learn(
  before: Facts | undefined,
  { kind, dialog, flags }: DialogEvent,
  settings: Settings,
  { known, earlier, wall }: Pick<Call, 'known' | 'earlier'> & { readonly wall: number },
): Facts {
  const was = before ?? NOTHING;
  const begun = before === undefined && !known && (kind === 'created' || RANK[dialog.state] < RANK.confirmed);
  const facts: Facts = {
    key: dialog.key,
    callId: dialog.callId,
    requestUri: dialog.requestUri ?? before?.requestUri,
    startedAt: dialog.startedAt ?? before?.startedAt ?? (begun ? wall : undefined),
    publish: { ...given(dialog.publish), ...was.publish },
    // The request of the creation is the INVITE.
    flags: before?.flags ?? dialog.flags ?? (kind === 'created' ? flags : undefined),
    lists: was.lists,
    direct: was.direct,
    ignored: was.ignored,
    mask: { ...was.mask, ...given(dialog.mask) },
    privacy: { ...was.privacy, ...given(dialog.privacy) },
    vars: { ...was.vars, ...named(dialog.vars, settings.variables) },
    referredBy: dialog.referredBy ?? before?.referredBy ?? earlier.referredBy,
    replaces: dialog.replaces ?? before?.replaces ?? earlier.replaces,
  };
  return { ...facts, ...presentities(facts, { kind, dialog, flags }, settings, before === undefined && !known) };
}

function presentities(
  was: Facts,
  { dialog, flags }: Pick<DialogEvent, 'kind' | 'dialog' | 'flags'>,
  settings: Settings,
  first: boolean,
): Pick<Facts, 'lists' | 'direct' | 'ignored'> {
  const lists = { ...was.lists };
  const direct = { ...was.direct };
  for (const side of SIDES) {
    const uris = dialog.publishUris?.[side];
    if (uris === undefined) continue;
    lists[side] = uris;
    direct[side] = true;
  }
  if (settings.usePubruriAvps === 0) return { lists, direct, ignored: false };
  const asked = hasFlag(flags, settings.refreshPubruriAvpsFlag);
  let ignored = was.ignored;
  if (first || (asked && !ignored)) {
    for (const side of SIDES) {
      if (direct[side]) continue;
      // A list that a request does not have stays as it was.
      const read = first ? { ...was.vars } : dialog.vars;
      const found = listOf(read?.[avpOf(side, settings)]) ?? (first ? kept(was, side, settings) : undefined);
      if (found !== undefined) lists[side] = found;
    }
  }
  if (first) ignored = SIDES.every((side) => (lists[side] ?? []).length === 0);
  return { lists, direct, ignored: ignored && !SIDES.some((side) => direct[side]) };
}

/** Nothing has changed in who gets documents, and what of each side the other one may see: forks have that in common. */
export function isSeenAlike(before: Facts, now: Facts): boolean {
  return isDeepStrictEqual(
    [before.publish, before.lists, before.mask, before.privacy],
    [now.publish, now.lists, now.mask, now.privacy],
  );
}

const avpOf = (side: Side, settings: Settings) =>
  (side === 'caller' ? settings.pubruriCallerAvp : settings.pubruriCalleeAvp) ?? '';

/** The list as a dialog variable keeps it. Kamailio's own text has stray commas. */
function kept({ vars }: Facts, side: Side, settings: Settings): readonly string[] | undefined {
  const name = side === 'caller' ? settings.pubruriCallerDlgVar : settings.pubruriCalleeDlgVar;
  const value = name === null ? undefined : (vars[name] ?? vars[dialogVariable(name)]);
  if (typeof value !== 'string') return listOf(value);
  if (value.trimStart().startsWith('[')) {
    try {
      const list: unknown = JSON.parse(value);
      return Array.isArray(list) ? list.filter((uri) => typeof uri === 'string') : undefined;
    } catch {
      return undefined;
    }
  }
  return value.split(',').flatMap((uri) => uri.trim() || []);
}

function listOf(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === 'string' ? [value] : value;
}

/** Value of a script variable that holds one; the first of several. */
export function variable({ vars }: Facts, name: string | null): string | undefined {
  if (name === null) return undefined;
  const value = vars[name] ?? vars[dialogVariable(name)];
  return (typeof value === 'string' ? value : value?.[0]) || undefined;
}

/** A flag of -1 is none. */
export function hasFlag(flags: number | undefined, flag: number): boolean {
  return flag >= 0 && ((flags ?? 0) & (1 << flag)) !== 0;
}

/** Without what is there and undefined. */
function given<T>(of: { readonly caller?: T; readonly callee?: T } | undefined): BySide<T> {
  const found: BySide<T> = {};
  for (const side of SIDES) if (of?.[side] !== undefined) found[side] = of[side];
  return found;
}

function named(vars: DialogSnapshot['vars'], names: readonly string[]): Facts['vars'] {
  const found: Record<string, string | readonly string[]> = {};
  for (const name of names) {
    const value = vars?.[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
