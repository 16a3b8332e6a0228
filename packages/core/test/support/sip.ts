/** A SipPort that keeps what is asked of it; answers come from the test. */
import type {
  Headers,
  HeaderView,
  Hop,
  IncomingRequest,
  Outcome,
  OutgoingRequest,
  SipPort,
} from '../../dist/ports/sip.js';
import { FakeClock, FakeRandom } from './clock';

export function headerView(pairs: Headers): HeaderView {
  const all = (name: string) => pairs.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  return { get: (name) => all(name)[0], all };
}

export function response(status: number, headers: Headers = [], cseq = 0, reason = `reason ${status}`): Outcome {
  return { kind: 'response', status, reason, headers: headerView(headers), cseq };
}

export const hop = (host: string, port = 5060): Hop => ({ transport: 'udp', host, port });

export interface Sent {
  readonly request: OutgoingRequest;
  readonly at: number;
  answered: boolean;
  /** Value of a header that went out. */
  header(name: string): string | undefined;
  /** Answers it with the CSeq it was sent with. */
  reply(status: number, headers?: Headers, reason?: string): void;
  done(outcome: Outcome): void;
  timeout(): void;
  unreachable(sent?: boolean): void;
}

/** What came of an incoming request. */
export interface Received {
  readonly replies: { status: number; headers: Headers }[];
  passed: boolean;
}

export class FakeSip implements SipPort {
  readonly clock = new FakeClock();
  readonly random = new FakeRandom();
  readonly maxMessageBytes = 65_000;
  readonly sent: Sent[] = [];
  /** Hosts by URI; others resolve to one hop of their host part. */
  readonly hosts = new Map<string, readonly Hop[] | Error | Promise<readonly Hop[]>>();
  /** Called for each request before it is kept; may throw, may answer. */
  onSent: ((sent: Sent) => void) | undefined;
  onRequest: ((request: IncomingRequest) => void) | undefined;
  startError: Error | undefined;
  stops = 0;
  ownHost = '10.0.0.1';

  async start(onRequest: (request: IncomingRequest) => void): Promise<void> {
    if (this.startError) throw this.startError;
    this.onRequest = onRequest;
  }

  async stop(): Promise<void> {
    this.stops++;
    for (const sent of this.sent) if (!sent.answered) sent.unreachable(true);
  }

  resolve(uri: string): readonly Hop[] | Promise<readonly Hop[]> {
    const known = this.hosts.get(uri);
    if (known instanceof Error) throw known;
    return known ?? [hop(/^sips?:(?:[^@]*@)?([^;:?]*)/.exec(uri)?.[1] ?? 'unknown')];
  }

  contact(user: string, _hop: Hop): string {
    return `sip:${user}@${this.ownHost}`;
  }

  isOwnContact(uri: string): boolean {
    return uri.endsWith(`@${this.ownHost}`);
  }

  request(request: OutgoingRequest, done: (outcome: Outcome) => void): void {
    const once = (outcome: Outcome) => {
      if (sent.answered) throw new Error('answered twice');
      sent.answered = true;
      done(outcome);
    };
    const sent: Sent = {
      request,
      at: this.clock.now(),
      answered: false,
      header: (name) => headerView(request.headers).get(name),
      reply: (status, headers, reason) => once(response(status, headers, request.cseq, reason)),
      done: once,
      timeout: () => once({ kind: 'timeout', cseq: request.cseq }),
      unreachable: (wasSent = false) => once({ kind: 'unreachable', cause: new Error('no route'), sent: wasSent }),
    };
    this.onSent?.(sent);
    this.sent.push(sent);
  }

  unbound: (binding: string) => void = () => {};

  onUnbound(listener: (binding: string) => void): void {
    this.unbound = listener;
  }

  /** The newest request. */
  get last(): Sent {
    const last = this.sent.at(-1);
    if (!last) throw new Error('nothing was sent');
    return last;
  }

  /** A request comes in. */
  receive(method: string, headers: Headers, body?: { type: string; text: string }): Received {
    const received: Received = { replies: [], passed: false };
    const bytes = new TextEncoder().encode(body?.text ?? '');
    this.onRequest!({
      method,
      uri: 'sip:us@10.0.0.1',
      headers: headerView(headers),
      ...(body ? { body: { type: body.type, bytes, text: () => body.text } } : {}),
      source: hop('10.0.0.9'),
      reply: (status, extra = []) => void received.replies.push({ status, headers: extra }),
      pass: () => {
        received.passed = true;
      },
    });
    return received;
  }
}
