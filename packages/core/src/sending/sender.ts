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
import { honoursRetryAfter, responseRow } from '../policy/responses.js';
import { retryAfterMs } from '../policy/timing.js';
import type { Outcome, SipPort } from '../ports/sip.js';
import { Gate } from './gate.js';
import type { Job } from './job.js';
import { type Ceiling, Pacer } from './pacer.js';
import { Pass } from './pass.js';
import { answerOf, readContacts, readSeconds } from './reading.js';
import { Redirects, type RedirectTarget } from './redirects.js';
import { type NextHop, Routes } from './routes.js';

/** Challenges answered in one operation. */
const MAX_CHALLENGES = 3;

type Response = Extract<Outcome, { kind: 'response' }>;

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
      pacer: new Pacer<Pass>(ceiling, sip.clock, (pass) => this.#granted(pass)),
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

  /** Nothing is sent any more. Answers that still come are told; what the engine gives up with its stop is not. */
  stop(): void {
    this.#stopped = true;
    for (const hop of this.#routes.all()) hop.pacer.stop();
  }

  // ------------------------------------------------------------------------------------------ which hop

  #route(job: Job): void {
    this.#find(
      job.routes(),
      (hops) => this.#choose(new Pass(job, hops)),
      (cause) => this.#end(job, nowhere(cause, 0)),
    );
  }

  #find(uris: readonly string[], found: (hops: readonly NextHop[]) => void, failed: (cause: string) => void): void {
    let hops: readonly NextHop[] | Promise<readonly NextHop[]>;
    try {
      hops = this.#routes.find(uris);
    } catch (error) {
      failed((error as Error).message);
      return;
    }
    if (hops instanceof Promise) hops.then(found, (error: Error) => failed(error.message));
    else found(hops);
  }

  /** First hop that is open and was not used yet; undefined: none. */
  #open(pass: Pass): NextHop | undefined {
    if (pass.tried.length >= pass.hops.length) return undefined;
    const now = this.#o.sip.clock.now();
    const { heldAt } = pass.job;
    let first: NextHop | undefined;
    for (const hop of pass.hops) {
      const { name } = hop.memory;
      if (hop.memory.openAt(now) > now || pass.tried.includes(name)) continue;
      if (heldAt === '' || name === heldAt) return hop;
      first ??= hop;
    }
    return first;
  }

  /** When the first of the hops opens again; 0 when one is open. */
  #barredUntil(hops: readonly NextHop[]): number {
    const now = this.#o.sip.clock.now();
    let first = Number.POSITIVE_INFINITY;
    for (const hop of hops) first = Math.min(first, hop.memory.openAt(now));
    return first > now && first < Number.POSITIVE_INFINITY ? first : 0;
  }

  /** At a hop that is open, else where a redirect leads, else the pass is over. */
  #choose(pass: Pass): void {
    if (this.#stopped) return;
    const hop = this.#open(pass);
    if (hop) {
      pass.hop = hop;
      hop.pacer.ask(pass);
      return;
    }
    const target = pass.redirects?.next();
    if (target) return this.#follow(pass, target);
    if (pass.draft) {
      // Where a redirect leads is set aside altogether: that is no word of whoever redirected.
      if (pass.hops.length > 0 && pass.tried.length === 0) pass.outcome = null;
      return this.#conclude(pass);
    }
    const cause = pass.hops.length === 0 ? 'the name leads nowhere' : 'every next hop is set aside';
    this.#end(pass.job, nowhere(cause, this.#barredUntil(pass.hops)));
  }

  /** In a dialog with a route set only the Request-URI changes; else the target is the next hop too, without detours. */
  #follow(pass: Pass, target: RedirectTarget): void {
    const draft = pass.draft!;
    pass.tried = [];
    pass.redirected = true;
    if (draft.to.tag !== undefined && draft.routes.length > 0) {
      pass.draft = { ...draft, uri: target.uri };
      pass.hops = pass.home;
      this.#choose(pass);
      return;
    }
    pass.draft = { ...draft, uri: target.uri, routes: [] };
    pass.hops = [];
    this.#find(
      [target.route],
      (hops) => {
        pass.hops = hops;
        this.#choose(pass);
      },
      () => this.#choose(pass),
    );
  }

  // ------------------------------------------------------------------------------------------ on the wire

  /** The hop has room. */
  #granted(pass: Pass): void {
    const hop = pass.hop!;
    const now = this.#o.sip.clock.now();
    if (this.#stopped || hop.memory.openAt(now) > now) {
      // It was set aside while we waited: it keeps nobody waiting, its queue goes elsewhere, or backs off.
      hop.pacer.unused();
      this.#choose(pass);
      return;
    }
    if (pass.draft) {
      pass.draft = pass.job.redraft(pass.draft, hop.memory.hop);
      pass.cseq++;
    } else {
      pass.draft = pass.job.draft(hop.memory.hop);
      if (!pass.draft) {
        hop.pacer.unused();
        this.#leave(pass.job);
        return;
      }
      pass.cseq = pass.draft.cseq;
    }
    this.#inFlight++;
    this.#send(pass);
  }

  #send(pass: Pass): void {
    const { sip, auth } = this.#o;
    const draft = pass.draft!;
    const { hop, name } = pass.hop!.memory;
    const { method, uri, callId, from, to, routes, contact, body, binding } = draft;
    const { redirected, cseq } = pass;
    const signed = auth.sign(name, { method, uri, to: to.uri, body: body?.content ?? '', redirected });
    const sentAt = sip.clock.now();
    pass.hop!.memory.sending();
    const headers = signed.length === 0 ? draft.headers : [...draft.headers, ...signed];
    const timeoutMs = this.#timeout(pass, sentAt);
    try {
      // Field by field, because this is done for every request and a spread costs several times as much.
      sip.request(
        { method, uri, callId, cseq, from, to, routes, contact, headers, body, hop, binding, timeoutMs },
        (outcome) => this.#outcome(pass, outcome, sentAt),
      );
    } catch (error) {
      // A value that can't be written; that says nothing about the hop.
      pass.hop!.memory.unsent();
      pass.cseq--;
      this.#finish(pass, { kind: 'unreachable', cause: error as Error, sent: false });
    }
  }

  /** 64*T1, unless a hop is left that must have its turn before what the server holds runs out. */
  #timeout(pass: Pass, now: number): number | undefined {
    const { until } = pass.job;
    const left = until - now;
    const { t1 } = this.#o.policy;
    if (!(left < 64 * t1) || left <= 0) return undefined;
    const others = pass.hops.length - pass.tried.length - 1;
    return others > 0 ? Math.max(4 * t1, left / (others + 1)) : undefined;
  }

  #outcome(pass: Pass, outcome: Outcome, sentAt: number): void {
    const { sip, policy, count } = this.#o;
    const now = sip.clock.now();
    const { method } = pass.draft!;
    const { memory } = pass.hop!;
    if (outcome.kind !== 'response') {
      count(`${method} ${outcome.kind}`);
      if (outcome.kind === 'tooLarge') {
        memory.unsent();
        pass.cseq--;
        return this.#finish(pass, outcome);
      }
      if (outcome.kind === 'timeout' || outcome.sent) pass.sent = true;
      memory.silent(sentAt, now);
      return this.#elsewhere(pass, outcome);
    }
    memory.heard(now);
    pass.cseq = outcome.cseq;
    const { status, headers } = outcome;
    count(`${method} ${status}`);
    if (status < 300) return this.#finish(pass, outcome);
    if (status < 400) {
      pass.redirects ??= new Redirects(pass.draft!.uri);
      pass.redirects.offered(status, readContacts(headers));
      pass.tried = pass.hops.map((hop) => hop.memory.name);
      return this.#elsewhere(pass, outcome);
    }
    if (status === 401 || status === 407) return this.#challenged(pass, outcome);
    const seconds = readSeconds(headers.get('Retry-After')) ?? 0;
    if (status === 503 && seconds > 0) memory.bar(now + retryAfterMs(policy, seconds));
    // The Retry-After of a 503 closes the route, any other holds the record back, whatever routes there are.
    const held = seconds > 0 && honoursRetryAfter(status);
    if (responseRow(status) === 'unavailable' && !held) this.#elsewhere(pass, outcome);
    else this.#finish(pass, outcome);
  }

  #challenged(pass: Pass, outcome: Response): void {
    if (pass.challenges >= MAX_CHALLENGES || this.#stopped) return this.#finish(pass, outcome);
    const proxy = outcome.status === 407;
    const offered = outcome.headers
      .all(proxy ? 'Proxy-Authenticate' : 'WWW-Authenticate')
      .flatMap((value) => parseChallenges(value, proxy));
    pass.realms ??= new Set();
    const { name } = pass.hop!.memory;
    const verdict = this.#o.auth.challenged(name, pass.draft!.to.uri, offered, pass.realms, pass.redirected);
    if (verdict.kind !== 'answer') {
      const why = verdict.kind === 'wrong' ? 'credentials refused' : 'no usable credentials';
      const reason = `${outcome.reason} (${why} for realm "${verdict.realm}")`;
      return this.#finish(pass, { ...outcome, reason });
    }
    pass.challenges++;
    const now = this.#o.sip.clock.now();
    if (pass.hop!.memory.openAt(now) <= now && pass.hop!.pacer.again()) {
      pass.cseq++;
      this.#send(pass);
      return;
    }
    // The rate does not allow it now, so it is the next one; or a Retry-After has closed the hop meanwhile.
    pass.outcome = null;
    pass.priority = Number.NEGATIVE_INFINITY;
    this.#leaveHop(pass);
    pass.hop!.pacer.ask(pass);
  }

  /** No success here: the next hop, or the next target of a redirect, or the pass is over. */
  #elsewhere(pass: Pass, outcome: Outcome): void {
    pass.tried = [...pass.tried, pass.hop!.memory.name];
    pass.outcome = outcome;
    this.#leaveHop(pass);
    if (this.#stopped) this.#conclude(pass);
    else this.#choose(pass);
  }

  // ------------------------------------------------------------------------------------------ the end

  #leaveHop(pass: Pass): void {
    this.#inFlight--;
    pass.hop!.pacer.release();
  }

  #finish(pass: Pass, outcome: Outcome): void {
    pass.outcome = outcome;
    this.#leaveHop(pass);
    this.#conclude(pass);
  }

  #conclude(pass: Pass): void {
    const outcome = pass.outcome ?? UNSENT;
    // The process goes: the engine has given up what was on the wire. Whoever waits is told by the record.
    if (this.#stopped && outcome.kind === 'unreachable') return this.#leave(pass.job);
    const failed = outcome.kind !== 'response' || responseRow(outcome.status) === 'unavailable';
    const barredUntil = failed ? this.#barredUntil(pass.home) : 0;
    this.#end(
      pass.job,
      answerOf(outcome, pass.draft!.method, pass.sent, barredUntil, pass.cseq),
      pass.hop?.memory.name,
    );
  }

  #end(job: Job, answer: Answer, hop = ''): void {
    this.#leave(job);
    job.answered(answer, hop);
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
}

const UNSENT: Outcome = { kind: 'unreachable', cause: new Error('every next hop is set aside'), sent: false };

const nowhere = (cause: string, barredUntil: number): Answer => ({
  kind: 'unreachable',
  cause,
  sent: false,
  barredUntil,
  cseq: 0,
});
