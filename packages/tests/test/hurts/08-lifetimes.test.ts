/** A lifetime is what its owner asks for, not what a timer has left; refreshes are due by deadline, not by polling. */
import type { Binding, BindingListener, DialogListener } from '@pua/core';
import type { PresenceServer } from '@pua/testkit';
import { Switchboard } from '../../dist/lamps/switchboard.js';
import { World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { harmless, told } from './hurt';
import { brokenDialoginfo, brokenUsrloc, call, harmlessParts, lamps, office, phone } from './office';

type Timing = typeof import('../../../core/src/policy/timing.js');
type Lifecycle = typeof import('../../../core/src/lifecycle.js');
type Options = typeof import('../../../core/src/options.js');
type Mapping = typeof import('../../../usrloc/src/mapping.js');
type Sent = typeof import('../../../dialoginfo/src/publications.js');

const generations = ({ publications }: PresenceServer) => publications.map(({ generation }) => generation);
const HOUR_MS = 3_600_000;

describe('8: wrong lifetimes (OpenSIPS#3802, #3915, #3125, #2862, #129, #74, #16, #73; kamailio#4355, #2994)', () => {
  for (const grant of [2, 10, 35, 100, 3600, 86_400]) {
    harmless(
      `granted ${grant} s: the server holds it without a gap`,
      async (create) => {
        const world = await World.start({ seed: grant, createPua: create, grant, pua: { defaultExpires: 86_400 } });
        world.publish('alice', 1);
        world.subscribe('alice');
        await world.advance(500);
        const dialog = world.server.subscriptions[0]!.callId;
        for (let look = 0; look < 300; look++) {
          await world.advance(grant * 40);
          expect(generations(world.server)).toHaveLength(1);
          expect(world.server.subscriptions.map(({ callId }) => callId)).toEqual([dialog]);
        }
        // One publication that is refreshed, not a new one each time; and not more often than every half lifetime.
        const [generation] = generations(world.server);
        expect(generation).toBeGreaterThan(10);
        expect(generation).toBeLessThan(30);
        expect(world.wire.requests.filter(({ method }) => method === 'PUBLISH')).toHaveLength(generation!);
        await world.stop();
      },
      {
        'it were refreshed when it has run out': mutant<Timing>('policy/timing.js', () => ({
          refreshDelay: (grantedMs: number) => grantedMs + 1,
        })),
      },
    );
  }

  harmless(
    'asked for 120 s: that is on the wire, and after 120 s it is over, at the server and here',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, faults: { delay: [200, 900] } });
      world.publish('alice', 1, { expires: 120 });
      await world.advance(119_000);
      expect(generations(world.server)).toHaveLength(1);
      expect(world.pua.stats().records.publications).toBe(1);
      await world.advance(3_000);
      expect(generations(world.server)).toHaveLength(0);
      expect(world.pua.stats().records.publications).toBe(0);
      expect(world.wire.requests.map(({ expires }) => expires)).toEqual([120]);
      await world.stop();
    },
    {
      'the default were taken': mutant<Lifecycle>('lifecycle.js', () => ({ lifetime: () => 3600 })),
      'it were kept for ever': mutant<Lifecycle>('lifecycle.js', () => ({
        desiredEnd: () => Number.POSITIVE_INFINITY,
      })),
    },
  );

  harmless(
    'asked for 250 s, granted 100: refreshed as long as there is a rest, and for the rest',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, grant: 100 });
      world.publish('alice', 1, { expires: 250 });
      await world.advance(249_000);
      expect(generations(world.server)).toHaveLength(1);
      await world.advance(2_000);
      expect(generations(world.server)).toHaveLength(0);
      const asked = world.wire.requests.map(({ at, expires }) => Math.round(at / 1000) + expires);
      expect(asked.every((end) => Math.abs(end - 250) <= 1)).toBe(true);
      expect(asked.length).toBeGreaterThan(2);
      await world.stop();
    },
    { 'each refresh asked for all of it': mutant<Lifecycle>('lifecycle.js', () => ({ lifetime: () => 250 })) },
  );

  harmless(
    'default_expires counts, below 600 too; longer ones are not cut',
    async (create) => {
      for (const seconds of [90, 600, 7200]) {
        const world = await World.start({ seed: 1, createPua: create, pua: { defaultExpires: seconds } });
        world.publish('alice', 1);
        world.publish('bob', 1, { expires: 86_400 });
        await world.advance(1_000);
        expect(world.wire.requests.map(({ expires }) => expires)).toEqual([seconds, 86_400]);
        await world.stop();
      }
    },
    {
      'values below 600 became 3600, as in C': mutant<Options>('options.js', (actual) => ({
        checkOptions: (given: Parameters<typeof actual.checkOptions>[0]) => {
          const { defaultExpires = 3600, ...rest } = given;
          return actual.checkOptions({ ...rest, defaultExpires: defaultExpires < 600 ? 3600 : defaultExpires });
        },
      })),
    },
  );

  harmless(
    'a wall clock that jumps, back and forth, moves nothing',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, grant: 600 });
      const handle = world.publish('alice', 1);
      world.subscribe('alice');
      for (let hour = 0; hour < 12; hour++) {
        world.clock.jumpWall((hour % 2 ? -7 : 7) * HOUR_MS);
        await world.advance(HOUR_MS / 4);
        expect(generations(world.server)).toHaveLength(1);
        expect(world.server.subscriptions).toHaveLength(1);
      }
      expect(await told(handle)).toMatchObject({ outcome: 'accepted' });
      expect(world.wire.requests.filter(({ method, ifMatch }) => method === 'PUBLISH' && !ifMatch)).toHaveLength(1);
      await world.stop();
    },
    {
      'deadlines ran on wall time': mutant<typeof import('../../../core/src/pua.js')>('pua.js', ({ createPua }) => ({
        createPua: ({ sip, ...options }: Parameters<typeof createPua>[0]) => {
          const { clock } = sip;
          const wall = { now: () => clock.wall(), wall: () => clock.wall(), after: clock.after.bind(clock) };
          const port = new Proxy(sip, {
            get: (target, name) => (name === 'clock' ? wall : Reflect.get(target, name, target)),
          });
          return createPua({ ...options, sip: port });
        },
      })),
    },
  );

  harmlessParts(
    'a registration: published until its end, which a refresh moves, though nobody says when it is over',
    async (parts) => {
      let tell: BindingListener = () => {};
      const source = {
        onEvent: (listener: BindingListener) => {
          tell = listener;
          return () => {};
        },
      };
      const world = await office(parts, () => [parts.usrloc({ source })]);
      const bound = (seconds: number): Binding => ({
        aor: 'alice@example.com',
        bindingId: 'desk',
        contact: 'sip:alice@192.0.2.1',
        expiresAt: world.clock.wall() + seconds * 1000,
      });
      await tell({ kind: 'insert', binding: bound(120) });
      await world.advance(60_000);
      await tell({ kind: 'update', binding: bound(600) });
      for (let minute = 0; minute < 10; minute++) {
        await world.advance(59_900);
        expect(generations(world.server)).toEqual([2]);
      }
      await world.advance(3_000);
      expect(generations(world.server)).toEqual([]);
      expect(world.wire.requests.map(({ expires }) => expires)).toEqual([121, 601]);
      await world.stop();
    },
    {
      'it were the default': brokenUsrloc<Mapping>('mapping.js', () => ({ lifetime: () => 3600 })),
      'it were that of the first REGISTER': brokenUsrloc<Mapping>('mapping.js', ({ lifetime }) => {
        let first = 0;
        return {
          lifetime: (...[expiresAt, now, grace]: Parameters<typeof lifetime>) => {
            first ||= expiresAt;
            return lifetime(first, now, grace);
          },
        };
      }),
    },
  );

  harmlessParts(
    'a call: ringing is believed for as long as it may ring, an answer for as long as the call may last',
    async (parts) => {
      const calls = new Switchboard();
      // It can't tell which of its calls live.
      const source = { onEvent: (listener: DialogListener) => calls.onEvent(listener) };
      const world = await office(parts, () => [parts.dialoginfo({ source })]);
      // What may ring for 30 s and is answered after 25.
      const answered = { callee: phone('b') };
      calls.tell(call('early', { ...answered, lifetime: 30 }));
      // And one that nobody ever ends.
      const lost = { key: 'lost', callId: 'lost', caller: { uri: 'sip:carol@example.com' }, callee: phone('d') };
      calls.tell(call('early', { ...lost, lifetime: 30 }));
      await world.advance(25_000);
      calls.tell(call('confirmed', { ...answered, lifetime: 7_200 }));
      await world.advance(7_000);
      expect(lamps(world)).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
      for (let minutes = 5; minutes < 120; minutes += 5) {
        await world.advance(300_000);
        expect(lamps(world)).toEqual({ alice: ['confirmed'], bob: ['confirmed'] });
      }
      await world.advance(301_000);
      expect(lamps(world)).toEqual({});
      await world.stop();
    },
    {
      'it were that of the timer of the INVITE': brokenDialoginfo<Sent>('publications.js', ({ Publications }) => {
        const first = new Map<string, number>();
        return {
          Publications: class extends Publications {
            override list(listing: Parameters<InstanceType<typeof Publications>['list']>[0]): void {
              const { id } = listing.dialog;
              first.set(id, first.get(id) ?? listing.until);
              super.list({ ...listing, until: first.get(id)! });
            }
            override prolong(): void {}
          },
        };
      }),
      'it were 12 hours': brokenDialoginfo<Sent>('publications.js', ({ Publications }) => ({
        Publications: class extends Publications {
          override list(listing: Parameters<InstanceType<typeof Publications>['list']>[0]): void {
            super.list({ ...listing, until: listing.until + 12 * HOUR_MS });
          }
          override prolong(): void {}
        },
      })),
    },
  );
});
