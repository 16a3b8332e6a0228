/** A Pua with one module of core broken on purpose: what a property must catch. */
import { dirname, join } from 'node:path';
import type { CreatePua } from '../../dist/world/world.js';

/** What is broken, what the property says of it, and the broken machine. */
export type Mutant = [name: string, says: RegExp, create: CreatePua];

type Module = Record<string, never>;

/** `file` below core's build; `change` gets its exports and returns those that are to be others. */
export function mutant<M extends object = Module>(file: string, change: (actual: M) => object): CreatePua {
  const path = join(dirname(require.resolve('@pua/core')), file);
  let createPua: CreatePua | undefined;
  jest.isolateModules(() => {
    jest.doMock(path, () => {
      const actual = jest.requireActual<M>(path);
      return { ...actual, ...change(actual) };
    });
    createPua = (require('@pua/core') as { createPua: CreatePua }).createPua;
  });
  jest.dontMock(path);
  return createPua!;
}
