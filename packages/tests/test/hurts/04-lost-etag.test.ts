/**
 * The document is kept, so a server that has forgotten the entity-tag gets it again; one that forgets for ever is not
 * flooded.
 *
 *   PUBLISH If-Match E1 ->      412 <-      PUBLISH with the document ->      200 E2 <-
 */
import { SourceFlag, type SourceFlagName } from '@pua/core';
import { document, World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { GRANT } from '../world/story';
import { harmless } from './hurt';

type Parts = typeof import('../../../core/src/publication/parts.js');
type Row = typeof import('../../../core/src/publication/row.js');
type Step = typeof import('../../../core/src/publication/step.js');
type Verdict = typeof import('../../../core/src/policy/verdict.js');

const SOURCES = (Object.keys(SourceFlag) as SourceFlagName[]).filter((name) => name.endsWith('_PUBLISH'));
/** The longest time until a publication is refreshed. */
const REFRESH_MS = GRANT * 900;

describe('4: 412 on a refresh is not repaired, on a modify it loops (kamailio#2048, koreader#15707)', () => {
  harmless(
    'the server has forgotten everything: each refresh is repaired at once, whichever module it is of',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, grant: GRANT, etagsByUri: false });
      for (const sourceFlag of SOURCES)
        world.pua.sendPublish({
          presUri: `sip:${sourceFlag}@example.com`,
          event: 'presence',
          sourceFlag,
          body: document(sourceFlag, 1),
        });
      await world.advance(1_000);
      world.server.restart({ forget: true });
      await world.advance(REFRESH_MS);
      expect(world.published()).toEqual(new Map(SOURCES.map((name) => [name, ['1']])));
      // The refresh and its repair, no more.
      expect(world.server.count('PUBLISH', 412)).toBe(SOURCES.length);
      expect(world.wire.requests).toHaveLength(3 * SOURCES.length);
      await world.stop();
    },
    {
      'the document were not kept': mutant<Parts>('publication/parts.js', (actual) => ({
        granted: (...[s, ...rest]: Parameters<typeof actual.granted>) => {
          actual.granted(s, ...rest);
          s.body = null;
        },
      })),
    },
  );

  harmless(
    'our process was restarted meanwhile: the document comes from the table',
    async (create) => {
      const world = await World.start({ seed: 2, createPua: create, grant: GRANT });
      world.publish('alice', 1);
      await world.advance(1_000);
      world.kill();
      world.server.restart({ forget: true });
      await world.startPua();
      await world.advance(REFRESH_MS);
      expect(world.published()).toEqual(new Map([['alice', ['1']]]));
      await world.stop();
    },
    {
      'the table had no document': mutant<Row>('publication/row.js', (actual) => ({
        publicationFromRow: (...[row, ...rest]: Parameters<typeof actual.publicationFromRow>) =>
          actual.publicationFromRow({ ...row, document: null }, ...rest),
      })),
    },
  );

  harmless(
    'a server that answers 412 to everything for an hour gets no storm, and the document when it has come to its senses',
    async (create) => {
      const world = await World.start({ seed: 3, createPua: create, grant: GRANT });
      world.publish('alice', 1);
      await world.advance(1_000);
      world.server.answerNext({ method: 'PUBLISH', status: 412, times: Number.POSITIVE_INFINITY });
      world.publish('alice', 2);
      await world.advance(10_000);
      // Modify, one repair at once, and a few tries under a back-off that starts at 1 s.
      expect(world.server.count('PUBLISH', 412)).toBeLessThan(10);
      await world.advance(3_600_000);
      expect(world.server.count('PUBLISH', 412)).toBeLessThan(200);
      world.server.clearScript();
      await world.advance(120_000);
      expect(world.published()).toEqual(new Map([['alice', ['2']]]));
      await world.stop();
    },
    {
      'each 412 were repaired at once': mutant<Verdict>('policy/verdict.js', (actual) => ({
        judge: (...[answer, ...rest]: Parameters<typeof actual.judge>) => {
          const verdict = actual.judge(answer, ...rest);
          return verdict.row === 'lost' ? { ...verdict, retryAt: rest[1].now + 50 } : verdict;
        },
      })),
      'the second 412 were the end': mutant<Step>('publication/step.js', (actual) => ({
        answer: (...[s, input, c, out]: Parameters<typeof actual.answer>) => {
          const { answer } = input;
          if (answer.kind === 'response' && answer.status === 412 && s.losses > 0) s.phase = 'ended';
          else actual.answer(s, input, c, out);
        },
      })),
    },
  );
});
