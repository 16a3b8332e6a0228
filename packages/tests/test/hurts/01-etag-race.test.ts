/**
 * While a PUBLISH is on the wire, newer documents wait and replace each other: none of them can carry an entity-tag that
 * is about to be replaced.
 *
 *   PUBLISH trying ->      early, confirmed, terminated: noted      200 E1 <-      PUBLISH terminated If-Match E1 ->
 */
import { World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { harmless } from './hurt';

type Parts = typeof import('../../../core/src/publication/parts.js');
type Step = typeof import('../../../core/src/publication/step.js');
type Gate = typeof import('../../../core/src/sending/gate.js');

/** Slow and out of order, nothing lost. */
const faults = { delay: [5, 300] } as const;

describe('1: ETag race (kamailio#21, #2048, #514, #724; OpenSIPS#3801; pjsip#411, #996)', () => {
  harmless(
    'a burst of documents: no 412, no second presentity, the newest wins',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, faults });
      const handles = [];
      for (let note = 1; note <= 50; note++) {
        handles.push(world.publish('alice', note));
        await world.advance(20);
      }
      await world.advance(5_000);
      expect(world.published()).toEqual(new Map([['alice', ['50']]]));
      expect(world.server.stats().answered).toEqual({ PUBLISH: { 200: world.wire.requests.length } });
      // Latest wins, no queue of stale states: at most one request per time that one takes.
      expect(world.wire.requests.length).toBeLessThan(15);
      expect(world.wire.violations).toEqual([]);
      const outcomes = (await Promise.all(handles.map(({ result }) => result))).map(({ outcome }) => outcome);
      expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(world.wire.requests.length);
      expect(outcomes.at(-1)).toBe('accepted');
      expect(new Set(outcomes)).toEqual(new Set(['accepted', 'superseded']));
      await world.stop();
    },
    {
      'each document opened a publication of its own': mutant<Parts>('publication/parts.js', () => ({
        holds: () => false,
      })),
      'the entity-tag were that of the first answer': mutant<Parts>('publication/parts.js', (actual) => ({
        granted: (...[s, etag, ...rest]: Parameters<typeof actual.granted>) =>
          actual.granted(s, s.etag || etag, ...rest),
      })),
    },
  );

  harmless(
    'a call: trying, early, confirmed, terminated within a second, and no lamp stays lit',
    async (create) => {
      const world = await World.start({ seed: 2, createPua: create, faults });
      for (let call = 0; call < 20; call++) {
        for (const state of ['trying', 'early', 'confirmed']) {
          world.publish(`line${call}`, state);
          await world.advance(call * 15);
        }
        world.unpublish(`line${call}`);
      }
      await world.advance(5_000);
      expect(world.published()).toEqual(new Map());
      expect(world.server.count('PUBLISH', 412)).toBe(0);
      expect(world.pua.stats().records).toEqual({ publications: 0, subscriptions: 0 });
      await world.stop();
    },
    {
      'an end were lost behind the request on the wire': mutant<Step>('publication/step.js', () => ({
        endMeanwhile: () => {},
      })),
    },
  );

  harmless(
    'callers that know no entity-tag, two publications of one presentity: each has its own chain',
    async (create) => {
      const world = await World.start({ seed: 3, createPua: create, faults, etagsByUri: false });
      for (let note = 1; note <= 30; note++) {
        world.publish('alice', `${note}`, { id: note % 2 ? 'phone' : 'desk' });
        await world.advance(note * 7);
      }
      await world.advance(5_000);
      expect(world.published()).toEqual(new Map([['alice', ['29', '30']]]));
      expect(world.server.count('PUBLISH', 412)).toBe(0);
      expect(world.wire.violations).toEqual([]);
      await world.stop();
    },
    {
      'both went out at once': mutant<Gate>('sending/gate.js', ({ Gate }) => ({
        Gate: class extends Gate<never> {
          override enter(): boolean {
            return true;
          }
        },
      })),
    },
  );
});
