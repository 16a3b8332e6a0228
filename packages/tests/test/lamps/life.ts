/**
 * A day of a small office in the simulated world: phones register and call each other, datagrams are lost, late and doubled,
 * the presence server refuses, is silent and forgets, our process is killed and started again.
 *
 *   phones --REGISTER--> registrar -> usrloc, reginfo --PUBLISH--> server
 *   switchboard --(webhook)--> dialoginfo --------------PUBLISH-->
 */
import { createPua } from '@pua/core';
import { dialoginfo } from '@pua/dialoginfo';
import { reginfo } from '@pua/reginfo';
import { embeddedSip } from '@pua/sip';
import { dialogWebhook, type Registrar, registrar } from '@pua/sources';
import { SimRandom } from '@pua/testkit';
import { usrloc } from '@pua/usrloc';
import { randomCall, type Step, uriOf } from '../../dist/lamps/calls.js';
import { Courier } from '../../dist/lamps/courier.js';
import { SimLocation } from '../../dist/lamps/location.js';
import { Phone } from '../../dist/lamps/phones.js';
import { Switchboard } from '../../dist/lamps/switchboard.js';
import { World } from '../../dist/world/world.js';
import { POLICY } from '../world/story';

/** What the office runs on; a mutant of one of them must be noticed. */
export const COMPANIONS = { dialoginfo, reginfo, usrloc };
export type Companions = typeof COMPANIONS;

export interface Plan {
  readonly seed: number;
  readonly calls: number;
  readonly aggregate: 0 | 1;
  /** How dialoginfo hears of calls: as modules do in one process, or by HTTP. */
  readonly calledBy: 'source' | 'webhook';
}

const USERS = ['alice', 'bob', 'carol', 'o&m', "o'hara", 'd%22e'];
const PROXY = '10.0.0.20';
const REGISTRAR = { transport: 'udp', host: '10.0.0.1', port: 5060 } as const;
const FAULTS = { loss: 0.1, delay: [1, 250], duplicate: 0.1 } as const;
const WEBHOOK = '/events/dialogs';
/** Calls of which the webhook hears nothing for so long are over. */
const HEARTBEAT_S = 20;
/** Of a start anew: what the former process has sent is there by then. */
const DOWN_MS = 300;
/** Longest lifetime of a PUBLISH, a heartbeat's grace and the longest wait of the policy are over by then. */
const CALM_MS = 900_000;

type Deed = { readonly at: number; run(): void | Promise<void> };

export class Life {
  readonly plan: Plan;
  readonly random: SimRandom;
  readonly switchboard = new Switchboard();
  readonly location = new SimLocation();
  /** `presentity record-id` of what a killed process had not written. */
  readonly unwritten = new Set<string>();
  world!: World;
  registrar!: Registrar;
  #dialoginfo!: ReturnType<typeof dialoginfo>;
  #courier: Courier | undefined;
  #kills = 0;

  private constructor(plan: Plan) {
    this.plan = plan;
    this.random = new SimRandom(plan.seed);
  }

  static async begin(plan: Plan, companions: Companions): Promise<Life> {
    const life = new Life(plan);
    const { switchboard, location } = life;
    let process = { alive: true };
    life.world = await World.start({
      seed: plan.seed,
      createPua: (options) => {
        process = { alive: true };
        const source = registrar({ trusted: [PROXY], location: location.openBy(process) });
        life.registrar = source;
        const webhook = dialogWebhook({ heartbeat: HEARTBEAT_S });
        const calls = plan.calledBy === 'webhook' ? webhook : switchboard;
        life.#dialoginfo = companions.dialoginfo({ source: calls, aggregate: plan.aggregate });
        return createPua(options)
          .use(source)
          .use(webhook)
          .use(companions.usrloc({ source, contact: 1 }))
          .use(companions.reginfo({ source, node: 'office' }))
          .use(life.#dialoginfo);
      },
      pua: { policy: POLICY },
      grant: 600,
      faults: FAULTS,
      etagsByUri: false,
      logLimit: 200_000,
    });
    life.world.onStop = () => {
      process.alive = false;
      if (plan.calledBy === 'source') switchboard.hangUp();
    };
    if (plan.calledBy === 'webhook') {
      const route = () => (process.alive ? life.world.pua.routes().find(({ path }) => path === WEBHOOK) : undefined);
      const { clock } = life.world;
      life.#courier = new Courier({ clock, random: life.random, switchboard, route, aliveMs: HEARTBEAT_S * 300 });
    }
    return life;
  }

  /** All of it; phones are registered and calls are over, if anybody has said so. */
  async run(): Promise<void> {
    const { clock, random, network } = this.world;
    const sip = embeddedSip({ listen: [`udp:${PROXY}:5060`], clock, random, bindDatagram: network.bind });
    await sip.start((request) => request.pass());
    const phones = USERS.flatMap((user, i) =>
      Array.from({ length: 1 + (i % 3) }, (_, n) => {
        const contact = `sip:phone${n}@192.0.2.${10 + i}:5060`;
        return new Phone({ sip, registrar: REGISTRAR, random: this.random, aor: uriOf(user), contact });
      }),
    );
    await this.#live([...this.#deedsOfPhones(phones), ...this.#calls(), ...this.#fate()]);
    await this.calm();
    this.#leave = async () => {
      for (const phone of phones) phone.register(0);
      await this.calm();
      await sip.stop(0);
    };
  }

