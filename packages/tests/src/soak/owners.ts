/** The owners of the records: what each wants, and what they do when they are told that it will not come by itself. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { SimRandom } from '@pua/testkit';
import type { World } from '../world/world.js';

/** An owner that is told that its request will never do, or that it was ended, asks again after this. */
const AGAIN_MS = 300_000;
/** Answers after which only an owner's change helps. */
const NEVER = new Set([405, 415, 489, 501]);

type Kind = 'publication' | 'subscription';
const KINDS = ['publication', 'subscription'] as const;

interface Told {
  readonly presUri: string;
  readonly type: string;
  readonly reply?: { readonly status: number };
}

export class Owners {
  /** Newest note of each user; undefined: nothing is to be published. */
  readonly notes: (number | undefined)[];
  readonly subscribed: boolean[];
  readonly deeds: Record<string, number> = {};
  readonly #world: World;
  readonly #random: SimRandom;
  #note = 0;
  readonly #hear = {
    publication: (message: unknown) => this.#told('publication', message as Told),
    subscription: (message: unknown) => this.#told('subscription', message as Told),
  };
  /** Who asks again, and when; in the order of the times. */
  readonly #again: { readonly at: number; readonly kind: Kind; readonly who: number }[] = [];

  /** Half of the records are publications. */
  constructor(world: World, random: SimRandom, records: number) {
    this.#world = world;
    this.#random = random;
    const users = Math.floor(records / 2);
    this.notes = Array(users).fill(undefined);
    this.subscribed = Array(users).fill(false);
    for (const kind of KINDS) subscribe(`pua:${kind}`, this.#hear[kind]);
  }

  /** All want everything. */
  begin(): void {
    for (let who = 0; who < this.notes.length; who++) {
      this.#publish(who);
      this.#subscribe(who);
    }
  }

  /** One of them does something. */
  act(): void {
    const who = this.#random.int(this.notes.length);
    const kind = this.#random.int(10);
    if (kind < 6) this.#publish(who);
    else if (kind < 7) this.#unpublish(who);
    else if (kind < 9) this.#subscribe(who);
    else this.#unsubscribe(who);
  }

  /** Those who were told that it will not come by itself. */
  askAgain(): void {
    while (this.#again.length > 0 && this.#again[0]!.at <= this.#world.clock.now()) {
      const { kind, who } = this.#again.shift()!;
      if (kind === 'publication' && this.notes[who] !== undefined) this.#publish(who);
      if (kind === 'subscription' && this.subscribed[who]) this.#subscribe(who);
    }
  }

  end(): void {
    for (let who = 0; who < this.notes.length; who++) {
      this.#unpublish(who);
      this.#unsubscribe(who);
    }
  }

  close(): void {
    for (const kind of KINDS) unsubscribe(`pua:${kind}`, this.#hear[kind]);
  }

  /** Where the servers, together, do not hold just what is wanted, once. */
  differences(): string[] {
    const found: string[] = [];
    const published = this.#world.published();
    const dialogs = new Map<string, number>();
    for (const { presentity } of this.#world.servers.flatMap((server) => server.subscriptions)) {
      const user = /(u\d+)@/.exec(presentity)![1]!;
      dialogs.set(user, (dialogs.get(user) ?? 0) + 1);
    }
    for (let who = 0; who < this.notes.length; who++) {
      const holds = (published.get(`u${who}`) ?? []).join();
      const wanted = this.notes[who] === undefined ? '' : String(this.notes[who]);
      if (holds !== wanted) found.push(`u${who}: held [${holds}], wanted [${wanted}]`);
      const held = dialogs.get(`u${who}`) ?? 0;
      if (held !== (this.subscribed[who] ? 1 : 0)) found.push(`u${who}: ${held} subscriptions`);
    }
    const wanted = this.notes.filter((note) => note !== undefined).length + this.subscribed.filter(Boolean).length;
    const { records } = this.#world.pua.stats();
    const has = records.publications + records.subscriptions;
    if (has !== wanted) found.push(`${has} records for ${wanted} wishes`);
    return found.slice(0, 20);
  }

  #publish(who: number): void {
    this.notes[who] = ++this.#note;
    this.#world.publish(`u${who}`, this.#note);
    this.#count('publish');
  }

  #unpublish(who: number): void {
    this.notes[who] = undefined;
    this.#world.unpublish(`u${who}`);
    this.#count('unpublish');
  }

  #subscribe(who: number): void {
    this.subscribed[who] = true;
    this.#world.subscribe(`u${who}`);
    this.#count('subscribe');
  }

  #unsubscribe(who: number): void {
    this.subscribed[who] = false;
    this.#world.subscribe(`u${who}`, 0);
    this.#count('unsubscribe');
  }

  #told(kind: Kind, { presUri, type, reply }: Told): void {
    if (type !== 'terminated' && !(reply && NEVER.has(reply.status))) return;
    const who = Number(/u(\d+)@/.exec(presUri)![1]);
    this.#again.push({ at: this.#world.clock.now() + AGAIN_MS, kind, who });
    this.#count('told');
  }

  #count(deed: string): void {
    this.deeds[deed] = (this.deeds[deed] ?? 0) + 1;
  }
}
