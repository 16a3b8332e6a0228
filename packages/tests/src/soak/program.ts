/**
 * The soak: a simulated week of many records with owners who change their minds and a fate that spares nothing. A
 * program of its own, because code in a test runner's sandbox is half as fast; it prints what it has seen as one line of
 * JSON.
 *
 *     node --expose-gc dist/soak/program.js '{"seed":1,"records":10000,"days":7,"lifetime":7200}'
 */
import { createPua } from '@pua/core';
import { SimRandom, settle } from '@pua/testkit';
import { World } from '../world/world.js';
import type { Counters, Facts, Load } from './facts.js';
import { Fate, GOOD } from './fate.js';
import { Owners } from './owners.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Longest retry. */
const RETRY_MS = 1.1 * HOUR;
/** Of a thousand owners so many do something within a minute. */
const BUSY = 2;
const CEILING = { perSecond: 500, inFlight: 200 };

class Week {
  readonly #world: World;
  readonly #owners: Owners;
  readonly #fate: Fate;
  readonly #random: SimRandom;
  readonly #requests: Record<string, number> = {};

  constructor(
    world: World,
    readonly load: Load,
  ) {
    this.#world = world;
    this.#random = new SimRandom(load.seed);
    this.#owners = new Owners(world, this.#random, load.records);
    this.#fate = new Fate(world, this.#random);
    world.onStop = () => this.#countRequests();
  }

  async run(): Promise<Facts> {
    const world = this.#world;
    const began = process.hrtime.bigint();
    const before = this.#counters();
    this.#owners.begin();
    await this.#advance(HOUR);
    const heap = [heapUsed()];
    for (let quarter = 0; quarter < 4 * this.load.days; quarter++) {
      for (let minute = 0; minute < 6 * 60; minute++) await this.#minute();
      heap.push(heapUsed());
    }
    this.#fate.calm();
    // What was published last at the other server has to run out, too.
    const calm = RETRY_MS + 2 * this.load.lifetime * SECOND;
    for (let minute = 0; minute < calm / MINUTE; minute++) {
      this.#owners.askAgain();
      await this.#advance(MINUTE);
    }
    const differences = this.#owners.differences();
    this.#owners.end();
    await this.#advance(5 * MINUTE);
    const after = this.#counters();
    const open = await this.#isOpen();
    this.#owners.close();
    await world.stop();
    const { deeds } = this.#owners;
    const { faults } = this.#fate;
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    const { violations } = world.wire;
    const requests = this.#requests;
    return { load: this.load, deeds, faults, requests, violations, differences, before, after, open, heap, seconds };
  }

  async #minute(): Promise<void> {
    await this.#fate.minute();
    this.#owners.askAgain();
    for (let deed = 0; deed < (this.load.records * BUSY) / 1000; deed++) this.#owners.act();
    await this.#advance(MINUTE);
  }

  /** Second by second: promises settle in between. */
  async #advance(ms: number): Promise<void> {
    const { clock } = this.#world;
    for (const end = clock.now() + ms; clock.now() < end; ) {
      clock.advanceTo(Math.min(end, clock.now() + SECOND));
      await settle();
    }
  }

  /** Gates and slots are free: a publication and a subscription get through. */
  async #isOpen(): Promise<boolean> {
    const handles = [this.#world.publish('u0', 0), this.#world.subscribe('u0')];
    await this.#advance(MINUTE);
    const results = await Promise.all(handles.map(({ result }) => Promise.race([result, undefined])));
    return results.every((result) => result?.outcome === 'accepted');
  }

  #counters(): Counters {
    const { pua, sip, process, disk, store } = this.#world;
    const { records, states, inFlight, queued, scheduled, dialogs, hops } = pua.stats();
    const { clientTransactions, unanswered } = sip.stats();
    return {
      records: records.publications + records.subscriptions,
      listed: [...pua.list()].length,
      ...{ states, inFlight, queued, scheduled, dialogs, unanswered },
      atHops: hops.reduce((sum, hop) => sum + hop.inFlight + hop.queued, 0),
      transactions: clientTransactions,
      timers: process.timers,
      rows: disk.rows.size,
      unwritten: store.unwritten.size,
    };
  }

  #countRequests(): void {
    for (const [what, count] of Object.entries(this.#world.pua.stats().requests))
      this.#requests[what] = (this.#requests[what] ?? 0) + count;
  }
}

/** Bytes of the heap that are in use. */
function heapUsed(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}

async function main(load: Load): Promise<void> {
  const { seed, lifetime } = load;
  const pua = { ceiling: CEILING, defaultExpires: lifetime };
  const world = await World.start({ seed, createPua, servers: 2, grant: lifetime, faults: GOOD, pua, logLimit: 0 });
  console.log(JSON.stringify(await new Week(world, load).run()));
}

void main(JSON.parse(process.argv[2]!) as Load);
