/** What a server sees of a PUA that is killed again and again: in flight at most once per record, CSeqs that only rise. */
import { parseMessage } from '@pua/sip';

interface Dialog {
  readonly fromTag: string;
  cseq: number;
  /** Life in which it was used last, and its requests in that life. */
  life: number;
  requests: number;
}

interface InFlight {
  readonly record: string;
  readonly life: number;
}

const RAISE = 1000;
const branchOf = (via: string | undefined) => /branch=([^;,\s]+)/.exec(via ?? '')?.[1] ?? '';
const tagOf = (value: string | undefined) => /;\s*tag=([^;]+)/.exec(value ?? '')?.[1] ?? '';
export const userOf = (uri: string): string => /^(?:sip:)?([^@]+)@/.exec(uri)?.[1] ?? uri;

export class Wire {
  readonly violations: string[] = [];
  /** Counts the starts of the PUA. */
  life = 0;
  /** Requests, retransmissions not counted. */
  requests = 0;
  /** CSeqs that went on after a kill. */
  jumps = 0;
  /** Entity-tags by the user they were given for, with the time. */
  readonly etags = new Map<string, { readonly user: string; readonly at: number }>();
  readonly #inFlight = new Map<string, InFlight>();
  readonly #branches = new Set<string>();
  readonly #dialogs = new Map<string, Dialog>();
  readonly #users = new Map<string, string>();

  received(data: Uint8Array): void {
    const message = parseMessage(data);
    if (message.kind !== 'request') return;
    const { method, uri, headers } = message;
    const branch = branchOf(headers.get('Via'));
    if (this.#branches.has(branch)) return;
    this.#branches.add(branch);
    this.requests++;
    // In a dialog the Request-URI is the server's Contact; To keeps the presentity.
    const user = userOf(/<([^>]*)>/.exec(headers.get('To') ?? '')?.[1] ?? uri);
    const record = `${method} ${user}`;
    for (const other of this.#inFlight.values()) {
      if (other.record === record && other.life === this.life) this.violations.push(`two in flight: ${record}`);
    }
    this.#inFlight.set(branch, { record, life: this.life });
    this.#users.set(branch, user);
    if (method === 'SUBSCRIBE') {
      this.#inDialog(headers.get('Call-ID')!, Number.parseInt(headers.get('CSeq')!, 10), tagOf(headers.get('From')));
    }
  }

  /** Called when the answer leaves, after it has been held up. */
  sent(data: Uint8Array): void {
    const message = parseMessage(data);
    if (message.kind !== 'response' || message.status < 200) return;
    this.#inFlight.delete(branchOf(message.headers.get('Via')));
  }

  /** Called when the server has made its answer: from then on it holds what the answer says. */
  answered(data: Uint8Array): void {
    const message = parseMessage(data);
    if (message.kind !== 'response') return;
    const etag = message.headers.get('SIP-ETag');
    const user = this.#users.get(branchOf(message.headers.get('Via')));
    if (etag !== undefined && user !== undefined && !this.etags.has(etag))
      this.etags.set(etag, { user, at: Date.now() });
  }

  /** A dead process has nothing in flight; the 2^31 limit is out of reach here. */
  newLife(): void {
    this.life++;
    this.#inFlight.clear();
  }

  /**
   * By one in a life. After k stops that were not clean: stored + k * 1000 + 1, where what was stored may lack the
   * requests of the last life in which the dialog was used, and may count one in each life that was killed before
   * that request had left it.
   */
  #inDialog(callId: string, cseq: number, fromTag: string): void {
    const dialog = this.#dialogs.get(callId);
    if (!dialog) {
      this.#dialogs.set(callId, { fromTag, cseq, life: this.life, requests: 1 });
      return;
    }
    if (fromTag !== dialog.fromTag) this.violations.push(`From tag of ${callId} changed`);
    const rise = cseq - dialog.cseq;
    const lives = this.life - dialog.life;
    let fine = lives === 0 && rise === 1;
    for (let k = 1; k <= lives; k++) fine ||= rise <= k * (RAISE + 1) + 1 && rise >= k * RAISE + 1 - dialog.requests;
    if (!fine) {
      this.violations.push(
        `CSeq of ${callId}: from ${dialog.cseq} to ${cseq}, ${lives} starts and ${dialog.requests} requests later`,
      );
    }
    if (lives > 0) this.jumps++;
    dialog.requests = lives === 0 ? dialog.requests + 1 : 1;
    dialog.cseq = cseq;
    dialog.life = this.life;
  }
}
