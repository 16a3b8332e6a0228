/** What happens to servers, network and process in the course of a week, drawn at random. */
import type { Headers } from '@pua/core';
import type { SimRandom } from '@pua/testkit';
import type { World } from '../world/world.js';

const MINUTE = 60_000;
/** The network on a good day: 2..30 ms each way. */
export const GOOD = { delay: [2, 30] } as const;
const BAD = { delay: [5, 800], loss: 0.15, duplicate: 0.05 } as const;

interface Refusal {
  readonly status: number;
  readonly headers?: Headers;
}

const REFUSALS: readonly Refusal[] = [
  { status: 302, headers: [['Contact', '<sip:10.0.0.10>']] },
  { status: 401, headers: [['WWW-Authenticate', 'Digest realm="x", nonce="n", qop="auth"']] },
  { status: 403 },
  { status: 404 },
  { status: 405 },
  { status: 408 },
  { status: 412 },
  { status: 415 },
  { status: 423, headers: [['Min-Expires', '7500']] },
  { status: 480, headers: [['Retry-After', '90']] },
  { status: 481 },
  { status: 489 },
  { status: 491 },
  { status: 500 },
  { status: 500, headers: [['Retry-After', '30']] },
  { status: 503 },
  { status: 503, headers: [['Retry-After', '120']] },
  { status: 603 },
];

const REASONS: readonly (string | undefined)[] = [
  ...['deactivated', 'timeout', 'probation', 'giveup', 'rejected', 'noresource', 'invariant', 'badfilter'],
  undefined,
];

/** Mostly small ones. */
const MOST_AT_ONCE = 200;

export class Fate {
  readonly faults: Record<string, number> = {};
  readonly #world: World;
  readonly #random: SimRandom;
  /** What ends by itself, in the order of the times. */
  readonly #ends: { readonly at: number; readonly run: () => void }[] = [];

  constructor(world: World, random: SimRandom) {
    this.#world = world;
    this.#random = random;
  }

  /** The minute's share: what was to end ends, and now and then something begins. */
  async minute(): Promise<void> {
    const now = this.#world.clock.now();
    for (const end of this.#ends.filter(({ at }) => at <= now)) {
      end.run();
      this.#ends.splice(this.#ends.indexOf(end), 1);
    }
    if (this.#random.int(15) > 0) return;
    const faults = [
      () => this.#away(),
      () => this.#forget(),
      () => this.#storm(),
      () => this.#refuse(),
      () => this.#refuse(),
      () => this.#refuse(),
      () => this.#ignore(),
      () => this.#terminate(),
      () => this.#terminate(),
      () => this.#kill(),
      () => this.#restart(),
    ];
    await this.#random.pick(faults)();
  }

  /** From now on all is well. */
  calm(): void {
    for (const { run } of this.#ends.splice(0)) run();
    for (const server of this.#world.servers) server.clearScript();
  }

  #away(): void {
    const server = this.#random.pick(this.#world.servers);
    server.away();
    this.#count('a server is away');
    this.#until(1 + this.#random.int(20), () => server.back());
  }

  #forget(): void {
    this.#random.pick(this.#world.servers).restart({ forget: true });
    this.#count('a server forgets everything');
  }

  #storm(): void {
    this.#world.network.setFaults(BAD);
    this.#count('storm');
    this.#until(1 + this.#random.int(15), () => this.#world.network.setFaults(GOOD));
  }

  #refuse(): void {
    const { status, headers = [] } = this.#random.pick(REFUSALS);
    this.#random.pick(this.#world.servers).answerNext({ status, headers, times: this.#some() });
    this.#count(`refused ${status}${headers[0]?.[0] === 'Retry-After' ? ' with Retry-After' : ''}`);
  }

  #ignore(): void {
    this.#random.pick(this.#world.servers).ignoreNext({ times: 1 + this.#random.int(20) });
    this.#count('answers lost');
  }

  #terminate(): void {
    const server = this.#random.pick(this.#world.servers);
    const reason = this.#random.pick(REASONS);
    const retryAfter = this.#random.int(2) === 0 ? undefined : this.#random.int(300);
    const how = { ...(reason === undefined ? {} : { reason }), ...(retryAfter === undefined ? {} : { retryAfter }) };
    for (const subscription of server.subscriptions.slice(0, this.#some())) server.terminate(subscription, how);
    this.#count(`terminated ${reason ?? 'without reason'}`);
  }

  /** kill -9 */
  async #kill(): Promise<void> {
    this.#world.kill();
    await this.#world.startPua();
    this.#count('process killed');
  }

  async #restart(): Promise<void> {
    await this.#world.stopPua();
    await this.#world.startPua();
    this.#count('process restarted');
  }

  #some(): number {
    return 1 + Math.floor(this.#random.uniform() ** 3 * MOST_AT_ONCE);
  }

  #until(minutes: number, run: () => void): void {
    this.#ends.push({ at: this.#world.clock.now() + minutes * MINUTE, run });
  }

  #count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }
}
