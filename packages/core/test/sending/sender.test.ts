/** The layers of the sender over a fake engine: gate -> route -> pacing -> credentials -> failover. */
import type { Answer } from '../../dist/policy/answer.js';
import { Authenticator } from '../../dist/policy/auth.js';
import { DIGEST_ALGORITHMS } from '../../dist/policy/digest.js';
import { DEFAULT_POLICY } from '../../dist/policy/policy.js';
import type { Hop } from '../../dist/ports/sip.js';
import type { Draft, Job } from '../../dist/sending/job.js';
import { Sender } from '../../dist/sending/sender.js';
import { settled } from '../support/clock';
import { FakeSip, hop } from '../support/sip';

class TestJob implements Job {
  readonly answers: Answer[] = [];
  readonly hops: Hop[] = [];
  priority = 0;
  until = Number.POSITIVE_INFINITY;
  heldAt = '';
  answeredBy = '';
  toTag: string | undefined;
  routeSet: readonly string[] = [];
  /** Nothing to send any more. */
  empty = false;
  cseq = 1;
  uris: readonly string[] = ['sip:proxy'];
  uri = 'sip:alice@example.com';
  onAnswered: (() => void) | undefined;

  constructor(
    readonly gateKey = '',
    readonly method = 'PUBLISH',
  ) {}

  routes(): readonly string[] {
    return this.uris;
  }

  draft(to: Hop): Draft | null {
    this.hops.push(to);
    if (this.empty) return null;
    return {
      method: this.method,
      uri: this.uri,
      callId: 'c',
      cseq: this.cseq,
      from: { uri: 'sip:alice@example.com', tag: 't' },
      to: { uri: 'sip:alice@example.com', ...(this.toTag === undefined ? {} : { tag: this.toTag }) },
      routes: this.routeSet,
      headers: [['Event', 'presence']],
    };
  }

  redraft(draft: Draft): Draft {
    return draft;
  }

  answered(answer: Answer, by: string): void {
    this.answeredBy = by;
    this.answers.push(answer);
    this.onAnswered?.();
  }

  get answer(): Answer {
    expect(this.answers).toHaveLength(1);
    return this.answers[0]!;
  }
}

const ANYONE = [{ realm: '*', username: 'alice', password: 'secret' }];

function make(ceiling = { perSecond: 0, inFlight: 1_000 }, credentials = ANYONE) {
  const sip = new FakeSip();
  sip.hosts.set('sip:proxy', [hop('one'), hop('two')]);
  const counts: Record<string, number> = {};
  const sender = new Sender({
    sip,
    policy: DEFAULT_POLICY,
    auth: new Authenticator(credentials, DIGEST_ALGORITHMS, sip.random),
    ceiling,
    count: (what) => {
      counts[what] = (counts[what] ?? 0) + 1;
    },
  });
  const ask = (job = new TestJob()) => {
    sender.ask(job);
    return job;
  };
  const hosts = () => sip.sent.map(({ request }) => request.hop.host);
  /** Everything is at rest: nothing in flight, nothing queued, no gate held. */
  const idle = () => {
    expect([sender.inFlight, sender.queued, sender.gates]).toEqual([0, 0, 0]);
    for (const { pacer } of sender.hops()) expect([pacer.inFlight, pacer.queued]).toEqual([0, 0]);
  };
  return { sip, sender, counts, ask, hosts, idle };
}

const DIGEST: [string, string] = ['WWW-Authenticate', 'Digest realm="r", nonce="n", qop="auth"'];

test('one request, one answer', () => {
  const { sip, ask, idle, counts } = make();
  const job = ask();
  sip.last.reply(200, [
    ['SIP-ETag', 'e'],
    ['Expires', '60'],
  ]);
  expect(job.answer).toMatchObject({ kind: 'response', status: 200, etag: 'e', expires: 60, cseq: 1, barredUntil: 0 });
  expect(counts).toEqual({ 'PUBLISH 200': 1 });
  idle();
});

