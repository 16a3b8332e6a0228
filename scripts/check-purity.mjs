// Core touches nothing outside: no clock, no chance, no I/O. Biome forbids the globals; this the rest.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.mjs';

const folder = join(root, 'packages/core/src');
const found = [];
for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((n) => n.endsWith('.ts'))) {
  const text = readFileSync(join(folder, name), 'utf8');
  for (const statement of text.match(/^(import|export)[^;]* from '[^']+'/gm) ?? []) {
    const from = / from '([^']+)'$/.exec(statement)[1];
    if (!from.startsWith('.') && from !== 'node:diagnostics_channel' && from !== 'node:crypto')
      found.push(`${name}: imports ${from}`);
    if (from === 'node:crypto' && !/\{ createHash \}/.test(statement))
      found.push(`${name}: only createHash may come from node:crypto`);
  }
  for (const [index, line] of text.split('\n').entries()) {
    if (/Math\.random\(|Date\.now\(|new Date\(/.test(line)) found.push(`${name}:${index + 1}: ${line.trim()}`);
  }
}
if (found.length > 0) {
  console.error(`core must take time, chance and I/O from its ports:\n${found.join('\n')}`);
  process.exit(1);
}
