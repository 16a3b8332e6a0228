import type { BindDatagram, DatagramSocket } from '@pua/sip';

/** Transactions whose answers are held back; the oldest are forgotten first. */
const IGNORED = 10_000;
const HEAD_BYTES = 8192;

/**
 * Stands between an engine and its datagram sockets, so that a server can be silent. An engine on its own can't: it
 * answers 500 for a handler that does not (SipPort, IncomingRequest.reply).
 */
export class DatagramGate {
  /** Closed: nothing comes in and nothing goes out, as if the machine were off. */
  closed = false;
  /** Datagrams that were held back. */
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
        host: socket.host,
        port: socket.port,
        send: (data, toPort, toHost) => {
          if (this.closed || (this.#ignored.size > 0 && this.#isIgnored(data))) this.dropped++;
          else socket.send(data, toPort, toHost);
        },
        close: () => socket.close(),
      };
      return gated;
    };
  }

  /** Holds back every answer to that request, repeated ones included. */
  ignore(callId: string, cseq: string): void {
    this.#ignored.add(transaction(callId, cseq));
    if (this.#ignored.size > IGNORED) this.#ignored.delete(this.#ignored.values().next().value!);
  }

  #isIgnored(data: Uint8Array): boolean {
    const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, HEAD_BYTES)).toString('utf8');
    if (!head.startsWith('SIP/2.0 ')) return false;
    const callId = /^(?:Call-ID|i)[ \t]*:[ \t]*(.*?)[ \t]*\r?$/im.exec(head)?.[1] ?? '';
    const cseq = /^CSeq[ \t]*:[ \t]*(.*?)[ \t]*\r?$/im.exec(head)?.[1] ?? '';
    return this.#ignored.has(transaction(callId, cseq));
  }
}

function transaction(callId: string, cseq: string): string {
  return `${callId} ${cseq.trim().replace(/\s+/g, ' ')}`;
}
