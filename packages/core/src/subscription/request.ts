/** subs_info as a caller hands it in -> checked, with the key of its record. */
import { addressUri } from '../address.js';
import type { SubsInfo } from '../api.js';
import { checkExpires, checkLine, checkSipUri, checkUri, checkWord, sourceFlag } from '../arguments.js';
import { PuaError } from '../errors.js';
import type { EventRegistry } from '../events.js';
import { SourceFlag } from '../flags.js';
import { readHeaders } from '../headers.js';
import { ownKey, subscriptionKey } from '../key.js';
import type { Headers } from '../ports/sip.js';
import type { Identity } from '../record.js';
import type { SubscriptionSettings } from './row.js';

export interface CheckedSubscribe {
  readonly identity: Identity;
  readonly settings: SubscriptionSettings;
  readonly expires: number;
  readonly ownContact: string;
  readonly outboundProxy: string;
  /** null: not given. */
  readonly extraHeaders: Headers | null;
  readonly preloadedRoutes: readonly string[];
}

/** @throws PuaError `PUA_ERR_ARGUMENT`, `PUA_ERR_EVENT_UNKNOWN` */
export function checkSubscribe(info: SubsInfo, events: EventRegistry): CheckedSubscribe {
  const event = events.get(info.event);
  const presUri = checkUri('presUri', info.presUri);
  const watcherUri = checkUri('watcherUri', info.watcherUri);
  const asked = sourceFlag('sourceFlag', info.sourceFlag);
  const source = asked === SourceFlag.XMPP_INITIAL_SUBS ? SourceFlag.XMPP_SUBSCRIBE : asked;
  checkWord('flag', info.flag, ['insert', 'update']);
  checkWord('forks', info.forks, ['first', 'all']);
  const id = info.id === undefined ? '' : checkLine('id', info.id);
  const key =
    info.key === undefined
      ? subscriptionKey(presUri, watcherUri, event.keyPart, source, id)
      : ownKey(checkLine('key', info.key));
  return {
    identity: { key, presUri, watcherUri, id, event, source },
    settings: {
      requestUri: info.remoteTarget === undefined ? presUri : checkUri('remoteTarget', info.remoteTarget),
      toUri: info.toUri === undefined ? presUri : checkUri('toUri', info.toUri),
      forks: info.forks ?? event.forks ?? 'first',
    },
    expires: checkExpires('expires', info.expires),
    ownContact: info.contact === undefined ? '' : checkUri('contact', info.contact),
    outboundProxy: info.outboundProxy === undefined ? '' : checkSipUri('outboundProxy', info.outboundProxy),
    extraHeaders: info.extraHeaders === undefined ? null : readHeaders(info.extraHeaders),
    preloadedRoutes: checkRoutes(info.routeSet ?? []),
  };
}

function checkRoutes(routes: readonly string[]): readonly string[] {
  if (!Array.isArray(routes))
    throw new PuaError('PUA_ERR_ARGUMENT', 'routeSet: must be a list of name-addrs such as <sip:proxy;lr>');
  return routes.map((route) => {
    checkSipUri('routeSet', addressUri(checkLine('routeSet', route, 1024)));
    return route;
  });
}
