/**
 * NOTIFY (RFC 6665 4.1.3). The shell has matched Call-ID, local tag, package and id; here the dialog is.
 *
 *   SUBSCRIBE ->      NOTIFY <-   200 ->      200 <-        the NOTIFY may be first: it establishes the dialog
 */
import type { Context } from '../machine.js';
import { refreshDelay } from '../policy/timing.js';
import { finish, NEVER, type Out, rest, terminated } from './parts.js';
import type { NotifyInput, Subscription } from './state.js';

/** The dialog after a NOTIFY that is in order; undefined when it was refused. */
function take(s: Subscription, n: NotifyInput, c: Context, out: Out): Subscription | undefined {
  if (s.callId === '' || (s.confirmed && n.fromTag !== s.remoteTag)) {
    out.push({ kind: 'notified', status: 481 });
    return undefined;
  }
  // Retransmissions never get here: an equal CSeq is another request.
  if (s.remoteCseq > 0 && n.cseq <= s.remoteCseq) {
    out.push({ kind: 'notified', status: 500 });
    return undefined;
  }
  out.push({ kind: 'notified', status: 200 }, { kind: 'persist' });
  const dialog: Subscription = {
    ...s,
    remoteTag: n.fromTag,
    remoteCseq: n.cseq,
    remoteTarget: n.contact || s.remoteTarget,
    routeSet: s.confirmed ? s.routeSet : n.recordRoute,
    confirmed: true,
    notifyBy: NEVER,
    status: n.state === 'terminated' ? '' : n.state,
  };
  if (n.state === 'terminated') return dialog;
  // Without a 2xx (still to come, or lost) what was asked is the limit.
  const limit =
    s.grantedUntil > 0
      ? s.grantedUntil
      : s.sentAt + Math.max(s.flightExpires, s.asked < 0 ? c.policy.defaultExpires : s.asked) * 1000;
  if (n.expires === undefined) return s.expiresAt > 0 ? dialog : until(dialog, limit, c);
  return until(dialog, Math.min(c.now + n.expires * 1000, limit), c);
}

function until(s: Subscription, expiresAt: number, c: Context): Subscription {
  const planned = c.now + refreshDelay(Math.max(0, expiresAt - c.now), c.random());
  // A NOTIFY that confirms the plan doesn't move it; only one that shortens the lifetime does.
  const keep = s.refreshAt < expiresAt && s.refreshAt !== NEVER;
  return { ...s, expiresAt, refreshAt: keep ? s.refreshAt : planned };
}

export function resting(s: Subscription, n: NotifyInput, c: Context, out: Out): Subscription {
  const dialog = take(s, n, c, out);
  if (!dialog) return s;
  if (n.state === 'terminated') return terminated(dialog, n.termination, c, out);
  if (s.phase === 'subscribed') return rest(dialog);
  // The SUBSCRIBE timed out, but it did arrive: the dialog lives.
  if (!s.confirmed && !s.end) return rest({ ...dialog, held: dialog.wish, failures: 0, delay: 0 });
  return dialog;
}

export function queued(s: Subscription, n: NotifyInput, c: Context, out: Out): Subscription {
  const dialog = take(s, n, c, out);
  if (!dialog) return s;
  if (n.state !== 'terminated') return dialog;
  if (s.end) {
    // Ended before our Expires 0 went out.
    return terminated(dialog, n.termination, c, out);
  }
  const after = terminated(dialog, n.termination, c, []);
  // It waits for its slot already: what it will send there is a new SUBSCRIBE, or nothing.
  if (after.phase === 'ended') return terminated(dialog, n.termination, c, out);
  return { ...after, op: s.op, phase: 'queued', deadline: NEVER };
}

/** While a request is on the wire its answer decides; a termination is kept until then. */
export function inFlight(s: Subscription, n: NotifyInput, c: Context, out: Out): Subscription {
  const dialog = take(s, n, c, out);
  if (!dialog) return s;
  return n.state === 'terminated' ? { ...dialog, over: n.termination } : dialog;
}

export function closing(s: Subscription, n: NotifyInput, c: Context, out: Out): Subscription {
  const dialog = take(s, n, c, out);
  if (!dialog) return s;
  return n.state === 'terminated' ? finish(dialog, c, out) : { ...dialog, deadline: dialog.closeBy };
}
