import type { DigestOptions } from './digest-guard.js';
import type { ExpiresLimits } from './limits.js';
import type { RequestRecord } from './record.js';
import type { AnswerRule, Rule, ShapeRule } from './script.js';
import type { PresenceServer } from './server.js';
import type { ServerSubscription } from './subscription.js';

/** Fields of a request that `requests` shows; credentials are left out. */
const SHOWN = ['From', 'To', 'Call-ID', 'CSeq', 'Contact', 'Event', 'Expires', 'SIP-If-Match', 'Content-Type'];

type Arguments = Readonly<Record<string, unknown>>;

/** `times` may be the word `Infinity`, which JSON has no number for. */
function rule<R extends Rule>(given: Arguments): R {
  return { ...given, ...(given.times === 'Infinity' ? { times: Number.POSITIVE_INFINITY } : {}) } as unknown as R;
}

function show(record: RequestRecord, withBody: boolean): object {
  const headers: Record<string, string> = {};
  for (const name of SHOWN) {
    const value = record.headers.get(name);
    if (value !== undefined) headers[name] = value;
  }
  const { number, at, method, uri, status, note } = record;
  return { number, at, method, uri, status, note, headers, ...(withBody ? { body: record.body?.text() } : {}) };
}

function subscriptionOf(server: PresenceServer, given: Arguments): ServerSubscription[] {
  const found = server.subscriptions.filter(
    (subscription) =>
      (given.callId === undefined || subscription.callId === given.callId) &&
      (given.presentity === undefined || subscription.presentity === given.presentity) &&
      (given.event === undefined || subscription.event === given.event),
  );
  if (found.length === 0) throw new Error('no such subscription; find it by callId, presentity (user@host), event');
  return found;
}

/** What the process form of the server understands, by name. */
export const COMMANDS: Readonly<Record<string, (server: PresenceServer, given: Arguments) => unknown>> = {
  away: (server) => server.away(),
  back: (server) => server.back(),
  restart: (server, given) => server.restart({ forget: given.forget === true }),
  answerNext: (server, given) => void server.answerNext(rule<AnswerRule>(given)),
  ignoreNext: (server, given) => void server.ignoreNext(rule(given)),
  shapeNext: (server, given) => void server.shapeNext(rule<ShapeRule>(given)),
  clearScript: (server) => server.clearScript(),
  loseNotifies: (server, given) => server.loseNotifies({ times: Number(given.times ?? 1) }),
  requireDigest: (server, given) =>
    server.requireDigest(given.realm === undefined ? undefined : (given as unknown as DigestOptions)),
  limits: (server, given) => {
    const limits = given as Partial<ExpiresLimits>;
    Object.assign(server.publishLimits, limits);
    Object.assign(server.subscribeLimits, limits);
    return { publish: server.publishLimits, subscribe: server.subscribeLimits };
  },
  terminate: (server, given) => {
    const found = subscriptionOf(server, given);
    for (const subscription of found) {
      server.terminate(subscription, {
        ...(given.reason === undefined ? {} : { reason: String(given.reason) }),
        ...(given.retryAfter === undefined ? {} : { retryAfter: Number(given.retryAfter) }),
      });
    }
    return found.length;
  },
  notify: (server, given) => {
    const found = subscriptionOf(server, given);
    for (const subscription of found) void server.notify(subscription);
    return found.length;
  },
  stats: (server) => server.stats(),
  requests: (server, given) =>
    server.requests
      .filter(({ method }) => given.method === undefined || method === given.method)
      .slice(-Number(given.limit ?? 100))
      .map((record) => show(record, given.body === true)),
  publications: (server, given) =>
    server.publications.slice(0, Number(given.limit ?? 100)).map(({ presentity, event, etag, body, generation }) => ({
      presentity,
      event,
      etag,
      generation,
      body: body.text(),
    })),
  subscriptions: (server, given) =>
    server.subscriptions
      .slice(0, Number(given.limit ?? 100))
      .map(({ presentity, event, watcher, callId, state, notifyCseq, remoteTarget }) => ({
        presentity,
        event,
        watcher,
        callId,
        state,
        notifyCseq,
        remoteTarget,
      })),
  clearLog: (server) => server.clearLog(),
};

/** Answers one line of JSON with one. Never throws. */
export function answerLine(server: PresenceServer, line: string): string {
  let id: unknown = null;
  try {
    const command = JSON.parse(line) as { id?: unknown; command?: unknown; arguments?: Arguments };
    id = command.id ?? null;
    const name = String(command.command);
    const run = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!run) throw new Error(`unknown command ${name}; known: ${Object.keys(COMMANDS).join(', ')}, stop`);
    return JSON.stringify({ id, ok: true, result: run(server, command.arguments ?? {}) ?? null });
  } catch (error) {
    return JSON.stringify({ id, ok: false, error: error instanceof Error ? error.message : String(error) });
  }
}
