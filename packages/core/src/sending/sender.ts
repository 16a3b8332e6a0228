/**
 * From "this record wants to send" to the answer of its machine, in layers:
 *
 *   gate (one PUBLISH per Request-URI) -> route (RFC 3263) -> pacing (ceiling per hop) -> draft -> credentials -> wire
 *                                            ^----------------- next hop: time-out, transport error, 408, 5xx --'
 */
import type { Answer } from '../policy/answer.js';
import type { Authenticator } from '../policy/auth.js';
import { parseChallenges } from '../policy/digest.js';
import { HopMemory } from '../policy/hops.js';
import type { Policy } from '../policy/policy.js';
import { responseRow } from '../policy/responses.js';
import { retryAfterMs } from '../policy/timing.js';
import type { Outcome, SipPort } from '../ports/sip.js';
import { Gate } from './gate.js';
import type { Draft, Job } from './job.js';
import { type Ceiling, Pacer } from './pacer.js';
import { answerOf, readSeconds } from './reading.js';
import { type NextHop, Routes, type Waiting } from './routes.js';

/** Challenges answered in one operation. */
const MAX_CHALLENGES = 3;
/** Waiting jobs taken back in one go when their hop is set aside. */
const WITHDRAW_BATCH = 500;

export interface SenderOptions {
  readonly sip: SipPort;
  readonly policy: Policy;
  readonly auth: Authenticator;
  readonly ceiling: Ceiling;
  /** Counts outcomes: `PUBLISH 200`, `SUBSCRIBE timeout`. */
  readonly count: (what: string) => void;
}

export class Sender {
  readonly #gate = new Gate<Job>();
  readonly #routes: Routes;
  readonly #o: SenderOptions;
  #asked = 0;
  #inFlight = 0;
  #stopped = false;
  /** Jobs that the gate has let through, and is somebody sending them on? */
  readonly #through: Job[] = [];
  #passing = false;

