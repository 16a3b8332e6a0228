/**
 * One request through drachtio-server:
 *
 *   frame ->
 *            <- echo: what was really sent      or an error: nothing was
 *            <- 1xx
 *            <- final answer  => done
 *   33 s     => timeout                         the link goes down => unreachable
 */
import type { Clock, Outcome, OutgoingRequest, Timer } from '@pua/core';
import type { FrameGate } from './gate.js';
import type { OutgoingFrame } from './outgoing.js';
import { RawMessage, tagOf } from './raw.js';
import type { Srf, SrfError } from './srf.js';

/** The server itself gives up after 32 s and says 408. */
const DEADLINE_MS = 33_000;

export interface TransactionHost {
  readonly clock: Clock;
  readonly gate: FrameGate;
  /** drachtio-server says that it has no such dialog. */
  noDialog(transaction: Transaction): void;
  ended(transaction: Transaction, outcome: Outcome): void;
}

export class Transaction {
  /** The frame that was sent last named a dialog of the server's. */
  inside = false;
  readonly #host: TransactionHost;
  readonly #deadline: Timer;
  /** In a form that the server may have seen. */
  #written = false;
  #cseq: number;
  #ended = false;
  #release: () => void = () => undefined;

  constructor(
    host: TransactionHost,
    readonly request: OutgoingRequest,
  ) {
    this.#host = host;
    this.#cseq = request.cseq;
    this.#deadline = host.clock.after(request.timeoutMs ?? DEADLINE_MS, () => {
      if (this.#written) this.end({ kind: 'timeout', cseq: this.#cseq });
      else this.fail(new Error('the link to drachtio-server is too busy'));
    });
  }

  send(srf: Srf, { uri, options, bytes }: OutgoingFrame): void {
    this.inside = options.stackDialogId !== undefined;
    this.#host.gate.pass(bytes, (release) => {
      if (this.#ended) {
        release();
        return;
      }
      this.#release = release;
      this.#written = true;
      try {
        srf.request(uri, options, (error, sent) => {
          release();
          if (error) this.#refused(error);
          else this.#echoed(new RawMessage(sent.raw).cseq);
          sent?.on('response', (response) => {
            if (response.status >= 200) this.#answered(response.status, new RawMessage(response.raw));
          });
        });
      } catch (error) {
        // It throws when the link is down.
        release();
        this.#refused(error as Error);
      }
    });
  }

  /** Nothing came of it; later than now, for the caller of request() may still be in it. */
  fail(cause: Error): void {
    queueMicrotask(() => this.end({ kind: 'unreachable', cause, sent: false }));
  }

  /** The link is gone, or the time is over. */
  abandon(cause: Error): void {
    this.end({ kind: 'unreachable', cause, sent: this.#written });
  }

  end(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deadline.cancel();
    this.#release();
    this.#host.ended(this, outcome);
  }

  #refused(error: SrfError): void {
    this.#written = false;
    if (this.#ended) return;
    if (error.code === 'ENODIALOG') this.#host.noDialog(this);
    else this.fail(new Error(`drachtio-server did not send it: ${error.message}`));
  }

  #echoed(cseq: number | undefined): void {
    if (cseq !== undefined) this.#cseq = cseq;
  }

  #answered(status: number, message: RawMessage): void {
    // Every final answer of a peer has a To tag (RFC 3261 8.2.6.2). One without is the server's own.
    const own = (status === 408 || status === 503) && tagOf(message.get('To')) === undefined;
    if (own && status === 408) return this.end({ kind: 'timeout', cseq: this.#cseq });
    if (own && message.get('Retry-After') === undefined) {
      const cause = new Error('drachtio-server could not reach the next hop');
      return this.end({ kind: 'unreachable', cause, sent: true });
    }
    const { body } = message;
    this.end({
      kind: 'response',
      status,
      reason: /^SIP\/2\.0 \d+ ?(.*)$/i.exec(message.startLine)?.[1] ?? '',
      headers: message,
      ...(body ? { body } : {}),
      cseq: this.#cseq,
    });
  }
}