describe('gate', () => {
  test('requests of one key go one after the other, others beside them', () => {
    const { sip, ask, idle } = make();
    const first = ask(new TestJob('a'));
    const second = ask(new TestJob('a'));
    ask(new TestJob('b'));
    expect([first, second].map(({ hops }) => hops.length)).toEqual([1, 0]);
    sip.sent[0]!.reply(200);
    expect(second.hops).toHaveLength(1);
    sip.sent[1]!.reply(200);
    sip.sent[2]!.reply(200);
    idle();
  });

  test('a record that asks again at its answer stands behind the others', () => {
    const { sip, ask, sender } = make();
    const first = new TestJob('a');
    first.onAnswered = () => first.answers.length < 2 && sender.ask(first);
    ask(first);
    const second = ask(new TestJob('a'));
    sip.sent[0]!.reply(200);
    expect([first.hops.length, second.hops.length]).toEqual([1, 1]);
    sip.sent[1]!.reply(200);
    expect(first.hops).toHaveLength(2);
  });

  test('10 000 that wait for one key and have nothing to send any more are no recursion', () => {
    const { sip, ask, idle } = make();
    ask(new TestJob('a'));
    for (let i = 0; i < 10_000; i++) ask(new TestJob('a')).empty = true;
    sip.last.reply(200);
    idle();
  });

  test('10 000 that wait for one key when the hop dies are no recursion', () => {
    const { sip, ask, idle } = make();
    sip.hosts.set('sip:proxy', [hop('one')]);
    ask(new TestJob('a'));
    const jobs = Array.from({ length: 10_000 }, () => ask(new TestJob('a')));
    sip.last.timeout();
    idle();
    expect(jobs.every(({ answers }) => answers.length === 1)).toBe(true);
  });
});

describe('routes', () => {
  test('a name that is resolved later', async () => {
    const { sip, ask } = make();
    sip.hosts.set('sip:slow', Promise.resolve([hop('late')]));
    const job = new TestJob();
    job.uris = ['sip:slow'];
    ask(job);
    expect(job.hops).toEqual([]);
    await settled();
    expect(job.hops).toEqual([hop('late')]);
  });

  test.each([
    ['throws', () => new Error('unreadable')],
    ['rejects', () => Promise.reject(new Error('unreadable'))],
  ])('resolve() %s: told, and the gate is open again', async (_name, failure) => {
    const { sip, ask, idle } = make();
    sip.hosts.set('sip:bad', failure());
    const job = new TestJob('a');
    job.uris = ['sip:bad'];
    ask(job);
    await settled();
    expect(job.answer).toMatchObject({ kind: 'unreachable', cause: 'unreadable', sent: false });
    idle();
  });

  test('what the engine resolves is asked for each time: its weights and lifetimes count', () => {
    const { sip, ask, hosts } = make();
    ask();
    sip.hosts.set('sip:proxy', [hop('two'), hop('one')]);
    ask();
    expect(hosts()).toEqual(['one', 'two']);
  });

  test('a list of proxies whose names are known is no detour', () => {
    const { sip, hosts, sender } = make();
    sip.hosts.set('sip:other', [hop('three')]);
    const job = new TestJob();
    job.uris = ['sip:proxy', 'sip:other'];
    sender.ask(job);
    expect(hosts()).toEqual(['one']);
  });

  test('a name that leads nowhere', () => {
    const { sip, ask, idle } = make();
    sip.hosts.set('sip:proxy', []);
    expect(ask().answer).toMatchObject({ kind: 'unreachable', cause: 'the name leads nowhere', sent: false });
    idle();
  });

  test('a list of proxies is one route, in its order and without doubles', async () => {
    const { sip, ask, hosts } = make();
    sip.hosts.set('sip:a', [hop('one'), hop('two')]);
    sip.hosts.set('sip:b', [hop('two'), hop('three')]);
    const job = new TestJob();
    job.uris = ['sip:a', 'sip:b'];
    ask(job);
    await settled();
    sip.last.unreachable();
    sip.last.unreachable();
    sip.last.unreachable();
    expect(hosts()).toEqual(['one', 'two', 'three']);
    expect(job.answers).toHaveLength(1);
  });

  test.each([
    ['throws', () => new Error('unreadable')],
    ['rejects', () => Promise.reject(new Error('unreadable'))],
  ])('one proxy of a list whose name %s does not keep the others from being used', async (_name, failure) => {
    const { sip, ask, hosts } = make();
    sip.hosts.set('sip:bad', failure());
    const job = new TestJob();
    job.uris = ['sip:bad', 'sip:proxy'];
    ask(job);
    await settled();
    expect(hosts()).toEqual(['one']);
  });
});

