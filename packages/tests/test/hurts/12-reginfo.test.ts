/**
 * Registrars that publish and subscribe do not go round in circles, whatever a NOTIFY holds leaves them standing, and a
 * publication stays where it was created, as long as there are contacts.
 *
 *   phone -> node a: PUBLISH      NOTIFY -> node b: written as learned, not published      NOTIFY -> node a: its own, no news
 */
import type { Binding, BindingEvent, PuaModule, PuaOptions, RegistrationSource } from '@pua/core';
import { readRegInfo, writeRegInfo } from '@pua/documents';
import { Bindings } from '@pua/sources';
import { SimClock } from '@pua/testkit';
import { SimLocation } from '../../dist/lamps/location.js';
import type { CreatePua, World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { held, Nodes } from './nodes';
import { brokenReginfo, harmlessParts, type Mutant, office, PARTS, type Parts } from './office';

type Row = typeof import('../../../core/src/publication/row.js');
type PublicationRecords = typeof import('../../../core/src/publication/record.js');
type Consumers = typeof import('../../../reginfo/src/consumer.js');
type Mapping = typeof import('../../../reginfo/src/mapping.js');

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const WATCHED = ['sip:alice@example.com', 'sip:bob@example.com'];

/** The module with a source that does not say where a binding comes from. */
const originless: Mutant = {
  reginfo: (options = {}) => {
    const { source: given, ...rest } = options;
    return PARTS.reginfo({ ...rest, source: withoutOrigin(given!) });
  },
};

function withoutOrigin(source: RegistrationSource): RegistrationSource {
  const plain = ({ origin: _, ...binding }: Binding): Binding => binding;
  const event = ({ hints: _, siblings = [], ...rest }: BindingEvent): BindingEvent => ({
    ...rest,
    binding: plain(rest.binding),
    siblings: siblings.map(plain),
  });
  return {
    onEvent: (listener) => source.onEvent((told) => listener(event(told))),
    bindings: async (aor, table) => (await source.bindings!(aor, table)).map(plain),
  };
}

/** A location service of a registrar that is started with the process, on a disk of its own. */
function registrarOf(disk: SimLocation, clock: PuaOptions['sip']['clock']): PuaModule & { readonly source: Bindings } {
  const source = new Bindings({ clock, store: disk });
  return { name: 'location', source, setup: () => {}, start: () => source.open(), stop: () => source.close() };
}

async function registering(parts: Parts, options: Parameters<Parts['reginfo']>[0], more: Parameters<typeof office>[2]) {
  const disk = new SimLocation();
  const now: { source?: Bindings } = {};
  const modules = ({ sip }: PuaOptions) => {
    const location = registrarOf(disk, sip.clock);
    now.source = location.source;
    return [location, parts.reginfo({ source: location.source, ...options })];
  };
  const world = await office(parts, modules, more);
  let cseq = 0;
  const register = (expires: number) => {
    const contacts = [{ contact: 'sip:alice@192.0.2.1', expires }];
    now.source!.register({ aor: 'alice@example.com', callId: 'phone', cseq: ++cseq, contacts });
  };
  return { world, register };
}

const publishes = ({ wire }: World) => wire.requests.filter(({ method }) => method === 'PUBLISH');

describe('12: reginfo (kamailio#377, #499, #1579, #1623, #247, #4252, #4355, #1176, #1177)', () => {
  const proxies = {
    'a row did not keep it': {
      createPua: mutant<Row>('publication/row.js', ({ writeColumns }) => ({
        writeColumns: (...[row, ...rest]: Parameters<typeof writeColumns>) => {
          writeColumns(row, ...rest);
          row.outbound_proxy = null;
        },
      })) as typeof PARTS.createPua,
    },
    'refreshes went to the one of the core, as in C': {
      createPua: mutant<PublicationRecords>('publication/record.js', ({ PublicationRecord }) => ({
        PublicationRecord: class extends PublicationRecord {
          override routes(): readonly string[] {
            return this.heldAt === '' ? super.routes() : this.host.outboundProxies;
          }
        },
      })) as CreatePua as typeof PARTS.createPua,
    },
  };
  harmlessParts(
    'a publication with an outbound proxy of its own is refreshed, modified and removed there, after a restart too',
    async (parts) => {
      const { world, register } = await registering(
        parts,
        { outboundProxy: 'sip:10.0.0.10:5060' },
        { servers: 2, grant: 600, pua: { outboundProxy: 'sip:10.0.0.9:5060' } },
      );
      register(7_200);
      await world.advance(HOUR_MS);
      world.kill();
      await world.startPua();
      await world.advance(HOUR_MS / 2);
      register(7_200);
      await world.advance(HOUR_MS);
      expect(world.servers.map(({ publications }) => publications.length)).toEqual([0, 1]);
      register(0);
      await world.advance(MINUTE_MS);
      expect(world.servers[1]!.publications).toEqual([]);
      expect(new Set(publishes(world).map(({ to }) => to))).toEqual(new Set(['10.0.0.10:5060']));
      expect(publishes(world).length).toBeGreaterThan(15);
      expect(world.servers[1]!.count('PUBLISH', 412)).toBe(0);
      await world.stop();
    },
    proxies,
  );

  harmlessParts(
    'two nodes that publish and subscribe each other: each tells its own, learns the other, and it ends',
    async (parts) => {
      const nodes = await Nodes.start({ faults: { delay: [5, 40] } });
      const [a, b] = [await nodes.node(parts, 'a', WATCHED), await nodes.node(parts, 'b', WATCHED)];
      await nodes.advance(1_000);
      nodes.register(a, 'alice', 'desk', 3600);
      nodes.register(b, 'alice', 'mobile', 3600);
      nodes.register(a, 'bob', 'soft', 3600);
      for (let round = 0; round < 5; round++) {
        await nodes.advance(10_000);
        nodes.register(a, 'alice', 'desk', 3600);
      }
      await nodes.advance(10_000);
      expect(await held(a)).toEqual(['desk local', 'mobile reginfo', 'soft local']);
      expect(await held(b)).toEqual(['desk reginfo', 'mobile local', 'soft reginfo']);
      // One document for each REGISTER, and none for what was learned.
      expect([nodes.published(a), nodes.published(b)]).toEqual([7, 1]);
      nodes.register(a, 'alice', 'desk', 0);
      await nodes.advance(MINUTE_MS);
      expect([await held(a), await held(b)]).toEqual([
        ['mobile reginfo', 'soft local'],
        ['mobile local', 'soft reginfo'],
      ]);
      nodes.register(a, 'bob', 'soft', 0);
      nodes.register(b, 'alice', 'mobile', 0);
      await nodes.advance(2 * MINUTE_MS);
      expect([await held(a), await held(b)]).toEqual([[], []]);
      expect(nodes.server.publications).toEqual([]);
      expect([nodes.published(a), nodes.published(b)]).toEqual([9, 2]);
      await nodes.stop();
    },
    { 'nobody said where a binding comes from': originless },
  );

  const ACTIVE = (aor: string, contact: string) =>
    writeRegInfo({
      version: 1,
      state: 'full',
      registrations: [
        {
          aor,
          id: 'r',
          state: 'active',
          contacts: [
            { id: contact, state: 'active', event: 'registered', uri: `sip:${contact}@192.0.2.9`, expires: 600 },
          ],
        },
      ],
    });
  const good = ACTIVE('sip:alice@example.com', 'good');
  const ODD: readonly (readonly [type: string, content: string | Uint8Array])[] = [
    ['application/reginfo+xml', 'no XML'],
    ['application/reginfo+xml', '<'],
    ['application/reginfo+xml', good.slice(0, good.length / 2)],
    ['application/reginfo+xml', '<reginfo/>'],
    ['application/reginfo+xml', '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]><r>&e;</r>'],
    ['application/reginfo+xml', '<a>'.repeat(5_000)],
    ['application/reginfo+xml', new Uint8Array([0, 255, 254, 60, 0])],
    ['application/reginfo+xml', good.replace('version="1"', 'version="-1"')],
    ['application/reginfo+xml', good.replace('version="1"', 'version="99999999999999999999"')],
    ['application/reginfo+xml', good.replace('sip:alice@example.com', 'nobody')],
    ['application/reginfo+xml', good.replace('urn:ietf:params:xml:ns:reginfo', 'urn:other')],
    ['application/reginfo+xml', good.replace(' id="good"', '')],
    ['text/plain', good],
    ['application/pidf+xml', good],
  ];
  harmlessParts(
    'NOTIFYs of any kind: each is answered at once, and the next good one is applied',
    async (parts) => {
      const nodes = await Nodes.start();
      const node = await nodes.node(parts, 'a', ['sip:alice@example.com']);
      await nodes.advance(1_000);
      const { server } = nodes;
      const [subscription] = server.subscriptions;
      const answers: unknown[] = ODD.map(() => 'silence');
      for (const [i, [type, content]] of ODD.entries()) {
        void nodes.notify(subscription!, { type, content }).then((outcome) => {
          answers[i] = outcome.kind === 'response' ? Math.floor(outcome.status / 100) : outcome.kind;
        });
      }
      await nodes.advance(500);
      for (const answer of answers) expect([2, 4, 5]).toContain(answer);
      await nodes.advance(MINUTE_MS);
      // Some of them have ended the subscription, which is opened anew; versions begin anew with it.
      const [now] = server.subscriptions;
      void nodes.notify(now!, { type: 'application/reginfo+xml', content: good.replace('version="1"', 'version="9"') });
      await nodes.advance(500);
      expect(await held(node)).toEqual(['good reginfo']);
      await nodes.stop();
    },
    {
      'a document that can not be read stopped the line': brokenReginfo<Consumers>('consumer.js', ({ Consumer }) => ({
        Consumer: class extends Consumer {
          override async handle(received: Parameters<InstanceType<typeof Consumer>['handle']>[0]) {
            const handled = await super.handle(received);
            return handled.code === -1 ? new Promise<never>(() => {}) : handled;
          }
        },
      })),
    },
  );

  harmlessParts(
    'a registrar that looks up, publishes and applies other documents while one is written: nobody waits for himself',
    async (parts) => {
      const location = new Bindings({ clock: new SimClock() });
      const steps: string[] = [];
      const inner = { subscriptionId: 'other', body: ACTIVE('sip:bob@example.com', 'inner') };
      const sink = new Proxy(location, {
        get: (target, name) => {
          if (name !== 'upsert') {
            const value = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
          }
          return async (...[binding, meta]: Parameters<Bindings['upsert']>) => {
            const done = await target.upsert(binding, meta);
            steps.push(`written ${binding.aor}`);
            if (meta.subscriptionId === 'other') return done;
            await target.bindings(binding.aor);
            const { code } = await module.reginfoHandleNotify(inner);
            steps.push(`inner ${code}`, `update ${await module.reginfoUpdate(binding.aor)}`);
            return done;
          };
        },
      });
      const module = parts.reginfo({ source: location, sink, node: 'a' });
      const world = await office(parts, () => [module]);
      let handled: unknown = 'it waits for ever';
      void module.reginfoHandleNotify({ subscriptionId: 'one', body: good }).then(({ code }) => {
        handled = code;
      });
      await world.advance(1_000);
      expect({ handled, steps }).toEqual({
        handled: 1,
        steps: ['written alice@example.com', 'written bob@example.com', 'inner 1', 'update -1'],
      });
      await world.stop();
    },
    {
      'all documents were applied one after another': brokenReginfo<Consumers>('consumer.js', ({ Consumer }) => ({
        Consumer: class extends Consumer {
          #line: Promise<unknown> = Promise.resolve();
          override handle(received: Parameters<InstanceType<typeof Consumer>['handle']>[0]) {
            const result = this.#line.then(() => super.handle(received));
            this.#line = result;
            return result;
          }
        },
      })),
    },
  );

  harmlessParts(
    'a phone that registers every two minutes: one publication, which lives as long as the contact',
    async (parts) => {
      const { world, register } = await registering(parts, {}, { faults: { delay: [5, 100] } });
      for (let minutes = 0; minutes < 60; minutes += 2) {
        register(150);
        await world.advance(2 * MINUTE_MS);
        expect(world.server.publications).toHaveLength(1);
      }
      expect(Math.max(...publishes(world).map(({ expires }) => expires))).toBe(151);
      expect(publishes(world).filter(({ ifMatch }) => ifMatch === undefined)).toHaveLength(1);
      // Nobody says that it has gone: it ran out.
      await world.advance(45_000);
      const [last] = world.server.publications;
      expect(readRegInfo(last!.body.text()).registrations[0]).toMatchObject({
        state: 'terminated',
        contacts: [{ state: 'terminated', event: 'expired' }],
      });
      await world.advance(20_000);
      expect(world.server.publications).toEqual([]);
      expect([...world.pua.list()]).toEqual([]);
      await world.stop();
    },
    {
      'a publication were made for an hour': brokenReginfo<Mapping>('mapping.js', ({ registeredUntil }) => ({
        registeredUntil: (...[live, now]: Parameters<typeof registeredUntil>) =>
          registeredUntil(live, now) === undefined ? undefined : now + HOUR_MS,
      })),
    },
  );
});
