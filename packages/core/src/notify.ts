/**
 * Incoming NOTIFYs: read, matched to a dialog, handed to its machine, delivered, answered.
 *
 *   NOTIFY ->  unreadable 400, package unknown 489, no such dialog 481, old CSeq 500, body too big 513, else 200;
 *              what a handler throws: 415, 400 when it is about the document, else 500
 */
import { addressTag } from './address.js';
import type { Notification } from './api.js';
import { PuaError } from './errors.js';
import { type EventRegistry, eventId, packageOf } from './events.js';
import type { RecordEvent } from './machine.js';
import type { IncomingRequest } from './ports/sip.js';
import type { AnyRecord } from './record.js';
import type { Records } from './records.js';
import type { Registrations } from './registrations.js';
import { readContact, readRecordRoute, readSeconds } from './sending/reading.js';
import type { NotifyTurn } from './subscription/record.js';

export interface NotifyHost {
  readonly events: EventRegistry;
  readonly records: Records;
  readonly registrations: Registrations;
  readonly maxBytes: number;
  count(status: number): void;
  emit(record: AnyRecord, event: RecordEvent): void;
}

interface SubscriptionState {
  readonly state: 'active' | 'pending' | 'terminated';
  readonly reason: string;
  readonly expires: number | undefined;
  readonly retryAfter: number | undefined;
}

/** `active;expires=600`; a missing header counts as active (widely seen), an unknown state too (RFC 6665 4.1.3). */
export function readSubscriptionState(value: string | undefined): SubscriptionState {
  const [state = '', ...parameters] = (value ?? 'active').split(';');
  const found: Record<string, string> = {};
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    if (equals > 0)
      found[parameter.slice(0, equals).trim().toLowerCase()] = parameter
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
  }
  const name = state.trim().toLowerCase();
  return {
    state: name === 'terminated' || name === 'pending' ? name : 'active',
    reason: (found['reason'] ?? '').toLowerCase(),
    expires: readSeconds(found['expires']),
    retryAfter: readSeconds(found['retry-after']),
  };
}

/** A document that its handler can't take is the notifier's fault, all else ours. */
function statusOf(error: unknown): number {
  if (!(error instanceof PuaError)) return 500;
  return error.code === 'PUA_ERR_MEDIA_TYPE' ? 415 : error.code === 'PUA_ERR_DOCUMENT' ? 400 : 500;
}

export function onNotify(request: IncomingRequest, host: NotifyHost): void {
  const { headers, body } = request;
  const answer = (status: number, extra?: readonly (readonly [string, string])[]) => {
    host.count(status);
    request.reply(status, extra);
  };
  const event = headers.get('Event');
  const cseq = Number(/^\d+/.exec(headers.get('CSeq') ?? '')?.[0] ?? Number.NaN);
  const fromTag = addressTag(headers.get('From') ?? '');
  // CSeq must be less than 2^31 (RFC 3261 8.1.1.5).
  if (event === undefined || !(cseq < 2 ** 31) || fromTag === '') return answer(400);
  const eventPackage = packageOf(event);
  if (!host.events.hasPackage(eventPackage)) {
    const packages = new Set(host.events.all().map((known) => packageOf(known.name)));
    return answer(489, [['Allow-Events', [...packages].join(', ')]]);
  }
  const callId = headers.get('Call-ID') ?? '';
  const found = host.records.dialog(callId, addressTag(headers.get('To') ?? ''), fromTag);
  const expected = found?.identity.event.name ?? '';
  if (!found || packageOf(expected) !== eventPackage || eventId(expected) !== eventId(event)) {
    host.count(481);
    return request.pass();
  }
  if (body && body.bytes.length > host.maxBytes) return answer(513);
  const fork = host.records.forks.isFull(callId) ? null : found.branch(fromTag);
  if (fork) host.records.add(fork);
  const record = fork ?? found;

  const given = headers.get('Subscription-State');
  const { state, reason, expires, retryAfter } = readSubscriptionState(given);
  const turn: NotifyTurn = {
    kind: 'notify',
    fromTag,
    cseq,
    contact: readContact(headers),
    recordRoute: readRecordRoute(headers),
    state,
    termination: { reason, retryAfter },
    expires,
    verdict: (status) => {
      if (status !== 200) return answer(status);
      if (given === undefined) host.emit(record, 'without-state');
      deliver();
    },
  };
  const deliver = () => {
    const notification: Notification = {
      record: record.show(),
      event,
      state,
      ...(reason === '' ? {} : { reason }),
      ...(expires === undefined ? {} : { expires }),
      contentType: body?.type ?? '',
      body: body?.bytes ?? new Uint8Array(0),
      text: () => body?.text() ?? '',
      headers,
    };
    const waited: Promise<void>[] = [];
    const handlers = host.registrations.notifyHandlers(expected);
    let status = 200;
    const fault = (error: unknown) => {
      status = Math.max(status, statusOf(error));
      host.registrations.fault(error, `NOTIFY handler of ${expected}`);
    };
    for (const handler of record.onNotify ? [record.onNotify, ...handlers] : handlers) {
      try {
        const result = handler(notification);
        if (result) waited.push(Promise.resolve(result).catch(fault));
      } catch (error) {
        fault(error);
      }
    }
    const accept = record.identity.event.accept ?? record.identity.event.contentType ?? '';
    const end = () => answer(status, status === 415 ? [['Accept', accept]] : undefined);
    if (waited.length === 0) return end();
    Promise.all(waited).then(end);
  };
  record.receive(turn);
}