describe('failover', () => {
  /*
   *   PUBLISH -> one     (silence)     PUBLISH -> two     200 <-
   */
  test('a dead first hop: the second is used, with the next CSeq', () => {
    const { sip, ask, hosts, idle } = make();
    const job = ask();
    sip.last.timeout();
    sip.last.reply(200);
    expect(hosts()).toEqual(['one', 'two']);
    expect(sip.sent.map(({ request }) => request.cseq)).toEqual([1, 2]);
    expect(job.answer).toMatchObject({ status: 200, cseq: 2 });
    idle();
    ask();
    expect(hosts()).toEqual(['one', 'two', 'two']);
  });

  /*
   *   PUBLISH -> one     503 Retry-After: 30 <-     PUBLISH -> two
   */
  test('503 with Retry-After: the second hop at once, the first not before its time', () => {
    const { sip, ask, hosts } = make();
    const job = ask();
    sip.last.reply(503, [['Retry-After', '30']]);
    sip.last.reply(200);
    expect(job.answer).toMatchObject({ status: 200 });
    sip.clock.advance(29_000);
    ask();
    sip.clock.advance(1_000);
    ask();
    expect(hosts()).toEqual(['one', 'two', 'two', 'one']);
  });

  test.each([408, 500, 502, 504, 580])('%i: the next hop, but the first stays open', (status) => {
    const { sip, ask, hosts } = make();
    ask();
    sip.last.reply(status);
    sip.last.reply(200);
    ask();
    expect(hosts()).toEqual(['one', 'two', 'one']);
  });

  test.each([302, 400, 403, 404, 412, 423, 481, 489, 501, 505, 513, 600, 603])('%i ends the pass', (status) => {
    const { sip, ask, hosts, idle } = make();
    const job = ask();
    sip.last.reply(status);
    expect(hosts()).toEqual(['one']);
    expect(job.answer).toMatchObject({ status });
    idle();
  });

  test('500 with Retry-After ends the pass: it holds the record back, not the route', () => {
    const { sip, ask, hosts, idle } = make();
    const job = ask();
    sip.last.reply(500, [['Retry-After', '20']]);
    expect(job.answer).toMatchObject({ status: 500, retryAfter: 20, barredUntil: 0 });
    ask();
    sip.last.reply(500, [['Retry-After', '0']]);
    sip.last.reply(200);
    expect(hosts()).toEqual(['one', 'one', 'two']);
    idle();
  });

  test('every hop barred: told with the time when the first one opens; nothing goes out before', () => {
    const { sip, ask, hosts, idle } = make();
    const job = ask();
    sip.last.reply(503, [['Retry-After', '60']]);
    sip.last.reply(503, [['Retry-After', '30']]);
    expect(job.answer).toMatchObject({ status: 503, barredUntil: sip.clock.now() + 30_000 });
    const next = ask();
    expect(next.answer).toMatchObject({ kind: 'unreachable', sent: false, barredUntil: sip.clock.now() + 30_000 });
    expect(hosts()).toEqual(['one', 'two']);
    idle();
  });

  test('an absurd Retry-After is capped', () => {
    const { sip, ask } = make();
    sip.hosts.set('sip:proxy', [hop('one')]);
    const job = ask();
    sip.last.reply(503, [['Retry-After', '99999999']]);
    expect(job.answer.barredUntil).toBe(sip.clock.now() + DEFAULT_POLICY.retryAfterCap);
  });

  test('a hop that is barred while a request waits for it is passed by', () => {
    const { sip, ask, hosts, idle } = make({ perSecond: 0, inFlight: 1 });
    ask();
    ask();
    sip.last.reply(503, [['Retry-After', '60']]);
    sip.last.reply(200);
    sip.last.reply(200);
    expect(hosts()).toEqual(['one', 'two', 'two']);
    idle();
  });

  test('503 without Retry-After bars nothing', () => {
    const { sip, ask } = make();
    const job = ask();
    sip.last.reply(503);
    sip.last.reply(503);
    expect(job.answer).toMatchObject({ status: 503, barredUntil: 0 });
  });

  test('what one hop holds goes there while it is open, and elsewhere when it is not', () => {
    const { sip, ask, hosts } = make();
    const job = () => Object.assign(new TestJob(), { heldAt: 'udp:two:5060' });
    const first = ask(job());
    sip.last.reply(200);
    expect([hosts(), first.answeredBy]).toEqual([['two'], 'udp:two:5060']);
    ask(job());
    sip.last.reply(503, [['Retry-After', '60']]);
    sip.last.reply(200);
    ask(job());
    expect(hosts()).toEqual(['two', 'two', 'one', 'one']);
  });

  test('a dialog keeps its CSeq count although the last answer never came', () => {
    const { sip, ask } = make();
    const job = new TestJob('', 'SUBSCRIBE');
    job.cseq = 7;
    ask(job);
    sip.last.reply(401, [DIGEST]);
    sip.last.unreachable(true);
    sip.last.unreachable(true);
    expect(sip.sent.map(({ request }) => request.cseq)).toEqual([7, 8, 9]);
    expect(job.answer).toMatchObject({ kind: 'unreachable', cseq: 9 });
  });

  test('nothing was ever sent: no CSeq was used', () => {
    const { sip, ask } = make();
    sip.hosts.set('sip:proxy', []);
    expect(ask().answer.cseq).toBe(0);
  });

  test('a hop that answered others meanwhile is not set aside by one silence', () => {
    const { sip, ask, hosts } = make();
    ask();
    sip.clock.advance(10_000);
    ask();
    sip.sent[1]!.reply(200);
    sip.clock.advance(22_000);
    sip.sent[0]!.timeout();
    ask();
    expect(hosts()).toEqual(['one', 'one', 'two', 'one']);
  });

  test('who waits for a hop that is set aside goes elsewhere, and the ceiling holds there too', () => {
    const { sip, ask, hosts, sender, idle } = make({ perSecond: 0, inFlight: 1 });
    const jobs = [ask(), ask(), ask()];
    expect(hosts()).toEqual(['one']);
    sip.sent[0]!.timeout();
    for (let n = 1; n <= 3; n++) {
      expect(hosts()).toEqual(['one', ...Array(n).fill('two')]);
      expect([sender.inFlight, sender.queued]).toEqual([1, 3 - n]);
      sip.last.reply(200);
    }
    expect(jobs.map(({ answers }) => answers.length)).toEqual([1, 1, 1]);
    idle();
  });

  test('the second hop is set aside while the request waits for it: the first failure is the answer', () => {
    const { sip, ask, hosts, idle } = make({ perSecond: 0, inFlight: 1 });
    sip.hosts.set('sip:only', [hop('two')]);
    const busy = new TestJob();
    busy.uris = ['sip:only'];
    ask(busy);
    const job = ask();
    sip.sent[1]!.reply(500, [], 'Broken');
    sip.sent[0]!.timeout();
    expect(job.answer).toMatchObject({ kind: 'response', status: 500, reason: 'Broken', cseq: 1 });
    expect(hosts()).toEqual(['two', 'one']);
    idle();
  });
});

