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
 * Stands between an engine and its datagram sockets. An engine answers by itself when its handler does not; a server that
 * is silent needs more.
 */
export class DatagramGate {
  /** Closed: nothing comes in and nothing goes out, as if the machine were off. */
  closed = false;
  /** Datagrams that were dropped. */
  dropped = 0;
  readonly #ignored = new Set<string>();

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

  #pass(data: Uint8Array, send: () => void): void {
    if (this.closed || (this.#ignored.size > 0 && this.#isIgnored(data))) this.dropped++;
    else send();
  }

  #isIgnored(data: Uint8Array): boolean {
    const head = responseHead(data);
    return head !== undefined && this.#ignored.has(transaction(field(head, 'Call-ID|i'), field(head, 'CSeq')));
  }
}
