/** Subscription <-> row of the table `pua`. */
import { splitAddresses } from '../address.js';
import { formatHeaders, parseHeaderLines } from '../headers.js';
import { refreshDelay } from '../policy/timing.js';
import type { Headers } from '../ports/sip.js';
import type { PuaRow } from '../ports/store.js';
import type { Blank } from '../record.js';
import { fromWall, notBeforeToWall, retryAtToWall, toWall, type WallClock } from '../walltime.js';
import { parkedUntil } from './parts.js';
import { Subscription } from './state.js';

const END = 2;
const PARKED = 4;
/** A new dialog is to be opened once this one is ended. */
const NEXT = 8;

/** What a subscription needs besides its state; fixed when it is made. */
export interface SubscriptionSettings {
  readonly requestUri: string;
  readonly toUri: string;
  readonly forks: 'first' | 'all';
  /** It is one: the key of the record it branched off, and the tag that tells it from the others. */
  readonly fork?: { readonly origin: string; readonly remoteTag: string };
}

interface More {
  requestUri?: string;
  toUri?: string;
  forks?: 'all';
  ownContact?: string;
  preloadedRoutes?: readonly string[];
  next?: number;
  fork?: { origin: string; remoteTag: string };
  /** Next try, seconds since 1970. */
  retryAt?: number;
}

/** Columns that depend on the state. */
export function writeColumns(
  row: Blank<PuaRow>,
  s: Readonly<Subscription>,
  settings: SubscriptionSettings,
  extraHeaders: Headers,
  clock: WallClock,
): void {
  row.expires = s.expiresAt === 0 ? 0 : toWall(s.expiresAt, clock);
  row.desired_expires = toWall(s.desiredUntil, clock);
  row.call_id = s.callId;
  row.from_tag = s.localTag;
  row.to_tag = s.remoteTag;
  row.cseq = s.cseq;
  row.remote_cseq = s.remoteCseq;
  row.record_route = s.routeSet.length === 0 ? null : s.routeSet.join(',');
  row.contact = s.contact;
  row.remote_contact = s.remoteTarget;
  row.subscription_state = s.confirmed ? s.status || 'terminated' : '';
  row.extra_headers = formatHeaders(extraHeaders);
  row.min_expires = s.minExpires;
  row.asked_expires = s.asked;
  row.pending = (s.end ? END : 0) | (s.phase === 'parked' ? PARKED : 0) | (s.next ? NEXT : 0);
  row.not_before = notBeforeToWall(s.notBefore, clock);
  row.more = moreOf(s, settings, row.pres_uri, clock);
}

function moreOf(
  s: Readonly<Subscription>,
  settings: SubscriptionSettings,
  presUri: string,
  clock: WallClock,
): string | null {
  const more: More = {};
  if (settings.requestUri !== presUri) more.requestUri = settings.requestUri;
  if (settings.toUri !== presUri) more.toUri = settings.toUri;
  if (settings.forks === 'all') more.forks = 'all';
  if (s.ownContact !== '') more.ownContact = s.ownContact;
  if (s.preloadedRoutes.length > 0) more.preloadedRoutes = s.preloadedRoutes;
  if (s.next) more.next = s.next.expires;
  if (settings.fork) more.fork = settings.fork;
  const retryAt = retryAtToWall(s, clock);
  if (retryAt > 0) more.retryAt = retryAt;
  return Object.keys(more).length === 0 ? null : JSON.stringify(more);
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
  const s = new Subscription();
  s.expiresAt = row.expires === 0 ? 0 : fromWall(row.expires, clock);
  const there = row.call_id !== '' && row.to_tag !== '' && s.expiresAt > clock.now;
  s.end = (row.pending & END) !== 0;
  s.asked = row.asked_expires;
  s.desiredUntil = row.desired_expires === 0 ? Number.POSITIVE_INFINITY : fromWall(row.desired_expires, clock);
  s.ownContact = more.ownContact ?? '';
  s.preloadedRoutes = more.preloadedRoutes ?? [];
  s.wish = 1;
  if (s.end && more.next !== undefined) {
    const { ownContact, preloadedRoutes } = s;
    s.next = {
      kind: 'subscribe',
      op: null,
      expires: more.next,
      insert: false,
      fetch: false,
      ownContact,
      preloadedRoutes,
    };
  }
  // A dialog that was never confirmed is kept too: a NOTIFY for it may be on its way.
  s.callId = row.call_id;
  s.localTag = row.from_tag;
  s.remoteTag = row.to_tag;
  s.cseq = row.cseq;
  s.remoteCseq = row.remote_cseq;
  s.routeSet = row.record_route === null ? [] : splitAddresses(row.record_route);
  // Kamailio sometimes stores brackets.
  s.remoteTarget = bareUri(row.remote_contact);
  s.contact = row.contact;
  s.confirmed = there && row.subscription_state !== '';
  s.status = row.subscription_state === 'terminated' ? '' : row.subscription_state;
  s.openedAt = clock.now;
  s.sentAt = clock.now;
  s.held = there ? 1 : 0;
  s.grantedUntil = there ? s.expiresAt : 0;
  // A Contact of another run, or of another host, is replaced at once: until then NOTIFYs go astray.
  const astray = s.ownContact === '' && !reachable(row.contact);
  s.refreshAt = there && !astray ? clock.now + refreshDelay(s.expiresAt - clock.now, random()) : clock.now;
  s.minExpires = row.min_expires;
  s.notBefore = row.not_before === 0 ? 0 : fromWall(row.not_before, clock);
  s.fork = more.fork !== undefined;
  const soon = Math.max(clock.now, s.notBefore, more.retryAt === undefined ? 0 : fromWall(more.retryAt, clock));
  if ((row.pending & PARKED) !== 0) {
    s.phase = 'parked';
    s.deadline = parkedUntil(s);
  } else if (there && !s.end && more.retryAt === undefined) {
    s.phase = 'subscribed';
    s.deadline = !astray && s.expiresAt >= s.desiredUntil ? s.desiredUntil : s.refreshAt;
  } else {
    s.phase = 'waiting';
    s.deadline = s.end ? soon : Math.min(soon, s.desiredUntil);
  }
  return {
    state: s,
    settings: {
      requestUri: more.requestUri ?? row.pres_uri,
      toUri: more.toUri ?? row.pres_uri,
      forks: more.forks ?? 'first',
      ...(more.fork ? { fork: more.fork } : {}),
    },
    extraHeaders: parseHeaderLines(row.extra_headers),
  };
}