describe('what is the fault of the request is not the fault of the hop', () => {
  const single = () => {
    const all = make();
    all.sip.hosts.set('sip:proxy', [hop('one')]);
    return all;
  };

  test('request() throws', () => {
    const { sip, ask, hosts, idle } = single();
    sip.onSent = () => {
      sip.onSent = undefined;
      throw new Error('a value with CR');
    };
    expect(ask().answer).toMatchObject({ kind: 'unreachable', cause: 'a value with CR', sent: false, barredUntil: 0 });
    idle();
    ask();
    expect(hosts()).toEqual(['one']);
  });

  test('too large', () => {
    const { sip, ask, hosts, counts } = single();
    const job = ask();
    sip.last.done({ kind: 'tooLarge', limit: 1300 });
    expect(job.answer).toMatchObject({ status: 513, barredUntil: 0 });
    expect(counts).toEqual({ 'PUBLISH tooLarge': 1 });
    ask();
    expect(hosts()).toEqual(['one', 'one']);
  });

  test.each([
    ['throws', false],
    ['is too large', true],
  ])('a probe that %s leaves the next one to probe', (_name, large) => {
    const { sip, ask, hosts } = single();
    ask();
    sip.last.timeout();
    sip.clock.advance(1_000);
    if (!large)
      sip.onSent = () => {
        sip.onSent = undefined;
        throw new Error('a value with CR');
      };
    ask();
    if (large) sip.last.done({ kind: 'tooLarge', limit: 1300 });
    const sent = hosts().length;
    ask();
    expect(hosts()).toHaveLength(sent + 1);
  });
});

