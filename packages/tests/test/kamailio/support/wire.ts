/** What really crosses the socket of our SIP engine: the tests count this, not what the engine says of itself. */
import { type BindDatagram, nodeDatagram } from '@pua/sip';

/** One client transaction as it was on the wire; retransmissions are one. */
export interface Transaction {
  readonly method: string;
  readonly callId: string;
  readonly cseq: number;
  /** SIP-If-Match; empty when there was none. */
  readonly ifMatch: string;
  readonly expires: string;
  readonly authorized: boolean;
  readonly body: string;
  /** Where it went. */
  readonly port: number;
  /** Status of the final answer; 0 while there is none. */
  status: number;
}

const field = (head: string, name: string): string =>
  new RegExp(`^${name}:[ \\t]*(.*?)\\r?$`, 'im').exec(head)?.[1] ?? '';
const branchOf = (head: string): string => /;branch=([^;,\s]+)/i.exec(field(head, 'Via'))?.[1] ?? '';

/** Sits between the engine and node:dgram. */
export class Wire {
  readonly #transactions = new Map<string, Transaction>();

  readonly bind: BindDatagram = async (host, port, receive) => {
    const socket = await nodeDatagram(host, port, (data, from, fromPort) => {
      this.#received(Buffer.from(data).toString('utf8'));
      receive(data, from, fromPort);
    });
    return {
      ...socket,
      send: (data, toPort, toHost, failed) => {
        this.#sent(Buffer.from(data).toString('utf8'), toPort);
        socket.send(data, toPort, toHost, failed);
      },
    };
  };

  /** In the order in which they went out. */
  of(method: string): readonly Transaction[] {
    return [...this.#transactions.values()].filter((transaction) => transaction.method === method);
  }

  /** Answers with that status, to all methods. */
  count(status: number): number {
    return [...this.#transactions.values()].filter((transaction) => transaction.status === status).length;
  }

  #sent(text: string, port: number): void {
    const [head = '', ...rest] = text.split('\r\n\r\n');
    const method = /^([A-Z]+) \S+ SIP\/2\.0/.exec(head)?.[1];
    const branch = branchOf(head);
    if (method === undefined || this.#transactions.has(branch)) return;
    this.#transactions.set(branch, {
      method,
      callId: field(head, 'Call-ID'),
      cseq: Number.parseInt(field(head, 'CSeq'), 10),
      ifMatch: field(head, 'SIP-If-Match'),
      expires: field(head, 'Expires'),
      authorized: field(head, '(?:Proxy-)?Authorization') !== '',
      body: rest.join('\r\n\r\n'),
      port,
      status: 0,
    });
  }

  #received(text: string): void {
    const [head = ''] = text.split('\r\n\r\n');
    const status = Number(/^SIP\/2\.0 (\d{3})/.exec(head)?.[1] ?? 0);
    const transaction = this.#transactions.get(branchOf(head));
    if (transaction && status >= 200) transaction.status = status;
  }
}