  #leave: () => Promise<void> = async () => {};

  /** All phones go. */
  leave(): Promise<void> {
    return this.#leave();
  }

  get stats() {
    return this.#dialoginfo.stats();
  }

  async calm(): Promise<void> {
    const { world } = this;
    world.network.setFaults({ delay: [1, 5] });
    world.server.clearScript();
    world.server.back();
    await world.advance(CALM_MS);
  }

  async #live(deeds: Deed[]): Promise<void> {
    const { clock } = this.world;
    const begun = clock.now();
    for (const { at, run } of deeds.sort((a, b) => a.at - b.at)) {
      await this.world.advance(Math.max(0, begun + at - clock.now()));
      await run();
    }
  }

  /** The time in which calls begin. */
  get #length(): number {
    return this.plan.calls * 1_000;
  }

  #calls(): Deed[] {
    return Array.from({ length: this.plan.calls }, (_, number) => {
      const begins = this.random.int(this.#length);
      let kills = -1;
      return randomCall(this.random, number, USERS).map(({ at, what, event }: Step): Deed => {
        const run = () => {
          if (what === 'lost') this.switchboard.lose(event.dialog.key);
          else if (what === 'told') {
            kills = this.#kills;
            this.switchboard.tell(event);
            // Who has not heard the end can't know that this is of the past.
          } else if (kills === this.#kills) this.switchboard.repeat(event);
        };
        return { at: begins + at, run };
      });
    }).flat();
  }

  #deedsOfPhones(phones: readonly Phone[]): Deed[] {
    const { random } = this;
    return phones.flatMap((phone) =>
      Array.from({ length: 4 }, () => {
        const seconds = random.pick([60, 120, 300]);
        const act = random.pick([
          () => phone.register(seconds),
          () => phone.register(seconds),
          () => phone.register(0),
          () => phone.reboot(),
          () => phone.vanish(),
        ]);
        return { at: random.int(this.#length), run: act };
      }),
    );
  }

  #fate(): Deed[] {
    const { random } = this;
    const { server } = this.world;
    const busy = () => {
      server.answerNext({ status: 503, times: 1 + random.int(3), headers: [['Retry-After', '2']] });
    };
    const fates = [
      () => this.#kill(),
      () => this.#kill(),
      () => server.restart({ forget: true }),
      busy,
      () => server.answerNext({ status: 500, times: 2 }),
    ];
    const deeds = fates.map((run): Deed => ({ at: random.int(this.#length), run }));
    const silent = random.int(this.#length);
    return [
      ...deeds,
      { at: silent, run: () => server.away() },
      { at: silent + random.int(20_000), run: () => server.back() },
    ];
  }

  async #kill(): Promise<void> {
    const { world } = this;
    this.#kills++;
    for (const key of world.store.unwritten) {
      const [, , , presentity, id] = key.split('|');
      this.unwritten.add(decodeURI(`${presentity} ${id}`));
    }
    world.kill();
    await world.advance(DOWN_MS + this.random.int(15_000));
    await world.startPua();
  }

  async stop(): Promise<void> {
    this.#courier?.stop();
    await this.world.stop();
  }
}