describe('credentials', () => {
  test('a challenge is answered in the same operation: Call-ID and tag stay, CSeq + 1', () => {
    const { sip, ask, idle } = make();
    const job = ask();
    sip.last.reply(401, [DIGEST]);
    sip.last.reply(200);
    const [first, second] = sip.sent.map(({ request }) => request);
    expect(second).toMatchObject({ callId: first!.callId, from: first!.from, cseq: 2, hop: first!.hop });
    expect(sip.last.header('Authorization')).toContain('username="alice"');
    expect(job.answer).toMatchObject({ status: 200, cseq: 2 });
    idle();
    ask();
    expect(sip.last.header('Authorization')).toContain('nc=00000002');
  });

  test('a request in a dialog goes to the remote target: the challenge to the first request will do', () => {
    const { sip, ask } = make();
    ask();
    sip.last.reply(407, [['Proxy-Authenticate', 'Digest realm="p", nonce="n", qop="auth"']]);
    sip.last.reply(200);
    const inDialog = new TestJob();
    inDialog.uri = 'sip:192.0.2.7:5070';
    ask(inDialog);
    expect(sip.last.header('Proxy-Authorization')).toMatch(/uri="sip:192\.0\.2\.7:5070".*nc=00000002/);
  });

  test('at most three challenges are answered', () => {
    const { sip, ask, idle } = make();
    const job = ask();
    sip.hosts.set('sip:proxy', [hop('one')]);
    for (let n = 0; n < 4; n++) sip.last.reply(401, [[DIGEST[0], `${DIGEST[1]}, stale=true`]]);
    expect(sip.sent).toHaveLength(4);
    expect(job.answer).toMatchObject({ status: 401 });
    idle();
  });

  test('wrong credentials: one try', () => {
    const { sip, ask } = make();
    const job = ask();
    sip.last.reply(401, [DIGEST]);
    sip.last.reply(401, [DIGEST], 'Unauthorized');
    expect(sip.sent).toHaveLength(2);
    expect(job.answer).toMatchObject({ status: 401, reason: 'Unauthorized (credentials refused for realm "r")' });
  });

  test('401 without a challenge that can be answered', () => {
    const { sip, ask } = make();
    const job = ask();
    sip.last.reply(401, [['WWW-Authenticate', 'Basic realm="r"']]);
    expect(job.answer).toMatchObject({ status: 401, reason: 'reason 401 (no usable credentials for realm "")' });
  });

  test('407 and then 401: both are in the last request', () => {
    const { sip, ask } = make();
    ask();
    sip.last.reply(407, [['Proxy-Authenticate', 'Digest realm="p", nonce="np", qop="auth"']]);
    sip.last.reply(401, [DIGEST]);
    expect(sip.last.header('Authorization')).toContain('realm="r"');
    expect(sip.last.header('Proxy-Authorization')).toContain('realm="p"');
    expect(sip.last.request.cseq).toBe(3);
  });
});

