/** Who a side is: to itself, and to the other side. */
import type { DialogIdentity } from '@pua/documents';
import type { Call, Fork } from './call.js';
import { type Facts, hasFlag, variable } from './facts.js';
import type { Side } from './ids.js';
import type { Settings } from './options.js';
import type { Script } from './script.js';
import { identity, parseNameAddr } from './text.js';

/** RFC 3323 section 4.1.1.3 */
const ANONYMOUS: DialogIdentity = { uri: 'sip:anonymous@anonymous.invalid', display: 'Anonymous' };

/** What identities, presentities and documents are made from. */
export interface View {
  readonly call: Call;
  readonly facts: Facts;
  readonly fork: Fork;
  readonly settings: Settings;
  readonly script: Script;
  /** It is about the creation of the call: what scripts set later does not count yet. */
  readonly creation: boolean;
}

/** The side is suppressed by its source, by its flag on the INVITE, or was so in the last run; then nothing of it may leak. */
export function isDisabled(view: View, side: Side): boolean {
  const { call, facts, settings } = view;
  if (isSuppressed(view, side)) return true;
  // What no flag has decided in the last run, none decides now.
  const undecided = facts.flags === undefined || disableFlag(settings, side) < 0;
  return undecided && facts.publish[side] === undefined && call.silent[side] === true;
}

const isSuppressed = ({ facts, settings }: View, side: Side) =>
  facts.publish[side] === undefined ? hasFlag(facts.flags, disableFlag(settings, side)) : !facts.publish[side];

export const disableFlag = (settings: Settings, side: Side) =>
  side === 'caller' ? settings.disableCallerPublishFlag : settings.disableCalleePublishFlag;

export const substituteOf = (settings: Settings, side: Side) =>
  side === 'caller' ? settings.callerEntityWhenPublishDisabled : settings.calleeEntityWhenPublishDisabled;

/** Entity of the side's own document, and its local identity there. */
export function ownIdentity(view: View, side: Side): DialogIdentity {
  const { facts, settings, creation } = view;
  const local = side === 'callee' && !creation ? variable(facts, settings.localIdentityDlgVar) : undefined;
  return (local === undefined ? undefined : parseNameAddr(local)) ?? addressedIdentity(view, side);
}

/** The same without `local_identity_dlg_var`, which presentities do not go by. Later words win over earlier ones. */
export function addressedIdentity({ facts, fork, settings, script }: View, side: Side): DialogIdentity {
  const branch = side === 'callee' ? script.callee(facts.key, fork.branch) : undefined;
  if (branch) return branch;
  const spec = variable(facts, side === 'caller' ? settings.callerSpecParam : settings.calleeSpecParam);
  const named = spec === undefined ? undefined : parseNameAddr(spec);
  if (named) return named;
  const before = fork.before.own[side];
  if (before) return before;
  const { uri, display } = fork.parties[side];
  if (side === 'caller') return identity(uri, display);
  const requested = settings.opensips || settings.includeReqUri === 1 || uri === '' ? facts.requestUri : undefined;
  return identity(requested ?? uri, display);
}

export interface Shown {
  readonly identity: DialogIdentity;
  /** Its Contact must not be told either. */
  readonly hidden: boolean;
}

/** The side as the other one sees it. */
export function shownIdentity(view: View, side: Side): Shown {
  const { facts, fork, settings } = view;
  const mask = facts.mask[side];
  if (mask !== undefined) return { identity: identity(mask), hidden: true };
  const local = side === 'callee' && !view.creation && variable(facts, settings.localIdentityDlgVar) !== undefined;
  const substitute = substituteOf(settings, side);
  if (isSuppressed(view, side) && substitute !== null && !local)
    return { identity: identity(substitute), hidden: true };
  const before = fork.before.shown[side];
  if (before) return { identity: before, hidden: true };
  if (settings.privacy === 1 && facts.privacy[side]?.some((value) => /^\s*(?:id|user)\s*$/i.test(value)))
    return { identity: ANONYMOUS, hidden: true };
  return { identity: ownIdentity(view, side), hidden: isDisabled(view, side) };
}
