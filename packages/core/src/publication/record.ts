/** A publication as a record: its machine's effects, its PUBLISH, its row. */
import type { PuaRecord } from '../api.js';
import type { Answer } from '../policy/answer.js';
import type { PuaRow } from '../ports/store.js';
import { type Host, type Identity, RecordBase } from '../record.js';
import type { Draft } from '../sending/job.js';
import { writeColumns } from './row.js';
import { Publication, type PublicationEffect, type PublicationInput } from './state.js';
import { stepPublication } from './table.js';

type Send = Extract<PublicationEffect, { kind: 'send' }>;
const SLOT = { kind: 'slot' } as const;
const TIMER = { kind: 'timer' } as const;

export class PublicationRecord extends RecordBase<PublicationInput> {
  readonly kind = 'publication';
  state: Readonly<Publication>;
  #send: Send | null = null;

  constructor(host: Host, identity: Identity, state: Readonly<Publication> = new Publication()) {
    super(host, identity, host.onePublishPerUri ? identity.presUri : '');
    this.state = state;
  }

  protected turn(input: PublicationInput): void {
    if (this.state.phase === 'ended') {
      if (input.kind !== 'publish' && input.kind !== 'unpublish') return;
      const fresh = new Publication();
      fresh.wish = this.state.wish;
      this.state = fresh;
    }
    const out: PublicationEffect[] = [];
    this.state = stepPublication(this.state, input, this.host.context(), out);
    for (const effect of out) {
      if (effect.kind === 'send') this.#send = effect;
      else this.apply(effect);
    }
  }

  protected useSlot(): Draft | null {
    this.receive(SLOT);
    const send = this.#send;
    this.#send = null;
    return send ? this.#publish(send) : null;
  }

  protected answerInput(answer: Answer): PublicationInput {
    return { kind: 'answer', answer };
  }

  protected timerInput(): PublicationInput {
    return TIMER;
  }

  protected endInput(): PublicationInput {
    return { kind: 'unpublish', op: null, etag: '' };
  }

  /**
   * After a failover the entity-tag is good at one server only: a removal that went to another one would be told as done,
   * and the document stay. Not kept over a restart.
   */
  override get heldAt(): string {
    return this.state.etag === '' ? '' : this.acceptedBy;
  }

  routes(): readonly string[] {
    if (this.state.outboundProxy !== '') return [this.state.outboundProxy];
    return this.host.outboundProxies.length > 0 ? this.host.outboundProxies : [this.identity.presUri];
  }

  /**
   * PUBLISH presentity; To = From = presentity (RFC 3903 4). There is no dialog: every operation has its own Call-ID,
   * and a retry within it the next CSeq.
   */
  #publish(send: Send): Draft {
    const { presUri, event } = this.identity;
    const headers: [string, string][] = [
      ['Event', event.name],
      ['Expires', String(send.expires)],
    ];
    if (send.etag !== '') headers.push(['SIP-If-Match', send.etag]);
    for (const [name, value] of this.state.extraHeaders) headers.push([name, value]);
    const { random } = this.host.sip;
    return {
      method: 'PUBLISH',
      uri: presUri,
      callId: random.token(),
      cseq: 1,
      from: { uri: presUri, tag: random.token() },
      to: { uri: presUri },
      routes: [],
      headers,
      body: send.body === null ? undefined : { type: this.state.contentType, content: send.body },
    };
  }

  row(): PuaRow | null {
    if (this.state.phase === 'ended') return null;
    const row = this.blankRow();
    writeColumns(row, this.state, this.host.wallClock());
    return row;
  }

  show(): PuaRecord {
    const { etag, tupleId, body, contentType, version, extraHeaders, outboundProxy } = this.state;
    const view = this.blankView();
    view.etag = etag;
    view.tupleId = tupleId ?? '';
    view.body = body;
    view.contentType = contentType;
    view.version = version;
    view.extraHeaders = extraHeaders;
    view.outboundProxy = outboundProxy;
    return view;
  }
}
