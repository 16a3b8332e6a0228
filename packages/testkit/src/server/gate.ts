import type { BindDatagram, DatagramSocket } from '@pua/sip';

/** Transactions whose answers are held back; the oldest are forgotten first. */
const IGNORED = 10_000;
const HEAD_BYTES = 8192;

function transaction(callId: string, cseq: string): string {
  return `${callId} ${cseq.trim().replace(/\s+/g, ' ')}`;
}

function field(head: string, names: string): string {
  return new RegExp(`^(?:${names})[ \\t]*:[ \\t]*(.*?)[ \\t]*\\r?$`, 'im').exec(head)?.[1] ?? '';
}

/** The header of a SIP response; undefined for anything else. */
function responseHead(data: Uint8Array): string | undefined {
  const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, HEAD_BYTES)).toString('utf8');
  return head.startsWith('SIP/2.0 ') ? head : undefined;
}

/**
 * Stands between an engine and its datagram sockets. An engine answers by itself when its handler does not, and keeps
 * the To tag of its answers to itself (SipPort, IncomingRequest); a server that is silent, or opens dialogs, needs more.
 */
export class DatagramGate {
  /** Closed: nothing comes in and nothing goes out, as if the machine were off. */
  closed = false;
  /** Datagrams that were dropped. */
  dropped = 0;
  readonly #ignored = new Set<string>();
  readonly #held = new Map<string, (() => void)[]>();
  #captured: { tag: string | undefined } | undefined;

  /** Give the result to embeddedSip() as `bindDatagram`. */
  wrap(inner: BindDatagram): BindDatagram {
    return async (host, port, receive) => {
      const socket = await inner(host, port, (data, fromHost, fromPort) => {
        if (this.closed) this.dropped++;
        else receive(data, fromHost, fromPort);
      });
      const gated: DatagramSocket = {
        ...socket,
        send: (data, toPort, toHost, failed) => this.#pass(data, () => socket.send(data, toPort, toHost, failed)),
      };
      return gated;
    };
  }

  /** Drops every answer to that request, repeated ones included. */
  ignore(callId: string, cseq: string): void {
    this.#ignored.add(transaction(callId, cseq));
    if (this.#ignored.size > IGNORED) this.#ignored.delete(this.#ignored.values().next().value!);
  }

  /** Keeps every answer to that request until the function that comes back is called. */
  hold(callId: string, cseq: string): () => void {
    const key = transaction(callId, cseq);
    this.#held.set(key, []);
    return () => {
      const sends = this.#held.get(key) ?? [];
      this.#held.delete(key);
      for (const send of sends) if (!this.closed) send();
    };
  }

  /** The To tag of the answer that `answer` makes the engine give. */
  captureTag(answer: () => void): string | undefined {
    const captured: { tag: string | undefined } = { tag: undefined };
    this.#captured = captured;
    try {
      answer();
    } finally {
      this.#captured = undefined;
    }
    return captured.tag;
  }

  #pass(data: Uint8Array, send: () => void): void {
    const looks = this.#captured || this.#ignored.size > 0 || this.#held.size > 0;
    const head = looks ? responseHead(data) : undefined;
    if (head !== undefined) {
      if (this.#captured) this.#captured.tag = /;\s*tag\s*=\s*([^;\s]+)/i.exec(field(head, 'To|t'))?.[1];
      const key = transaction(field(head, 'Call-ID|i'), field(head, 'CSeq'));
      if (this.#ignored.has(key)) {
        this.dropped++;
        return;
      }
      const held = this.#held.get(key);
      if (held) {
        held.push(send);
        return;
      }
    }
    if (this.closed) this.dropped++;
    else send();
  }
}
