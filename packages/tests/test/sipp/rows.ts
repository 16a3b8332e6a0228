/** The response policy (docs of @pua/core, "Response policy") as rows: an answer, and what has to come next. */
import type { Policy } from '@pua/core';
import type { Answer, Step } from './scenario';

export type Request = 'initial' | 'modify' | 'refresh' | 'removal';

export interface Row {
  readonly request: Request;
  readonly answer: Step;
  /** There is a second next hop, which accepts everything. */
  readonly second?: boolean;
  readonly credentials?: boolean;
  readonly plan: Plan;
  /** The request after it. For `parked` it comes when the owner has changed something. */
  readonly next?: Next;
}

/** At once; when the owner changes something; not any more; or planned so many milliseconds ahead. */
export type Plan = 'at once' | 'parked' | 'gone' | 'closing' | readonly [least: number, most: number];

export interface Next {
  readonly request: Request;
  /** Same Call-ID, next CSeq. */
  readonly again?: boolean;
  readonly atSecond?: boolean;
  readonly authorized?: boolean;
  readonly expires?: number;
}

/** Short forms of the waits; chance is 0.05 always. */
export const CHANCE = 0.05;
export const POLICY: Partial<Policy> = { backoffBase: 400, backoffCap: 1_000, longRetry: 1_200, retryAfterCap: 5_000 };
const BACK_OFF: Plan = [400, 440];
const LONG: Plan = [1_200, 1_320];
const PENDING: Plan = [490, 510];
const CREDENTIALS: Plan = [60_000, 120_000];
const RETRY_AFTER: Plan = [1_000, 1_100];

