/** A companion with one module broken on purpose: what a story or property must catch. */
import { dirname, join } from 'node:path';

/**
 * @param companion package, such as `@pua/usrloc`
 * @param file module below its build, or another package that it uses
 * @param change gets the exports of the module and returns those that are to be others
 * @returns the exports of the companion
 */
export function broken<P extends object, M extends object>(
  companion: string,
  file: string,
  change: (actual: M) => object,
): P {
  const path = file.startsWith('@') ? require.resolve(file) : join(dirname(require.resolve(companion)), file);
  const shared = new Map(
    ['@pua/core', '@pua/documents'].map((name) => [require.resolve(name), jest.requireActual(name)]),
  );
  shared.delete(path);
  let found: P | undefined;
  jest.isolateModules(() => {
    // It is to be a module of the Pua of the story.
    for (const [name, actual] of shared) jest.doMock(name, () => actual);
    jest.doMock(path, () => {
      const actual = jest.requireActual<M>(path);
      return { ...actual, ...change(actual) };
    });
    found = require(companion) as P;
  });
  for (const name of [path, ...shared.keys()]) jest.dontMock(name);
  return found!;
}
