/**
 * NOTIFY (RFC 6665 4.1.3). The shell has matched Call-ID, local tag, package and id; here the dialog is.
 *
 *   SUBSCRIBE ->      NOTIFY <-   200 ->      200 <-        the NOTIFY may be first: it establishes the dialog
 */
import { NEVER } from '../lifecycle.js';
import type { Context } from '../machine.js';
import { refreshDelay } from '../policy/timing.js';
import { finish, heedTermination, type Out, rest, terminated } from './parts.js';
import type { NotifyInput, Subscription } from './state.js';

/** Takes a NOTIFY that is in order into the dialog; false when it was refused. */
function take(s: Subscription, n: NotifyInput, c: Context, out: Out): boolean {
  if (s.callId === '' || (s.confirmed && n.fromTag !== s.remoteTag)) {
    out.push({ kind: 'notified', status: 481 });
    return false;
  }
  // Retransmissions never get here: an equal CSeq is another request.
  if (s.remoteCseq > 0 && n.cseq <= s.remoteCseq) {
    out.push({ kind: 'notified', status: 500 });
    return false;
  }
  out.push({ kind: 'notified', status: 200 }, { kind: 'persist' });
  if (!s.confirmed) s.routeSet = n.recordRoute;
  s.remoteTag = n.fromTag;
  s.remoteCseq = n.cseq;
  if (n.contact !== '') s.remoteTarget = n.contact;
  s.confirmed = true;
  s.notifyBy = NEVER;
  s.status = n.state === 'terminated' ? '' : n.state;
  if (n.state === 'terminated') heedTermination(s, n.termination, c);
  else bound(s, n.expires, c);
  return true;
}

/** The lifetime a NOTIFY names never exceeds what the 2xx granted or, while it is still to come, what was asked. */
function bound(s: Subscription, expires: number | undefined, c: Context): void {
  if (expires === undefined && s.expiresAt > 0) return;
  const asked = s.sentAt + 1000 * Math.max(s.flightExpires, s.asked < 0 ? c.policy.defaultExpires : s.asked);
  // While a refresh is on the wire its 2xx may be late.
  const limit = s.grantedUntil === 0 || s.flightExpires > 0 ? Math.max(asked, s.grantedUntil) : s.grantedUntil;
  s.expiresAt = expires === undefined ? limit : Math.min(c.now + expires * 1000, limit);
  if (expires !== undefined) s.saidUntil = s.expiresAt;
  // A NOTIFY that confirms the plan doesn't move it; only one that shortens the lifetime does.
  if (s.refreshAt < s.expiresAt) return;
  s.refreshAt = c.now + refreshDelay(Math.max(0, s.expiresAt - c.now), c.random());
}

export function resting(s: Subscription, n: NotifyInput, c: Context, out: Out): void {
  const unheard = !s.confirmed;
  if (!take(s, n, c, out)) return;
  if (n.state === 'terminated') return terminated(s, n.termination, c, out);
  if (s.phase === 'subscribed') rest(s);
  else if (unheard && !s.end) {
    // The SUBSCRIBE timed out, but it did arrive: the dialog lives.
    s.held = s.wish;
    s.failures = 0;
    s.delay = 0;
    rest(s);
  }
}

export function queued(s: Subscription, n: NotifyInput, c: Context, out: Out): void {
  if (!take(s, n, c, out) || n.state !== 'terminated') return;
  const ending: Out = [];
  terminated(s, n.termination, c, ending);
  if ((s.phase as string) === 'ended') {
    out.push(...ending);
    return;
  }
  // It waits for its slot already: there it will open a new dialog.
  s.phase = 'queued';
  s.deadline = NEVER;
  out.push(...ending.filter((effect) => effect.kind === 'settle' || effect.kind === 'persist'));
}

/** While a request is on the wire its answer decides; a termination is kept until then. */
export function inFlight(s: Subscription, n: NotifyInput, c: Context, out: Out): void {
  if (take(s, n, c, out) && n.state === 'terminated') s.over = n.termination;
}

export function closing(s: Subscription, n: NotifyInput, c: Context, out: Out): void {
  if (take(s, n, c, out) && n.state === 'terminated') finish(s, c, out);
}
