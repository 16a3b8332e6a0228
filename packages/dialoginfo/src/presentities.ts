/** Which presentities get the documents of a side. */
import type { DialogEvent } from '@pua/core';
import { hasFlag } from './facts.js';
import { addressedIdentity, disableFlag, isDisabled, substituteOf, type View } from './identity.js';
import type { Side } from './ids.js';
import type { Settings } from './options.js';
import { isPresentity } from './text.js';

/** In order, each once; none when the side is suppressed, not chosen, or not ours. */
export function presentitiesOf(view: View, side: Side): ReadonlySet<string> {
  const { facts, fork, settings, script } = view;
  if (!isFollowed(view) || isDisabled(view, side) || script.isMuted(facts.key, fork.branch, side)) return new Set();
  const usual = settings.usePubruriAvps === 1 ? [] : [addressedIdentity(view, side).uri];
  const all = facts.lists[side] ?? fork.before.presentities[side] ?? usual;
  return new Set(all.filter((uri) => isPresentity(uri) && (settings.isLocal?.(uri) ?? true)));
}

/** `send_publish_flag`; what has records was followed in the last run. */
function isFollowed({ call, facts, settings }: View): boolean {
  if (facts.ignored) return false;
  return settings.sendPublishFlag < 0 || call.known || hasFlag(facts.flags, settings.sendPublishFlag);
}

/** Is there anything to publish for this side yet? */
export function isVisible({ fork, settings }: View, side: Side): boolean {
  if (fork.state !== 'trying' && fork.state !== 'proceeding') return true;
  if (settings.opensips) return fork.answered && settings.publishOnTrying === 1;
  return fork.state === 'proceeding' || side === 'caller' || settings.calleeTrying === 1;
}

/** Requests in the dialog that publish nothing, for any side. */
export function isSilent({ kind, method, flags }: DialogEvent, settings: Settings): boolean {
  if (kind !== 'updated' || method === undefined) return false;
  if (settings.publishDialogReqWithin === 0 || hasFlag(flags, settings.nopublishFlag)) return true;
  return settings.opensips && method !== 'INVITE';
}

/**
 * A request that carries the side's flag: no document because of it. With a substitute entity only the INVITE counts, and
 * what the source says itself wins.
 */
export function suppresses(
  event: DialogEvent,
  { facts, settings }: Pick<View, 'facts' | 'settings'>,
  side: Side,
): boolean {
  if (event.kind !== 'updated' && event.kind !== 'terminated') return false;
  if (facts.publish[side] !== undefined || substituteOf(settings, side) !== null) return false;
  return hasFlag(event.flags, disableFlag(settings, side));
}