describe('a hop that closes while somebody has business with it', () => {
  const RETRY: [string, string] = ['Retry-After', '30'];

  /*
   *   PUBLISH A -> one     PUBLISH B -> one     503 Retry-After: 30 <- (A)     401 <- (B)     PUBLISH B -> two
   */
  test('the answer to a challenge does not go there before its Retry-After either', () => {
    const { sip, ask, hosts, idle } = make();
    ask();
    const challenged = ask();
    sip.sent[0]!.reply(503, [RETRY]);
    sip.sent[2]!.reply(200);
    sip.sent[1]!.reply(401, [DIGEST]);
    expect(hosts()).toEqual(['one', 'one', 'two', 'two']);
    sip.last.reply(200);
    expect(challenged.answer).toMatchObject({ status: 200, cseq: 2 });
    idle();
  });

  test('... and with no other hop it waits for that time', () => {
    const { sip, ask, hosts, idle } = make();
    sip.hosts.set('sip:proxy', [hop('one')]);
    ask();
    const challenged = ask();
    sip.sent[0]!.reply(503, [RETRY]);
    sip.sent[1]!.reply(401, [DIGEST]);
    expect(hosts()).toEqual(['one', 'one']);
    expect(challenged.answer).toMatchObject({ kind: 'unreachable', barredUntil: sip.clock.now() + 30_000 });
    idle();
  });

  test.each([
    ['silence', (sip: FakeSip) => sip.last.timeout()],
    ['a Retry-After', (sip: FakeSip) => sip.last.reply(503, [RETRY])],
  ])('100 000 that wait for it leave in portions: %s', (_name, close) => {
    const { sip, ask, sender, idle } = make({ perSecond: 0, inFlight: 1 });
    sip.hosts.set('sip:proxy', [hop('one')]);
    ask();
    const jobs = Array.from({ length: 100_000 }, () => ask());
    close(sip);
    expect(sender.queued).toBeGreaterThan(99_000);
    sip.clock.advance(250);
    idle();
    expect(jobs.every(({ answers }) => answers.length === 1)).toBe(true);
    expect(sip.clock.pending).toBe(0);
  });

  test('under a rate they do not wait for it', () => {
    const { sip, ask, hosts, idle } = make({ perSecond: 1, inFlight: 10 });
    sip.hosts.set('sip:proxy', [hop('one')]);
    ask();
    const jobs = Array.from({ length: 100 }, () => ask());
    sip.last.reply(503, [RETRY]);
    sip.clock.advance(3_000);
    expect(hosts()).toEqual(['one']);
    expect(jobs.every(({ answers }) => answers.length === 1)).toBe(true);
    idle();
  });
});

test('a request that may have arrived at one hop is not called unsent because the next one was not reached', () => {
  const { sip, ask } = make();
  const job = ask();
  sip.last.timeout();
  sip.last.unreachable(false);
  expect(job.answer).toMatchObject({ kind: 'unreachable', cause: 'no route', sent: true });
});

describe('stop', () => {
  test('nothing goes out any more, what is on the wire is answered', () => {
    const { sip, ask, sender, hosts } = make();
    const job = ask();
    sender.stop();
    ask();
    sip.last.timeout();
    expect(hosts()).toEqual(['one']);
    expect(job.answer).toMatchObject({ kind: 'unreachable' });
  });
});

