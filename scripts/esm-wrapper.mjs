// Writes dist/index.mjs and dist/index.d.mts beside the CommonJS build, so that `import` and `require` get the very
// same instance of a package. Run in the package's folder, after tsc.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const dist = join(process.cwd(), 'dist');
const names = Object.keys(createRequire(import.meta.url)(join(dist, 'index.js'))).filter((n) => n !== '__esModule');
const list = names.length > 0 ? `export const {\n${names.map((n) => `  ${n},\n`).join('')}} = cjs;\n` : '';
writeFileSync(join(dist, 'index.mjs'), `import cjs from './index.js';\n\n${list}`);
writeFileSync(join(dist, 'index.d.mts'), `export * from './index.js';\n`);