  constructor(options: SenderOptions) {
    this.#o = options;
    const { sip, ceiling } = options;
    this.#routes = new Routes(sip, (hop) => ({
      memory: new HopMemory(hop),
      pacer: new Pacer<Waiting>(ceiling, sip.clock, (waiting) => this.#granted(waiting)),
    }));
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Records that asked and are not on the wire. */
  get queued(): number {
    return this.#asked - this.#inFlight;
  }

  get gates(): number {
    return this.#gate.size;
  }

  hops(): IterableIterator<NextHop> {
    return this.#routes.all();
  }

  /** The job is drafted when its turn comes; answered() follows, unless the draft was null. */
  ask(job: Job): void {
    if (this.#stopped) return;
    this.#asked++;
    if (job.gateKey === '' || this.#gate.enter(job.gateKey, job)) this.#route(job);
  }

  stop(): void {
    this.#stopped = true;
    for (const hop of this.#routes.all()) hop.pacer.stop();
  }

  #route(job: Job): void {
    let found: readonly NextHop[] | Promise<readonly NextHop[]>;
    try {
      found = this.#routes.find(job.routes());
    } catch (error) {
      this.#end(job, nowhere((error as Error).message, 0));
      return;
    }
    if (found instanceof Promise) {
      found.then(
        (hops) => this.#choose({ job, priority: job.priority, hops, tried: [], hop: null }),
        (error: Error) => this.#end(job, nowhere(error.message, 0)),
      );
    } else this.#choose({ job, priority: job.priority, hops: found, tried: [], hop: null });
  }

  /** First hop that is open and was not used in this pass; undefined: none. */
  #open(waiting: Waiting): NextHop | undefined {
    const now = this.#o.sip.clock.now();
    for (const hop of waiting.hops) {
      if (hop.memory.openAt(now) <= now && !waiting.tried.includes(hop.memory.name)) return hop;
    }
    return undefined;
  }

  /** When the first of the hops opens again; 0 when one is open. */
  #barredUntil(hops: readonly NextHop[]): number {
    const now = this.#o.sip.clock.now();
    let first = Number.POSITIVE_INFINITY;
    for (const hop of hops) first = Math.min(first, hop.memory.openAt(now));
    return first > now && first < Number.POSITIVE_INFINITY ? first : 0;
  }

  #choose(waiting: Waiting): void {
    if (this.#stopped) return;
    const hop = this.#open(waiting);
    if (!hop && waiting.failed) {
      // Every other hop was set aside while the request waited for its turn there.
      const { draft, outcome, cseq } = waiting.failed;
      this.#conclude(waiting, draft, outcome, cseq);
      return;
    }
    if (!hop) {
      const cause = waiting.hops.length === 0 ? 'the name leads nowhere' : 'every next hop is set aside';
      this.#end(waiting.job, nowhere(cause, this.#barredUntil(waiting.hops)));
      return;
    }
    waiting.hop = hop;
    hop.pacer.ask(waiting);
  }

  /** The hop has room. */
  #granted(waiting: Waiting): void {
    const hop = waiting.hop!;
    const now = this.#o.sip.clock.now();
    if (this.#stopped || hop.memory.openAt(now) > now) {
      // It was set aside while we waited.
      hop.pacer.release();
      if (!this.#stopped) this.#choose(waiting);
      return;
    }
    if (waiting.failed) {
      const { draft, cseq, challenges, answered } = waiting.failed;
      this.#inFlight++;
      this.#send(waiting, draft, Math.max(cseq, draft.cseq) + 1, challenges, answered);
      return;
    }
    const draft = waiting.job.draft(hop.memory.hop);
    if (!draft) {
      hop.pacer.release();
      this.#leave(waiting.job);
      return;
    }
    this.#inFlight++;
    this.#send(waiting, draft, draft.cseq, 0, undefined);
  }

  #send(waiting: Waiting, draft: Draft, cseq: number, challenges: number, answered: Set<string> | undefined): void {
    const { sip, auth } = this.#o;
    const hop = waiting.hop!;
    const signed = auth.sign(hop.memory.name, {
      method: draft.method,
      uri: draft.uri,
      to: draft.to.uri,
      body: draft.body?.content ?? '',
    });
    const sentAt = sip.clock.now();
    hop.memory.sending();
    const headers = signed.length === 0 ? draft.headers : [...draft.headers, ...signed];
    const done = (outcome: Outcome) => this.#outcome(waiting, draft, outcome, sentAt, cseq, challenges, answered);
    try {
      // Field by field, because this is done for every request and a spread costs several times as much.
      const { method, uri, callId, from, to, routes, contact, body } = draft;
      sip.request({ method, uri, callId, cseq, from, to, routes, contact, headers, body, hop: hop.memory.hop }, done);
    } catch (error) {
      // A value that can't be written; that says nothing about the hop.
      hop.memory.unsent();
      this.#finish(waiting, draft, { kind: 'unreachable', cause: error as Error, sent: false }, cseq - 1);
    }
  }

  #outcome(
    waiting: Waiting,
    draft: Draft,
    outcome: Outcome,
    sentAt: number,
    cseq: number,
    challenges: number,
    answered: Set<string> | undefined,
  ): void {
    const { sip, auth, policy, count } = this.#o;
    const now = sip.clock.now();
    const memory = waiting.hop!.memory;
    if (outcome.kind !== 'response') {
      count(`${draft.method} ${outcome.kind}`);
      if (outcome.kind === 'tooLarge') {
        memory.unsent();
        return this.#finish(waiting, draft, outcome, cseq - 1);
      }
      memory.silent(sentAt, now);
      this.#withdrawFrom(waiting.hop!);
      return this.#nextHop(waiting, draft, outcome, cseq, challenges, answered);
    }
    memory.heard(now);
    const { status, headers } = outcome;
    count(`${draft.method} ${status}`);
    if ((status === 401 || status === 407) && challenges < MAX_CHALLENGES) {
      const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
      const offered = headers.all(name).flatMap((value) => parseChallenges(value, status === 407));
      const realms = answered ?? new Set<string>();
      const verdict = auth.challenged(memory.name, draft.to.uri, offered, realms);
      if (verdict.kind === 'answer') {
        waiting.hop!.pacer.again();
        return this.#send(waiting, draft, outcome.cseq + 1, challenges + 1, realms);
      }
      const why = verdict.kind === 'wrong' ? 'credentials refused' : 'no usable credentials';
      const reason = `${outcome.reason} (${why} for realm "${verdict.realm}")`;
      return this.#finish(waiting, draft, { ...outcome, reason }, outcome.cseq);
    }
    if (status === 503) {
      const seconds = readSeconds(headers.get('Retry-After'));
      if (seconds !== undefined) memory.bar(now + retryAfterMs(policy, seconds));
    }
    if (responseRow(status) === 'unavailable')
      return this.#nextHop(waiting, draft, outcome, outcome.cseq, challenges, answered);
    this.#finish(waiting, draft, outcome, outcome.cseq);
  }

  #nextHop(
    waiting: Waiting,
    draft: Draft,
    outcome: Outcome,
    cseq: number,
    challenges: number,
    answered: Set<string> | undefined,
  ): void {
    waiting.tried = [...waiting.tried, waiting.hop!.memory.name];
    const next = waiting.hops.length > waiting.tried.length ? this.#open(waiting) : undefined;
    if (!next || this.#stopped) return this.#finish(waiting, draft, outcome, cseq);
    this.#inFlight--;
    waiting.failed = { draft, outcome, cseq, challenges, answered };
    waiting.hop!.pacer.release();
    waiting.hop = next;
    next.pacer.ask(waiting);
  }

  /** End of the pass. `cseq` is the last one that may have been seen by somebody. */
  #finish(waiting: Waiting, draft: Draft, outcome: Outcome, cseq: number): void {
    this.#inFlight--;
    waiting.hop!.pacer.release();
    this.#conclude(waiting, draft, outcome, cseq);
  }

  #conclude(waiting: Waiting, draft: Draft, outcome: Outcome, cseq: number): void {
    const failed = outcome.kind !== 'response' || responseRow(outcome.status) === 'unavailable';
    this.#end(waiting.job, answerOf(outcome, draft.method, failed ? this.#barredUntil(waiting.hops) : 0, cseq));
  }

  #end(job: Job, answer: Answer): void {
    this.#leave(job);
    job.answered(answer);
  }

  #leave(job: Job): void {
    this.#asked--;
    if (job.gateKey === '') return;
    const next = this.#gate.leave(job.gateKey);
    if (!next) return;
    // One that ends at once lets the next one through, and so on: in a loop, for there may be thousands.
    this.#through.push(next);
    if (this.#passing) return;
    this.#passing = true;
    try {
      for (let one = this.#through.pop(); one; one = this.#through.pop()) this.#route(one);
    } finally {
      this.#passing = false;
    }
  }

  /** A hop that was set aside keeps nobody waiting: its queue goes elsewhere, or back off, in portions. */
  #withdrawFrom(hop: NextHop): void {
    const now = this.#o.sip.clock.now();
    if (hop.memory.openAt(now) <= now) return;
    for (const waiting of hop.pacer.withdraw(WITHDRAW_BATCH)) this.#choose(waiting);
    if (hop.pacer.queued > 0) this.#o.sip.clock.after(1, () => this.#withdrawFrom(hop));
  }
}

const nowhere = (cause: string, barredUntil: number): Answer => ({
  kind: 'unreachable',
  cause,
  sent: false,
  barredUntil,
  cseq: 0,
});