describe('redirects', () => {
  const contact = (...uris: string[]): [string, string][] => uris.map((uri) => ['Contact', `<${uri}>`]);
  const uris = (sip: FakeSip) => sip.sent.map(({ request }) => request.uri);

  /*
   *   PUBLISH alice -> one     302 Contact: bob@b <-     PUBLISH bob@b -> b     200 <-
   */
  test('followed: same Call-ID, tag and To, next CSeq, the target as Request-URI and next hop', () => {
    const { sip, ask, hosts, idle, counts } = make();
    const job = ask();
    sip.last.reply(302, contact('sip:bob@b'));
    sip.last.reply(200);
    const [first, second] = sip.sent.map(({ request }) => request);
    expect(second).toMatchObject({
      callId: first!.callId,
      from: first!.from,
      to: first!.to,
      cseq: 2,
      uri: 'sip:bob@b',
    });
    expect(hosts()).toEqual(['one', 'b']);
    expect(job.answer).toMatchObject({ status: 200, cseq: 2 });
    expect(counts).toEqual({ 'PUBLISH 302': 1, 'PUBLISH 200': 1 });
    idle();
    ask();
    expect(hosts()).toEqual(['one', 'b', 'one']);
  });

  test('in a dialog its route set rules: only the Request-URI changes', () => {
    const { sip, ask, hosts } = make();
    const job = new TestJob('', 'SUBSCRIBE');
    job.toTag = 'remote';
    job.routeSet = ['<sip:proxy;lr>'];
    ask(job);
    sip.last.reply(302, contact('sip:moved@elsewhere'));
    expect(hosts()).toEqual(['one', 'one']);
    expect(sip.last.request).toMatchObject({ uri: 'sip:moved@elsewhere', routes: ['<sip:proxy;lr>'] });
  });

  test('outside a dialog a preloaded route is left behind with the proxy it leads through', () => {
    const { sip, ask, hosts } = make();
    const job = new TestJob('', 'SUBSCRIBE');
    job.routeSet = ['<sip:proxy;lr>'];
    ask(job);
    sip.last.reply(302, contact('sip:moved@elsewhere'));
    expect(hosts()).toEqual(['one', 'elsewhere']);
    expect(sip.last.request).toMatchObject({ uri: 'sip:moved@elsewhere', routes: [] });
  });

  test('a target that fails: the next one; the last failure is the answer', () => {
    const { sip, ask, hosts, idle } = make();
    const job = ask();
    sip.last.reply(300, contact('sip:x@b', 'sip:x@c', 'sip:x@d'));
    sip.last.timeout();
    sip.last.reply(503);
    sip.last.reply(500, [], 'Broken');
    expect(hosts()).toEqual(['one', 'b', 'c', 'd']);
    expect(job.answer).toMatchObject({ status: 500, reason: 'Broken', cseq: 4, barredUntil: 0 });
    idle();
  });

  test('a circle ends, at most five are followed', () => {
    const { sip, ask, idle } = make();
    const job = ask();
    for (let n = 0; n < 5; n++) sip.last.reply(302, contact(`sip:${n}@b`, 'sip:alice@example.com', 'sip:0@b'));
    expect(uris(sip)).toEqual(['sip:alice@example.com', ...[0, 1, 2, 3, 4].map((n) => `sip:${n}@b`)]);
    sip.last.reply(302, contact('sip:9@b'));
    expect(sip.sent).toHaveLength(6);
    expect(job.answer).toMatchObject({ status: 302, cseq: 6 });
    idle();
  });

  test.each([[[]], [contact('tel:+4930')], [[['Contact', '*']]]])('no Contact to follow: told as it is', (headers) => {
    const { sip, ask, idle } = make();
    const job = ask();
    sip.last.reply(302, headers as [string, string][], 'Moved');
    expect(sip.sent).toHaveLength(1);
    expect(job.answer).toMatchObject({ status: 302, reason: 'Moved' });
    idle();
  });

  test('a target whose name leads nowhere, and one that can not be read', async () => {
    const { sip, ask, hosts, idle } = make();
    sip.hosts.set('sip:x@nowhere', []);
    sip.hosts.set('sip:x@bad', Promise.reject(new Error('unreadable')));
    const job = ask();
    sip.last.reply(302, contact('sip:x@nowhere', 'sip:x@bad', 'sip:x@good'));
    await settled();
    sip.last.reply(200);
    expect(hosts()).toEqual(['one', 'good']);
    expect(job.answer).toMatchObject({ status: 200 });
    idle();
  });

  test('a target that is set aside: nothing goes there before its time, and it is no refusal', () => {
    const { sip, ask, hosts } = make();
    ask();
    sip.last.reply(302, contact('sip:x@b'));
    sip.last.reply(503, [['Retry-After', '60']]);
    const job = ask();
    sip.last.reply(302, contact('sip:x@b'));
    expect(hosts()).toEqual(['one', 'b', 'one']);
    expect(job.answer).toMatchObject({ kind: 'unreachable', cause: 'every next hop is set aside', barredUntil: 0 });
  });

  test('credentials for any realm never go to a redirect target, neither on demand nor unasked', () => {
    const { sip, ask } = make();
    // The target is known from a request of our own, with a nonce in memory.
    sip.hosts.set('sip:x@two', [hop('two')]);
    const before = new TestJob();
    before.uris = ['sip:x@two'];
    ask(before);
    sip.last.reply(401, [DIGEST]);
    sip.last.reply(200);
    const job = ask();
    sip.last.reply(302, contact('sip:x@two'));
    expect(sip.last.header('Authorization')).toBeUndefined();
    sip.last.reply(401, [DIGEST]);
    expect(sip.last.header('Authorization')).toBeUndefined();
    expect(job.answer).toMatchObject({ status: 401, reason: expect.stringContaining('no usable credentials') });
  });

  test('credentials for the realm itself do', () => {
    const { sip, ask } = make(undefined, [{ realm: 'r', username: 'alice', password: 'secret' }]);
    ask();
    sip.last.reply(302, contact('sip:x@b'));
    sip.last.reply(401, [DIGEST]);
    expect(sip.last.header('Authorization')).toContain('username="alice"');
    expect(sip.last.request).toMatchObject({ uri: 'sip:x@b', cseq: 3 });
  });
});

