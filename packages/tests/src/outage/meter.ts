/** Counts what a PUA sends to one host: exactly, in every window of one second, new requests and repeated ones apart. */
import type { Datagram, SimNetwork } from '@pua/testkit';

const BRANCH = /;branch=z9hG4bK\w+\.(\w+)/;
const HEAD_BYTES = 400;
const WINDOW_MS = 1_000;

/** Most of the (ascending) times in any window of one second. */
function peak(times: readonly number[]): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last++) {
    while (times[last]! - times[first]! >= WINDOW_MS) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

export class Meter {
  /** Times at which requests were sent for the first time, and again. */
  readonly first: number[] = [];
  readonly again: number[] = [];
  /** Branches of one engine are numbered in the order in which they are first used; the network keeps that order. */
  #newest = -1;

  constructor(
    network: SimNetwork,
    readonly to: string,
  ) {
    network.tap((datagram) => this.#see(datagram));
  }

  #see({ to, data, sentAt }: Datagram): void {
    if (to !== this.to) return;
    const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, HEAD_BYTES)).toString('latin1');
    const branch = head.startsWith('SIP/2.0') ? undefined : BRANCH.exec(head)?.[1];
    if (branch === undefined) return;
    const number = Number.parseInt(branch, 36);
    if (number > this.#newest) {
      this.#newest = number;
      this.first.push(sentAt);
    } else this.again.push(sentAt);
  }

  /** Most new requests in any second. */
  get peak(): number {
    return peak(this.first);
  }

  /** Most datagrams in any second, repetitions included. */
  get peakWithRepetitions(): number {
    return peak([...this.first, ...this.again].sort((a, b) => a - b));
  }

  sentBetween(from: number, until: number): number {
    return this.first.filter((at) => at >= from && at < until).length;
  }

  forget(): void {
    this.first.length = 0;
    this.again.length = 0;
  }
}