const after = (seconds: number) => [['Retry-After', String(seconds)]] as const;
const NONCE = 'Digest realm="sipp", nonce="n1", qop="auth"';
const challenge = (status: 401 | 407): Answer => ({
  status,
  headers: [[status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate', NONCE]],
});
const tooBrief = (seconds: number): Answer => ({ status: 423, headers: [['Min-Expires', String(seconds)]] });
/** `second` stands for the port of the second server. */
export const SECOND = '{second}';
const moved = (status: number): Answer => ({ status, headers: [['Contact', `<sip:127.0.0.1:${SECOND}>`]] });

const rows = (
  request: Request,
  answers: readonly (number | Step)[],
  plan: Plan,
  next?: Next,
  more: Partial<Row> = {},
): Row[] =>
  answers.map((answer) => ({
    ...{ request, plan, answer: typeof answer === 'number' ? { status: answer } : answer },
    ...(next ? { next } : {}),
    ...more,
  }));

const UNWELL = [408, 500, 502, 503, 504, 580];
/** A next hop that was silent is left alone for a second. */
const ASIDE: Plan = [1_000, 1_100];
const REFUSED = [400, 403, 404, 410, 416, 420, 480, 486, 600, 603, 604, 606];
const UNSUPPORTED = [405, 406, 415, 489, 501, 505, 513];
const PATIENT = [404, 413, 480, 486, 500, 503, 600, 603].map((status) => ({ status, headers: after(1) }));

/** What both methods have in common for the request that begins. */
const begins: Row[] = [
  ...rows(
    'initial',
    [challenge(401), challenge(407)],
    'at once',
    { request: 'initial', again: true, authorized: true },
    { credentials: true },
  ),
  ...rows('initial', [challenge(401), challenge(407)], CREDENTIALS),
  ...rows('initial', [300, 301, 302, 305].map(moved), 'at once', { request: 'initial', again: true, atSecond: true }),
  ...rows('initial', [302], LONG, { request: 'initial' }),
  ...rows(
    'initial',
    [...UNWELL, 'silence'],
    'at once',
    { request: 'initial', again: true, atSecond: true },
    { second: true },
  ),
  ...rows(
    'initial',
    [{ status: 503, headers: after(1) }],
    'at once',
    { request: 'initial', again: true, atSecond: true },
    { second: true },
  ),
  ...rows('initial', UNWELL, BACK_OFF, { request: 'initial' }),
  ...rows('initial', ['silence'], ASIDE, { request: 'initial' }),
  ...rows('initial', REFUSED, LONG, { request: 'initial' }),
  ...rows('initial', UNSUPPORTED, 'parked', { request: 'initial' }),
  ...rows('initial', PATIENT, RETRY_AFTER, { request: 'initial' }),
  ...rows('initial', [491], PENDING, { request: 'initial' }),
  ...rows('initial', [tooBrief(5_000)], 'at once', { request: 'initial', expires: 5_000 }),
  ...rows('initial', [tooBrief(60), tooBrief(1e6), 423], LONG, { request: 'initial' }),
];

export const PUBLICATION: Row[] = [
  ...begins,
  ...rows('initial', [412], BACK_OFF, { request: 'initial' }),
  ...rows('initial', [481], LONG, { request: 'initial' }),
  ...(['modify', 'refresh'] as const).flatMap((request) => [
    ...rows(request, [412], 'at once', { request: 'initial' }),
    ...rows(request, [tooBrief(5_000)], 'at once', { request, expires: 5_000 }),
    ...rows(request, [408, 500], BACK_OFF, { request }),
    ...rows(request, ['silence'], ASIDE, { request }),
    ...rows(request, [403, 404, 481], LONG, { request }),
    ...rows(
      request,
      [
        { status: 404, headers: after(1) },
        { status: 503, headers: after(1) },
      ],
      RETRY_AFTER,
      { request },
    ),
    ...rows(request, [491], PENDING, { request }),
  ]),
  ...rows('modify', [415, 513], 'parked', { request: 'modify' }),
  ...rows('removal', [200, 404, 410, 412, 481], 'gone'),
  ...rows('removal', [408, 500], BACK_OFF, { request: 'removal' }),
  ...rows('removal', ['silence'], ASIDE, { request: 'removal' }),
  ...rows('removal', [403], LONG, { request: 'removal' }),
  ...rows('removal', [{ status: 503, headers: after(1) }], RETRY_AFTER, { request: 'removal' }),
];

/** Refreshes so answered mean that the subscription is over (RFC 6665 4.1.2.2): the next one is new. */
const OVER = [404, 410, 416, 480, 482, 483, 484, 485, 604];

export const SUBSCRIPTION: Row[] = [
  ...begins,
  ...rows('initial', [481], BACK_OFF, { request: 'initial' }),
  ...rows('refresh', [481], 'at once', { request: 'initial' }),
  ...rows('refresh', OVER, LONG, { request: 'initial' }),
  ...rows('refresh', [405, 489, 501], 'parked', { request: 'initial' }),
  ...rows('refresh', [408, 500, 503], BACK_OFF, { request: 'refresh' }),
  ...rows('refresh', ['silence'], ASIDE, { request: 'refresh' }),
  ...rows('refresh', [403, 486, 600, 603], LONG, { request: 'refresh' }),
  ...rows('refresh', [406, 415], 'parked', { request: 'refresh' }),
  ...rows(
    'refresh',
    [
      { status: 500, headers: after(1) },
      { status: 503, headers: after(1) },
    ],
    RETRY_AFTER,
    { request: 'refresh' },
  ),
  ...rows('refresh', [{ status: 480, headers: after(1) }], RETRY_AFTER, { request: 'initial' }),
  ...rows('refresh', [tooBrief(5_000)], 'at once', { request: 'refresh', expires: 5_000 }),
  ...rows('refresh', [491], PENDING, { request: 'refresh' }),
  ...rows('removal', [200], 'closing'),
  ...rows('removal', [404, 410, 481, 489, 501, 'silence'], 'gone'),
  ...rows('removal', [408, 500], BACK_OFF, { request: 'removal' }),
  ...rows('removal', [403], LONG, { request: 'removal' }),
];
