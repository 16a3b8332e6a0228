import type { ReceivedBody } from '@pua/core';
import { addressOfRecord, eventKey, listOf, mediaType } from '../sip/headers.js';
import { type EventState, resourceKey } from './event-state.js';
import { type ExpiresLimits, grantOf } from './limits.js';
import type { EventPackages } from './packages.js';
import type { RequestRecord, Verdict } from './record.js';
import type { Shape } from './script.js';

export interface CompositorOptions {
  readonly state: EventState;
  readonly packages: EventPackages;
  readonly limits: ExpiresLimits;
  /** Is this server responsible for that `user@host`? */
  readonly responsibleFor: (addressOfRecord: string) => boolean;
  /** Called after the 2xx when watchers of that key see another document. */
  readonly onChange: (key: string) => void;
}

function bodyOf(body: ReceivedBody | undefined): ReceivedBody | undefined {
  return body && body.bytes.length > 0 ? body : undefined;
}

/**
 * Event state compositor: the steps of RFC 3903 section 6, in their order.
 *
 *     PUBLISH                    ->   404, 489, 400, 412, 423, 415
 *     PUBLISH, body              ->   200, SIP-ETag: 1, Expires        initial
 *     PUBLISH, If-Match: 1       ->   200, SIP-ETag: 2, Expires        refresh, with a body: modify
 *     PUBLISH, If-Match: 2, 0 s  ->   200, SIP-ETag: 3, Expires: 0     remove
 */
export class Compositor {
  readonly #options: CompositorOptions;

  constructor(options: CompositorOptions) {
    this.#options = options;
  }

  handle(record: RequestRecord, shape: Shape | undefined): Verdict {
    const { state, packages, limits } = this.#options;
    const presentity = addressOfRecord(record.uri);
    if (!this.#options.responsibleFor(presentity)) return { status: 404 };

    const event = eventKey(record.headers.get('Event'));
    const types = event === undefined ? undefined : packages.contentTypes(event);
    if (event === undefined || types === undefined) return { status: 489, headers: [packages.allowEvents()] };

    const tags = listOf(record.headers.all('SIP-If-Match'));
    if (tags.length > 1) return { status: 400, reason: 'More Than One Entity-Tag' };
    const matched = tags.length === 1 ? state.find(tags[0]!, presentity, event) : undefined;
    if (tags.length === 1 && !matched) return { status: 412 };

    const grant = grantOf(record, limits);
    if ('tooBrief' in grant) return { status: 423, headers: [['Min-Expires', String(grant.tooBrief)]] };
    const lifetime = shape?.grant ?? grant.granted;

    const body = bodyOf(record.body);
    if (body && !types.includes(mediaType(body.type))) return { status: 415, headers: [['Accept', types.join(', ')]] };
    if (!body && !matched) return { status: 400, reason: 'Initial Publication Without Body' };

    const key = resourceKey(presentity, event);
    let etag: string;
    let changed = body !== undefined;
    if (lifetime === 0) {
      changed = matched !== undefined && state.remove(matched);
      etag = state.newEtag();
    } else if (matched) etag = state.renew(matched, body, lifetime).etag;
    else etag = state.create(presentity, event, body!, lifetime).etag;

    return {
      status: 200,
      headers: [
        ['Expires', String(lifetime)],
        ['SIP-ETag', etag],
      ],
      ...(changed ? { after: () => this.#options.onChange(key) } : {}),
    };
  }
}
