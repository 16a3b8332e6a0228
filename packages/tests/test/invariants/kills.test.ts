/** Invariant 7: kill -9 at any step. With real processes: test/crash. */
import { createPua } from '@pua/core';
import { killsAreHarmless } from '../world/kills';
import { type Mutant, mutant } from '../world/mutant';
import { TIME_MS } from '../world/story';

describe('7: kill -9 at any step', () => {
  test('nothing durable is forgotten, at most one orphan per kill', () => killsAreHarmless(createPua), TIME_MS);

  const mutants: Mutant[] = [
    [
      'entity-tags are not read back',
      /publications/,
      mutant<typeof import('../../../core/src/publication/row.js')>('publication/row.js', (actual) => ({
        publicationFromRow: (...[row, ...rest]: Parameters<typeof actual.publicationFromRow>) =>
          actual.publicationFromRow({ ...row, etag: '' }, ...rest),
      })),
    ],
    ['rows are not read at all', /forgotten/, mutant('restore.js', () => ({ restore: async () => {} }))],
  ];
  test.each(mutants)(
    'caught: %s',
    async (_name, says, create) => {
      await expect(killsAreHarmless(create, 200)).rejects.toThrow(says);
    },
    120_000,
  );
});
