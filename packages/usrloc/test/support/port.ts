/** A SipPort with a presence server right behind it, without a wire in between: for figures of which the wire is no part. */
import type { Headers, HeaderView, Hop, OutgoingRequest, SipPort } from '@pua/core';
import type { SimClock } from '@pua/testkit';

const HOP: Hop = { transport: 'udp', host: '10.0.0.9', port: 5060 };
const ROUND_TRIP_MS = 2;

function viewOf(headers: Headers): HeaderView {
  const all = (name: string) => headers.flatMap(([key, value]) => (key === name ? [value] : []));
  return { get: (name) => all(name)[0], all };
}

export class AnsweringPort implements SipPort {
  readonly random = { uniform: () => 0.5, token: () => `t${++this.#tokens}` };
  readonly maxMessageBytes = 65_000;
  /** Presentities by entity-tag, without regard to lifetimes. */
  readonly publications = new Map<string, string>();
  readonly sent: { readonly at: number; readonly expires: number }[] = [];
  #etags = 0;
  #tokens = 0;

  constructor(readonly clock: SimClock) {}

  async start(): Promise<void> {}
  async stop(): Promise<void> {}
  onUnbound(): void {}
  resolve = () => [HOP];
  contact = () => 'sip:10.0.0.1';
  isOwnContact = () => false;

  request({ uri, headers, cseq }: OutgoingRequest, done: Parameters<SipPort['request']>[1]): void {
    const { get } = viewOf(headers);
    const expires = Number(get('Expires'));
    const etag = get('SIP-If-Match');
    this.sent.push({ at: this.clock.now(), expires });
    const isKnown = etag === undefined || this.publications.delete(etag);
    const answer: Headers = [
      ['SIP-ETag', `e${++this.#etags}`],
      ['Expires', String(expires)],
    ];
    if (isKnown && expires > 0) this.publications.set(`e${this.#etags}`, uri);
    const status = isKnown ? 200 : 412;
    this.clock.after(ROUND_TRIP_MS, () =>
      done({ kind: 'response', status, reason: 'as it is', headers: viewOf(answer), cseq }),
    );
  }
}