describe('time', () => {
  test('what runs out is not risked at a silent hop while another is left', () => {
    const { sip, ask } = make();
    const job = new TestJob();
    job.until = sip.clock.now() + 20_000;
    ask(job);
    expect(sip.last.request.timeoutMs).toBe(10_000);
    sip.last.timeout();
    expect(sip.last.request.timeoutMs).toBeUndefined();
  });

  test.each([
    ['there is time', 40_000],
    ['nothing is held', Number.POSITIVE_INFINITY],
    ['it is over already', -1],
  ])('%s: 64*T1', (_name, left) => {
    const { sip, ask } = make();
    const job = new TestJob();
    job.until = sip.clock.now() + left;
    ask(job);
    expect(sip.last.request.timeoutMs).toBeUndefined();
  });

  test('the answer to a challenge keeps to the ceiling, before all others', () => {
    const { sip, ask, hosts, idle } = make({ perSecond: 1, inFlight: 10 });
    sip.hosts.set('sip:proxy', [hop('one')]);
    const first = ask();
    ask();
    sip.last.reply(401, [DIGEST]);
    expect(hosts()).toHaveLength(1);
    sip.clock.advance(2_000);
    expect(sip.sent[1]!.header('Authorization')).toContain('username="alice"');
    expect(sip.sent[1]!.request.cseq).toBe(2);
    sip.sent[1]!.reply(200);
    expect(first.answer).toMatchObject({ status: 200 });
    sip.clock.advance(2_000);
    sip.last.reply(200);
    idle();
  });
});

test('hops that nothing is known of any more are forgotten', () => {
  const { sip, ask, sender } = make();
  const send = (host: string) => {
    const job = new TestJob();
    job.uris = [`sip:${host}`];
    return ask(job);
  };
  send('dead');
  sip.last.timeout();
  send('busy');
  for (let n = 0; n < 5_000; n++) {
    send(`h${n}`);
    sip.last.reply(200);
  }
  const known = [...sender.hops()].map(({ memory }) => memory.hop.host);
  expect(known.length).toBeLessThan(1_100);
  expect(known).toEqual(expect.arrayContaining(['dead', 'busy']));
});

test('a list that is resolved while they are forgotten is not', () => {
  const { sip, ask, sender } = make();
  const send = (uri: string) => {
    const job = new TestJob();
    job.uris = [uri];
    ask(job);
    sip.last.reply(200);
  };
  for (let n = 0; n < 999; n++) send(`sip:h${n}`);
  sip.hosts.set('sip:both', [hop('left'), hop('right')]);
  send('sip:both');
  const known = [...sender.hops()].map(({ memory }) => memory.hop.host);
  expect(known).toEqual(expect.arrayContaining(['left', 'right']));
});

test('a dead hop that nobody has tried for long is forgotten with the others', () => {
  const { sip, ask, sender } = make();
  const send = (host: string) => {
    const job = new TestJob();
    job.uris = [`sip:${host}`];
    ask(job);
    sip.last.timeout();
  };
  for (let n = 0; n < 5_000; n++) {
    send(`h${n}`);
    sip.clock.advance(1_000);
  }
  expect([...sender.hops()].length).toBeLessThan(2_100);
});

test('after stop() an answer is told, what the engine gives up is not', () => {
  const { sip, ask, sender } = make();
  const [answered, given] = [ask(), ask()];
  sender.stop();
  sip.sent[0]!.reply(200);
  sip.sent[1]!.unreachable(true);
  expect(answered.answer).toMatchObject({ status: 200 });
  expect(given.answers).toEqual([]);
});
