/** Watches every datagram that a PUA sends and receives and holds it against the invariants that can be seen on the wire. */
import type { Clock } from '@pua/core';
import { parseMessage } from '@pua/sip';

interface OpenTransaction {
  readonly key: string;
  readonly branch: string;
  readonly until: number;
  readonly epoch: number;
}

interface Dialog {
  cseq: number;
  epoch: number;
  readonly fromTag: string;
}

const TRANSACTION_MS = 32_000;
const tagOf = (value: string) => /;\s*tag=([^;]+)/.exec(value)?.[1] ?? '';

export class WireMonitor {
  readonly violations: string[] = [];
  /** Requests, retransmissions not counted. */
  readonly requests: {
    at: number;
    method: string;
    uri: string;
    ifMatch: string | undefined;
    expires: number;
    body: string;
    cseq: number;
    callId: string;
  }[] = [];
  /** Rises with every start of the PUA. */
  epoch = 0;
  readonly #open = new Map<string, OpenTransaction>();
  readonly #branches = new Set<string>();
  /** Request-URI -> last entity-tag that a 2xx brought; undefined: none, or forgotten with a kill. */
  readonly #etags = new Map<string, string | undefined>();
  readonly #tuples = new Map<string, string>();
  readonly #dialogs = new Map<string, Dialog>();
  readonly #uriOfBranch = new Map<string, string>();

  constructor(
    readonly clock: Clock,
    /** More than one publication per Request-URI: entity-tags can't be told apart on the wire. */
    readonly etagsByUri = true,
  ) {}

  sent(data: Uint8Array): void {
    const request = parseMessage(data);
    if (request.kind !== 'request') return;
    const { headers, method, uri } = request;
    const branch = /branch=([^;,\s]+)/.exec(headers.get('Via') ?? '')?.[1] ?? '';
    if (this.#branches.has(branch)) return;
    this.#branches.add(branch);
    this.#uriOfBranch.set(branch, uri);
    const at = this.clock.now();
    const callId = headers.get('Call-ID')!;
    const cseq = Number.parseInt(headers.get('CSeq')!, 10);
    const ifMatch = headers.get('SIP-If-Match');
    const expires = Number(headers.get('Expires'));
    const body = request.body?.text() ?? '';
    this.requests.push({ at, method, uri, ifMatch, expires, body, cseq, callId });

    // 1: one PUBLISH per Request-URI, one SUBSCRIBE per dialog.
    const key = method === 'PUBLISH' ? uri : callId;
    const open = this.#open.get(key);
    if (open && open.epoch === this.epoch && open.until > at)
      this.violations.push(`1: two requests in flight for ${key} at ${at}`);
    this.#open.set(key, { key, branch, until: at + TRANSACTION_MS, epoch: this.epoch });

    if (method === 'PUBLISH') this.#publish(uri, ifMatch, expires, body);
    else if (method === 'SUBSCRIBE') this.#subscribe(callId, cseq, tagOf(headers.get('From')!));
  }

  /** 2: If-Match is the last entity-tag or absent; no body in refreshes and removals; tuple ids stay in a chain. */
  #publish(uri: string, ifMatch: string | undefined, expires: number, body: string): void {
    if (ifMatch === undefined) {
      if (body === '' || expires === 0) this.violations.push(`2: initial PUBLISH of ${uri} without body or lifetime`);
      this.#tuples.delete(uri);
    } else if (this.etagsByUri && ifMatch !== this.#etags.get(uri)) {
      this.violations.push(`2: If-Match ${ifMatch} of ${uri}, last entity-tag was ${this.#etags.get(uri)}`);
    }
    if (expires === 0 && body !== '') this.violations.push(`2: removal of ${uri} with a body`);
    const tuple = /<tuple id="([^"]+)"/.exec(body)?.[1];
    if (tuple === undefined || !this.etagsByUri) return;
    const before = this.#tuples.get(uri);
    if (before !== undefined && before !== tuple)
      this.violations.push(`2: tuple id of ${uri} went from ${before} to ${tuple}`);
    this.#tuples.set(uri, tuple);
  }

  /** 5: CSeq rises by one, after an unclean start by 1000 more; below 2^31; the tag stays. */
  #subscribe(callId: string, cseq: number, fromTag: string): void {
    const dialog = this.#dialogs.get(callId);
    if (!dialog) {
      this.#dialogs.set(callId, { cseq, fromTag, epoch: this.epoch });
      if (cseq >= 2 ** 31) this.violations.push(`5: CSeq ${cseq}`);
      return;
    }
    const rise = cseq - dialog.cseq;
    const fine = dialog.epoch === this.epoch ? rise === 1 : rise > 0 && rise <= 1001 * (this.epoch - dialog.epoch) + 1;
    if (!fine || cseq >= 2 ** 31) this.violations.push(`5: CSeq of ${callId} went from ${dialog.cseq} to ${cseq}`);
    if (fromTag !== dialog.fromTag) this.violations.push(`5: From tag of ${callId} changed`);
    dialog.cseq = cseq;
    dialog.epoch = this.epoch;
  }

  received(data: Uint8Array): void {
    const response = parseMessage(data);
    if (response.kind !== 'response' || response.status < 200) return;
    const { headers } = response;
    const branch = /branch=([^;,\s]+)/.exec(headers.get('Via') ?? '')?.[1] ?? '';
    const uri = this.#uriOfBranch.get(branch);
    // A retransmitted answer says nothing new.
    if (uri === undefined) return;
    this.#uriOfBranch.delete(branch);
    const publish = headers.get('CSeq')?.endsWith('PUBLISH');
    const key = publish ? uri : headers.get('Call-ID')!;
    if (this.#open.get(key)?.branch === branch) this.#open.delete(key);
    if (publish && response.status < 300) this.#etags.set(uri, headers.get('SIP-ETag'));
  }

  /** A kill: the process may have forgotten newer entity-tags than those on its disk. */
  forgetEtags(known: ReadonlyMap<string, string>): void {
    this.epoch++;
    for (const uri of this.#etags.keys()) this.#etags.set(uri, known.get(uri));
    this.#uriOfBranch.clear();
    this.#tuples.clear();
  }
}
