/** The bytes of the messages of RFC 4475, as the npm package `sip` has them among its tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FOLDER = join(dirname(require.resolve('sip/package.json')), 'test/messages');

/** Not of the RFC. */
const OTHERS = ['badcseq', 'baddn_sep', 'test'];

export const NAMES: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.dat'))
  .map((file) => file.slice(0, -'.dat'.length))
  .filter((name) => !OTHERS.includes(name));

export function bytes(name: string): Buffer {
  const message = readFileSync(join(FOLDER, `${name}.dat`));
  // In these files baddn lacks the empty line that ends its head.
  return name === 'baddn' ? Buffer.concat([message, Buffer.from('\r\n')]) : message;
}

export const TORTURE: readonly Buffer[] = NAMES.map(bytes);
