/**
 * Invariants 1, 2, 5, 6 of docs/invariants.md as a property of random stories under the simulated clock, and its mutants:
 * machines broken on purpose that it must catch. fast-check prints seed and path of a failure; PUA_RUNS sets the number of
 * stories.
 */
import { createPua } from '@pua/core';
import * as fc from 'fast-check';
import { type CreatePua, World } from '../../dist/world/world.js';
import { type Mutant, mutant } from '../world/mutant';
import { calm, deeds, faultsOf, GRANT, POLICY, report, TIME_MS, tell } from '../world/story';

/** 1, 2, 5, 6: whatever happens, the wire keeps the rules; when it is calm, the server holds just what is wanted. */
const wishesComeTrue = (create: CreatePua, tries?: number) =>
  fc.assert(
    fc.asyncProperty(fc.nat(), deeds(), async (seed, story) => {
      const world = await World.start({ seed, createPua: create, grant: GRANT, pua: { policy: POLICY } });
      const wish = await tell(world, story);
      await calm(world);
      expect(faultsOf(world, wish)).toEqual([]);
      await world.stop();
    }),
    report(tries),
  );

type Publication = import('../../../core/src/publication/state.js').Publication;
type Effect = import('../../../core/src/publication/state.js').PublicationEffect;
type Send = Extract<Effect, { kind: 'send' }>;

/** What a publication sends is changed. */
const sending = (change: (send: Send, before: Readonly<Publication>) => Send) =>
  mutant<typeof import('../../../core/src/publication/step.js')>('publication/step.js', (actual) => ({
    slot: (...[s, input, c, out]: Parameters<typeof actual.slot>) => {
      const before = s.copy();
      const own: Effect[] = [];
      actual.slot(s, input, c, own);
      out.push(...own.map((effect) => (effect.kind === 'send' ? change(effect, before) : effect)));
    },
  }));

describe('1, 2, 5, 6: the wish comes true', () => {
  test('random owners, answers, losses, NOTIFYs', () => wishesComeTrue(createPua), TIME_MS);

  const mutants: Mutant[] = [
    [
      'a newer document is dropped while a request is on the wire',
      /server holds/,
      mutant('publication/step.js', () => ({ wishMeanwhile: () => {} })),
    ],
    [
      'an end is dropped while a request is on the wire',
      /server holds|at the server/,
      mutant('publication/step.js', () => ({ endMeanwhile: () => {} })),
    ],
    [
      'a subscription is impatient: it takes its request for lost before the engine does',
      /1: two requests in flight/,
      mutant<typeof import('../../../core/src/subscription/record.js')>(
        'subscription/record.js',
        ({ SubscriptionRecord }) => ({
          SubscriptionRecord: class extends SubscriptionRecord {
            #waits = false;
            override draft(...args: Parameters<InstanceType<typeof SubscriptionRecord>['draft']>) {
              const draft = super.draft(...args);
              const lost = { kind: 'unreachable', cause: 'lost', sent: true, barredUntil: 0, cseq: 0 } as const;
              if (draft) this.host.sip.clock.after(200, () => this.answered(lost, ''));
              this.#waits = draft !== null;
              return draft;
            }
            override answered(...args: Parameters<InstanceType<typeof SubscriptionRecord>['answered']>) {
              if (this.phase !== 'queued' && !this.#waits) return;
              this.#waits = false;
              super.answered(...args);
            }
          },
        }),
      ),
    ],
    [
      'an initial PUBLISH has an entity-tag',
      /2: If-Match/,
      sending((effect) => (effect.request === 'initial' ? { ...effect, etag: 'e' } : effect)),
    ],
    [
      'a refresh brings the document',
      /2: refresh of/,
      sending((effect, before) => (effect.request === 'refresh' ? { ...effect, body: before.body } : effect)),
    ],
    [
      'a removal brings the document',
      /2: removal of/,
      sending((effect, before) => (effect.request === 'remove' ? { ...effect, body: before.body } : effect)),
    ],
    [
      'each document gets a new tuple id',
      /2: tuple id/,
      mutant<typeof import('../../../core/src/publication/parts.js')>('publication/parts.js', (actual) => ({
        adopt: (...[s, ...rest]: Parameters<typeof actual.adopt>) => {
          actual.adopt(s, ...rest);
          s.tupleId = null;
        },
      })),
    ],
    [
      'the first entity-tag is kept',
      /2: If-Match/,
      mutant<typeof import('../../../core/src/publication/parts.js')>('publication/parts.js', (actual) => ({
        granted: (...[s, etag, ...rest]: Parameters<typeof actual.granted>) =>
          actual.granted(s, s.etag || etag, ...rest),
      })),
    ],
    [
      'a CSeq is used twice',
      /5: CSeq/,
      mutant<typeof import('../../../core/src/subscription/step.js')>('subscription/step.js', (actual) => ({
        slot: (...[s, ...rest]: Parameters<typeof actual.slot>) => {
          const before = s.callId;
          actual.slot(s, ...rest);
          if (s.callId === before) s.cseq--;
        },
      })),
    ],
    [
      'the local tag of a dialog changes',
      /5: From tag/,
      mutant<typeof import('../../../core/src/subscription/step.js')>('subscription/step.js', (actual) => ({
        slot: (...[s, input, ...rest]: Parameters<typeof actual.slot>) => {
          actual.slot(s, input, ...rest);
          s.localTag = `${input.localTag}${s.cseq}`;
        },
      })),
    ],
    [
      'an ended record stays in memory',
      /records in memory/,
      mutant<typeof import('../../../core/src/records.js')>('records.js', ({ Records }) => ({
        Records: class extends Records {
          override remove(): void {}
        },
      })),
    ],
    [
      'an ended record keeps its row',
      /rows for/,
      mutant<typeof import('../../../core/src/publication/record.js')>(
        'publication/record.js',
        ({ PublicationRecord }) => ({
          PublicationRecord: class extends PublicationRecord {
            #last: ReturnType<InstanceType<typeof PublicationRecord>['row']> = null;
            override row() {
              this.#last = super.row() ?? this.#last;
              return this.#last;
            }
          },
        }),
      ),
    ],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, says, create) => {
      await expect(wishesComeTrue(create, 400)).rejects.toThrow(says);
    },
    120_000,
  );
});
