/**
 * Whatever ends a registration ends what was published of it: an expiry is an event like any other, and the decision to
 * publish was made when the phone registered.
 *
 *   REGISTER Expires: 120 ->   PUBLISH open ->      120 s later, no REGISTER in sight   PUBLISH closed ->      PUBLISH Expires: 0 ->
 */
import { readPidf } from '@pua/documents';
import { embeddedSip } from '@pua/sip';
import { type RegistrarOptions, registrar } from '@pua/sources';
import type { UsrlocOptions } from '@pua/usrloc';
import { SimLocation } from '../../dist/lamps/location.js';
import { Phone } from '../../dist/lamps/phones.js';
import type { World } from '../../dist/world/world.js';
import { brokenUsrloc, harmlessParts, office, type Parts } from './office';

type PerBindings = typeof import('../../../usrloc/src/per-binding.js');
type Aggregates = typeof import('../../../usrloc/src/aggregate.js');
type Outboxes = typeof import('../../../usrloc/src/outbox.js');
type Reconciliations = typeof import('../../../usrloc/src/reconciliation.js');

const PROXY = '10.0.0.20';
const REGISTRAR = { transport: 'udp', host: '10.0.0.1', port: 5060 } as const;

/** A registrar and usrloc; phones behind a proxy. */
async function registered(parts: Parts, options: UsrlocOptions, more: Partial<RegistrarOptions> = {}) {
  const modules = () => {
    const source = registrar({ trusted: [PROXY], ...more });
    return [source, parts.usrloc({ source, ...options })];
  };
  const world = await office(parts, modules, { seed: 11, faults: { delay: [1, 20] } });
  const { clock, random, network } = world;
  const sip = embeddedSip({ listen: [`udp:${PROXY}:5060`], clock, random, bindDatagram: network.bind });
  await sip.start((request) => request.pass());
  const phone = (name: string) => {
    const contact = `sip:${name}@192.0.2.7:5060`;
    return new Phone({ sip, registrar: REGISTRAR, random, aor: 'sip:alice@example.com', contact });
  };
  return { world, phone, stop: () => Promise.all([world.stop(), sip.stop(0)]) };
}

/** What each document that the server holds says. */
const basics = ({ server }: World) =>
  server.publications.map(({ body }) => (readPidf(body.text()).tuples ?? []).map(({ basic }) => basic).join());

const deaf = {
  'an end needed the mark of a REGISTER': brokenUsrloc<PerBindings>('per-binding.js', ({ PerBinding }) => ({
    PerBinding: class extends PerBinding {
      override vanish(): void {}
    },
  })),
};

describe('11: the closing publish (kamailio#3273; OpenSIPS#16, #3608)', () => {
  harmlessParts(
    'a phone is silent: what was published for longer than it was registered is taken back in time',
    async (parts) => {
      const { world, phone, stop } = await registered(parts, { grace: 600 });
      const desk = phone('desk');
      desk.register(120);
      await world.advance(1_000);
      desk.vanish();
      await world.advance(118_000);
      expect(basics(world)).toEqual(['open']);
      await world.advance(2_000);
      expect(basics(world)).toEqual([]);
      await stop();
    },
    deaf,
  );

  for (const aggregate of [0, 1] as const) {
    harmlessParts(
      `the last phone of two runs out: closed, then nothing (aggregate ${aggregate})`,
      async (parts) => {
        const { world, phone, stop } = await registered(parts, { aggregate, explicitOffline: 30, grace: 600 });
        const [desk, mobile] = [phone('desk'), phone('mobile')];
        desk.register(120);
        mobile.register(240);
        await world.advance(1_000);
        for (const one of [desk, mobile]) one.vanish();
        expect(basics(world)).toEqual(aggregate ? ['open,open'] : ['open', 'open']);
        await world.advance(121_000);
        expect(basics(world)).toEqual(['open']);
        await world.advance(121_000);
        expect(basics(world)).toEqual(['closed']);
        await world.advance(30_000);
        expect(basics(world)).toEqual([]);
        expect(world.disk.rows.size).toBe(0);
        await stop();
      },
      aggregate
        ? {
            'an end needed the mark of a REGISTER': brokenUsrloc<Aggregates>('aggregate.js', ({ Aggregate }) => ({
              Aggregate: class extends Aggregate {
                override vanish(): void {}
              },
            })),
          }
        : deaf,
    );
  }

  harmlessParts(
    'a phone that unregisters, and comes back: closed at once, and open again',
    async (parts) => {
      const { world, phone, stop } = await registered(parts, { explicitOffline: 30 });
      const desk = phone('desk');
      desk.register(3600);
      await world.advance(1_000);
      desk.register(0);
      await world.advance(1_000);
      expect(basics(world)).toEqual(['closed']);
      desk.register(3600);
      await world.advance(1_000);
      expect(basics(world)).toEqual(['open']);
      await stop();
    },
    deaf,
  );

  harmlessParts(
    'who was not to be published is not heard of, at his end either; who was, is, though nobody is asked any more',
    async (parts) => {
      let asked = 0;
      const publish: RegistrarOptions['publish'] = (_request, { contact }) => ++asked > 0 && contact.includes('desk');
      const { world, phone, stop } = await registered(parts, { grace: 600 }, { publish });
      const phones = [phone('desk'), phone('mobile')];
      for (const one of phones) one.register(120);
      await world.advance(1_000);
      for (const one of phones) one.vanish();
      expect(basics(world)).toEqual(['open']);
      await world.advance(120_000);
      expect(basics(world)).toEqual([]);
      expect(world.wire.requests.filter(({ method }) => method === 'PUBLISH').map(({ expires }) => expires)).toEqual([
        720, 0,
      ]);
      expect(asked).toBe(2);
      await stop();
    },
    deaf,
  );

  const ranOutMeanwhile = async (parts: Parts, more: Partial<RegistrarOptions>) => {
    const { world, phone, stop } = await registered(parts, { grace: 600 }, more);
    const desk = phone('desk');
    desk.register(120);
    await world.advance(1_000);
    desk.vanish();
    world.kill();
    await world.advance(180_000);
    expect(basics(world)).toEqual(['open']);
    await world.startPua();
    await world.advance(1_000);
    expect(basics(world)).toEqual([]);
    await stop();
  };
  harmlessParts(
    'a registration that ran out while the process was down ends at its start',
    (parts) => ranOutMeanwhile(parts, {}),
    {
      'a start did not compare': brokenUsrloc<Reconciliations>('reconciliation.js', ({ Reconciliation }) => ({
        Reconciliation: class extends Reconciliation {
          override async run(): Promise<void> {}
        },
      })),
    },
  );

  harmlessParts(
    'the same with a registrar that remembers',
    (parts) => ranOutMeanwhile(parts, { location: new SimLocation() }),
    {
      'what has ended were left to run out': brokenUsrloc<Outboxes>('outbox.js', ({ Outbox }) => ({
        Outbox: class extends Outbox {
          override end(): void {}
        },
      })),
    },
  );
});
