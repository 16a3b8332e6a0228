/** Subscription <-> row of the table `pua`. */
import { splitAddresses } from '../address.js';
import { formatHeaders, parseHeaderLines } from '../headers.js';
import { refreshDelay } from '../policy/timing.js';
import type { Headers } from '../ports/sip.js';
import type { PuaRow } from '../ports/store.js';
import { fromWall, toWall, type WallClock } from '../walltime.js';
import { NO_SUBSCRIPTION, type Subscription } from './state.js';

const END = 2;
const PARKED = 4;
/** A new dialog is to be opened once this one is ended. */
const NEXT = 8;

/** What a subscription needs besides its state; fixed when it is made. */
export interface SubscriptionSettings {
  readonly requestUri: string;
  readonly toUri: string;
  readonly forks: 'first' | 'all';
}

interface More {
  requestUri?: string;
  toUri?: string;
  forks?: 'all';
  ownContact?: string;
  preloadedRoutes?: readonly string[];
  next?: number;
}

export function subscriptionColumns(
  s: Subscription,
  settings: SubscriptionSettings,
  presUri: string,
  extraHeaders: Headers,
  clock: WallClock,
) {
  const more: More = {};
  if (settings.requestUri !== presUri) more.requestUri = settings.requestUri;
  if (settings.toUri !== presUri) more.toUri = settings.toUri;
  if (settings.forks === 'all') more.forks = 'all';
  if (s.ownContact !== '') more.ownContact = s.ownContact;
  if (s.preloadedRoutes.length > 0) more.preloadedRoutes = s.preloadedRoutes;
  if (s.next) more.next = s.next.expires;
  return {
    expires: s.expiresAt === 0 ? 0 : toWall(s.expiresAt, clock),
    desired_expires: toWall(s.desiredUntil, clock),
    call_id: s.callId,
    from_tag: s.localTag,
    to_tag: s.remoteTag,
    cseq: s.cseq,
    remote_cseq: s.remoteCseq,
    record_route: s.routeSet.length === 0 ? null : s.routeSet.join(','),
    contact: s.contact,
    remote_contact: s.remoteTarget,
    subscription_state: s.confirmed ? s.status || 'terminated' : '',
    extra_headers: formatHeaders(extraHeaders),
    min_expires: s.minExpires,
    asked_expires: s.asked,
    pending: (s.end ? END : 0) | (s.phase === 'parked' ? PARKED : 0) | (s.next ? NEXT : 0),
    not_before: s.notBefore > clock.now ? toWall(s.notBefore, clock) : 0,
    more: Object.keys(more).length === 0 ? null : JSON.stringify(more),
  };
}

const bareUri = (stored: string): string => /<([^>]*)>/.exec(stored)?.[1] ?? stored.trim();

export interface RestoredSubscription {
  readonly state: Subscription;
  readonly settings: SubscriptionSettings;
  readonly extraHeaders: Headers;
}

/**
 * @param reachable tells whether NOTIFYs sent to a contact still reach us; if not, the dialog is refreshed at once
 * @throws SyntaxError when `more` is not JSON
 */
export function subscriptionFromRow(
  row: PuaRow,
  clock: WallClock,
  random: () => number,
  reachable: (contact: string) => boolean,
): RestoredSubscription {
  const more = (row.more === null ? {} : JSON.parse(row.more)) as More;
  const expiresAt = row.expires === 0 ? 0 : fromWall(row.expires, clock);
  const there = row.call_id !== '' && row.to_tag !== '' && expiresAt > clock.now;
  const end = (row.pending & END) !== 0;
  const desiredUntil = row.desired_expires === 0 ? Number.POSITIVE_INFINITY : fromWall(row.desired_expires, clock);
  const notBefore = row.not_before === 0 ? 0 : fromWall(row.not_before, clock);
  const ownContact = more.ownContact ?? '';
  const astray = ownContact === '' && !reachable(row.contact);
  const refreshAt = there && !astray ? clock.now + refreshDelay(expiresAt - clock.now, random()) : clock.now;
  const settled = there && !end;
  const last = settled && !astray && expiresAt >= desiredUntil;
  const state: Subscription = {
    ...NO_SUBSCRIPTION,
    phase: (row.pending & PARKED) !== 0 ? 'parked' : settled ? 'subscribed' : 'waiting',
    asked: row.asked_expires,
    desiredUntil,
    ownContact,
    preloadedRoutes: more.preloadedRoutes ?? [],
    wish: 1,
    end,
    next:
      more.next === undefined
        ? null
        : {
            kind: 'subscribe',
            op: null,
            expires: more.next,
            insert: false,
            fetch: false,
            ownContact,
            preloadedRoutes: more.preloadedRoutes ?? [],
          },
    // A dialog that was never confirmed is kept too: a NOTIFY for it may be on its way.
    callId: row.call_id,
    localTag: row.from_tag,
    remoteTag: row.to_tag,
    cseq: row.cseq,
    remoteCseq: row.remote_cseq,
    routeSet: row.record_route === null ? [] : splitAddresses(row.record_route),
    // Kamailio sometimes stores brackets.
    remoteTarget: bareUri(row.remote_contact),
    contact: row.contact,
    confirmed: there && (row.subscription_state !== '' || row.record_key === ''),
    status: row.subscription_state === 'terminated' ? '' : row.subscription_state,
    openedAt: clock.now,
    held: there ? 1 : 0,
    grantedUntil: there ? expiresAt : 0,
    expiresAt,
    refreshAt,
    minExpires: row.min_expires,
    notBefore,
    deadline:
      (row.pending & PARKED) !== 0
        ? desiredUntil
        : settled
          ? last
            ? desiredUntil
            : refreshAt
          : Math.min(Math.max(clock.now, notBefore), end ? Math.max(clock.now, expiresAt) : desiredUntil),
  };
  return {
    state,
    settings: {
      requestUri: more.requestUri ?? row.pres_uri,
      toUri: more.toUri ?? row.pres_uri,
      forks: more.forks ?? 'first',
    },
    extraHeaders: parseHeaderLines(row.extra_headers),
  };
}
