/**
 * Registrars that tell each other who is registered: each publishes its own registrations at one presence server and
 * subscribes to those of all. The server puts the documents of all publishers together, as real ones do, and counts versions
 * for each watcher.
 */
import type { Binding, Body } from '@pua/core';
import type { Reginfo } from '@pua/reginfo';
import { embeddedSip } from '@pua/sip';
import { Bindings } from '@pua/sources';
import {
  type Faults,
  type PresenceServer,
  type ServerSubscription,
  SimClock,
  SimNetwork,
  SimRandom,
  simulatePresenceServer,
} from '@pua/testkit';
import type { Parts } from './office';

export interface RegistrarNode {
  readonly name: string;
  readonly host: string;
  readonly location: Bindings;
  readonly reginfo: Reginfo;
  stop(): Promise<void>;
}

/** Time is moved in steps of this, and the server looks for changes after each. */
const STEP_MS = 50;
/** As a server takes them out of documents: two publishers have one each for the same AOR. */
const REGISTRATIONS = /<registration .*<\/registration>/gs;

export class Nodes {
  readonly clock = new SimClock();
  readonly random: SimRandom;
  readonly network: SimNetwork;
  readonly nodes: RegistrarNode[] = [];
  server!: PresenceServer;
  #uri = '';
  /** What is to be sent is not the server's own idea. */
  #telling = false;
  readonly #told = new Map<string, { text: string; version: number }>();
  readonly #cseqs = new Map<Bindings, number>();

  private constructor(seed: number, faults: Faults) {
    this.random = new SimRandom(seed);
    this.network = new SimNetwork(this.clock, this.random);
    this.network.setFaults(faults);
  }

  static async start({ seed = 1, faults = {} }: { seed?: number; faults?: Faults } = {}): Promise<Nodes> {
    const nodes = new Nodes(seed, faults);
    const { clock, random, network } = nodes;
    const { server, uri } = await simulatePresenceServer({ clock, random, network });
    nodes.server = server;
    nodes.#uri = uri;
    server.loseNotifies({ times: Number.POSITIVE_INFINITY, where: () => !nodes.#telling });
    return nodes;
  }

  async node(parts: Parts, name: string, subscribe: readonly string[]): Promise<RegistrarNode> {
    const { clock, random, network } = this;
    const host = `10.0.1.${this.nodes.length + 1}`;
    const location = new Bindings({ clock });
    const serverAddress = `sip:reg@${name}.example.com`;
    const reginfo = parts.reginfo({ source: location, sink: location, node: name, serverAddress, subscribe });
    const sip = embeddedSip({ listen: [`udp:${host}:5060`], clock, random, bindDatagram: network.bind });
    const pua = parts.createPua({ sip, outboundProxy: this.#uri, updatePeriod: 0 }).use(reginfo);
    await pua.start();
    const stop = async () => {
      await pua.stop(0);
      await location.close();
    };
    const node = { name, host, location, reginfo, stop };
    this.nodes.push(node);
    return node;
  }

  /** A REGISTER at a node. */
  register({ location }: RegistrarNode, user: string, contact: string, expires: number): void {
    const cseq = (this.#cseqs.get(location) ?? 0) + 1;
    this.#cseqs.set(location, cseq);
    const aor = `${user}@example.com`;
    location.register({ aor, callId: contact, cseq, contacts: [{ contact: `sip:${contact}@192.0.2.1`, expires }] });
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await this.clock.advanceAsync(Math.min(left, STEP_MS));
      for (const subscription of this.server.subscriptions) this.#tell(subscription);
    }
  }

  #tell(subscription: ServerSubscription): void {
    const { presentity, callId } = subscription;
    const registrations = this.server.publications
      .filter((one) => one.event === 'reg' && one.presentity === presentity)
      .flatMap(({ body }) => body.text().match(REGISTRATIONS) ?? []);
    const text = registrations.join('');
    const last = this.#told.get(callId);
    if (last?.text === text) return;
    const version = (last?.version ?? -1) + 1;
    this.#told.set(callId, { text, version });
    const content = `<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="full">${text}</reginfo>`;
    void this.notify(subscription, { type: 'application/reginfo+xml', content });
  }

  /** A NOTIFY beside those that tell of changes. */
  notify(subscription: ServerSubscription, body: Body): ReturnType<PresenceServer['notify']> {
    this.#telling = true;
    const sent = this.server.notify(subscription, { body });
    this.#telling = false;
    return sent;
  }

  /** PUBLISHes with a document that the server has taken from a node. */
  published({ host }: RegistrarNode): number {
    return this.server.requests.filter(
      ({ method, source, status, body }) => method === 'PUBLISH' && source.host === host && status === 200 && body,
    ).length;
  }

  async stop(): Promise<void> {
    this.network.setFaults({});
    const stopped = Promise.all([...this.nodes.map((node) => node.stop()), this.server.stop(0)]);
    await this.clock.advanceAsync(1_000);
    await stopped;
  }
}

/** `contact origin` of what a node has. */
export async function held({ location }: RegistrarNode): Promise<string[]> {
  const all: Binding[] = [];
  for await (const binding of location.snapshot()) all.push(binding);
  return all.map(({ contact, origin = 'local' }) => `${contact.replace(/^sip:|@.*/g, '')} ${origin}`).sort();
}
