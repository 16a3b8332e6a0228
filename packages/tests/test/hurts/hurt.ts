/**
 * What hurts users of the C modules (the items of the project's list, with the issues upstream), as stories in which it no
 * longer does. Each has mutants, machines that hurt as before: with them the story must fail.
 */
import { createPua, type PuaHandle, type PuaResult } from '@pua/core';
import type { CreatePua } from '../../dist/world/world.js';

export function harmless(
  name: string,
  story: (create: CreatePua) => Promise<void>,
  mutants: Readonly<Record<string, CreatePua>>,
): void {
  describe(name, () => {
    test('it does not hurt', () => story(createPua), 60_000);
    test.each(Object.entries(mutants))(
      'it would if %s',
      async (_what, create) => {
        // By what it expects, not by a crash.
        await expect(story(create)).rejects.toThrow(/expect\(/);
      },
      60_000,
    );
  });
}

/** What the owner has been told by now. */
export const told = (handle: PuaHandle): Promise<PuaResult | 'nothing'> =>
  Promise.race([handle.result, 'nothing' as const]);
