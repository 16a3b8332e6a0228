/** publ_info as a caller hands it in -> checked, with the key of its record. */
import type { PublInfo, PublicationQuery } from '../api.js';
import {
  checkContentType,
  checkExpires,
  checkLine,
  checkSipUri,
  checkUri,
  checkWord,
  sourceFlag,
} from '../arguments.js';
import { PuaError } from '../errors.js';
import type { EventRegistry, RegisteredEvent } from '../events.js';
import { readHeaders } from '../headers.js';
import { publicationKey } from '../key.js';
import type { Headers } from '../ports/sip.js';
import type { Identity } from '../record.js';

export interface CheckedPublish {
  readonly identity: Identity;
  readonly event: RegisteredEvent;
  readonly expires: number;
  /** 0: not given. */
  readonly publishExpires: number;
  readonly etag: string;
  readonly contentType: string;
  readonly outboundProxy: string;
  /** null: not given. */
  readonly extraHeaders: Headers | null;
}

/** @throws PuaError `PUA_ERR_ARGUMENT`, `PUA_ERR_EVENT_UNKNOWN` */
export function publicationIdentity(query: PublicationQuery, events: EventRegistry): Identity {
  const event = events.get(query.event);
  const presUri = checkUri('presUri', query.presUri);
  const source = sourceFlag('sourceFlag', query.sourceFlag);
  const id = query.id === undefined ? '' : checkLine('id', query.id);
  return { key: publicationKey(presUri, event.keyPart, source, id), presUri, watcherUri: '', id, event, source };
}

/** @throws PuaError `PUA_ERR_ARGUMENT`, `PUA_ERR_EVENT_UNKNOWN` */
export function checkPublish(info: PublInfo, events: EventRegistry): CheckedPublish {
  const identity = publicationIdentity(info, events);
  const { event } = identity;
  if (!event.contentType) {
    throw new PuaError(
      'PUA_ERR_ARGUMENT',
      `event: ${event.name} can only be subscribed to, nothing is published for it`,
    );
  }
  checkWord('flag', info.flag, ['insert', 'update']);
  checkWord('onLost', info.onLost, ['republish', 'report']);
  const publishExpires = info.publishExpires ?? 0;
  if (!(Number.isInteger(publishExpires) && publishExpires >= 0)) {
    throw new PuaError('PUA_ERR_ARGUMENT', `publishExpires: must be a number of seconds, not ${publishExpires}`);
  }
  if (info.body !== undefined && typeof info.body !== 'string' && !(info.body instanceof Uint8Array)) {
    throw new PuaError('PUA_ERR_ARGUMENT', 'body: must be a text or bytes');
  }
  return {
    identity,
    event,
    expires: checkExpires('expires', info.expires),
    publishExpires,
    etag: info.etag === undefined ? '' : checkLine('etag', info.etag, 128),
    contentType: info.contentType === undefined ? event.contentType : checkContentType('contentType', info.contentType),
    outboundProxy: info.outboundProxy === undefined ? '' : checkSipUri('outboundProxy', info.outboundProxy),
    extraHeaders: info.extraHeaders === undefined ? null : readHeaders(info.extraHeaders),
  };
}
