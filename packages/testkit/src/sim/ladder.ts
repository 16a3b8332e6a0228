import type { Datagram, SimNetwork } from './network.js';

const MARKS = { delivered: '', lost: '  (lost)', partitioned: '  (partitioned)', nobody: '  (nobody there)' } as const;

/** First line and CSeq of a SIP message: `PUBLISH sip:a@b (1 PUBLISH)`. */
function summary(data: Uint8Array): string {
  const text = Buffer.from(data.buffer, data.byteOffset, Math.min(data.byteLength, 4096)).toString('latin1');
  if (text.trim() === '') return 'keep-alive';
  const first = text.slice(0, text.indexOf('\r\n')).replace(/ ?SIP\/2\.0 ?/, '');
  const cseq = /^CSeq\s*:\s*(.*?)\s*$/im.exec(text)?.[1];
  return cseq ? `${first} (${cseq})` : first;
}

/** Keeps what a network carried, for message ladders in failing tests. */
export class Ladder {
  readonly datagrams: Datagram[] = [];
  readonly #end: () => void;

  /** Keeps the last `limit` datagrams. */
  constructor(network: SimNetwork, limit = 1000) {
    this.#end = network.tap((datagram) => {
      this.datagrams.push(datagram);
      if (this.datagrams.length > limit) this.datagrams.shift();
    });
  }

  /**
   * One line per datagram: time in seconds, the two ends, first line, CSeq, fate.
   *
   *      0.000  10.0.0.1:5060 -> 10.0.0.9:5060  PUBLISH sip:alice@example.com (1 PUBLISH)
   *      0.020  10.0.0.9:5060 -> 10.0.0.1:5060  200 OK (1 PUBLISH)
   */
  text(): string {
    const lines = this.datagrams.map(
      ({ at, from, to, data, fate }) =>
        `${(at / 1000).toFixed(3).padStart(9)}  ${from} -> ${to}  ${summary(data)}${MARKS[fate]}`,
    );
    return lines.join('\n');
  }

  /** Stops listening. */
  close(): void {
    this.#end();
  }
}
