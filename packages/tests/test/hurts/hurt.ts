/**
 * What hurts users of the C modules (the items of the project's list, with the issues upstream), as stories in which it no
 * longer does. Each has mutants, machines that hurt as before: with them the story must fail.
 */
import { createPua, type PuaHandle, type PuaResult } from '@pua/core';
import type { CreatePua } from '../../dist/world/world.js';

/** `harmless` for stories about something else than a Pua. */
export const harmlessOf =
  <T>(real: T) =>
  (name: string, story: (subject: T) => Promise<void>, mutants: Readonly<Record<string, T>>): void => {
    describe(name, () => {
      test('it does not hurt', () => story(real), 60_000);
      test.each(Object.entries(mutants))(
        'it would if %s',
        async (_what, mutant) => {
          // By what it expects, not by a crash.
          await expect(story(mutant)).rejects.toThrow(/expect\(/);
        },
        60_000,
      );
    });
  };

export const harmless = harmlessOf<CreatePua>(createPua);

/** What the owner has been told by now. */
export const told = (handle: PuaHandle): Promise<PuaResult | 'nothing'> =>
  Promise.race([handle.result, 'nothing' as const]);
