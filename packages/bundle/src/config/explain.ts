/** The effective configuration as YAML, with where each value comes from; secrets are masked. */
import { stringify } from 'yaml';
import { leaves } from './leaf.js';
import type { LoadedConfig } from './load.js';
import { type Path, pathText } from './problems.js';
import { schemaAt } from './schema.js';
import { MASK } from './secrets.js';

const COLUMN = 52;

export function explain({ values, origins, secrets }: LoadedConfig): string {
  const lines: string[] = [];
  section(values, []);
  return `${lines.join('\n')}\n`;

  function section(of: Readonly<Record<string, unknown>>, path: Path): void {
    const indent = '  '.repeat(path.length);
    for (const [key, value] of Object.entries(of)) {
      const at = [...path, key];
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        if (Object.keys(value).length === 0) lines.push(`${indent}${key}: {}`);
        else {
          lines.push(`${indent}${key}:`);
          section(value as Record<string, unknown>, at);
        }
        continue;
      }
      const text = `${indent}${key}: ${secrets.hide(inline(masked(value, at)))}`;
      lines.push(`${text.padEnd(COLUMN)}  # ${originOf(at)}`);
    }
  }

  function originOf(path: Path): string {
    // A list or a section that was set as a whole is the origin of what stands in it.
    for (let length = path.length; length > 0; length--) {
      const origin = origins.get(pathText(path.slice(0, length)));
      if (origin !== undefined && (length === path.length || origin.startsWith('PUA_'))) return origin;
    }
    return 'default';
  }
}

function masked(value: unknown, path: Path): unknown {
  const found = schemaAt(path);
  if (found && leaves.get(found)?.secret && value !== null) return MASK;
  if (Array.isArray(value)) return value.map((entry, i) => masked(entry, [...path, i]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, masked(inner, [...path, key])]));
}

const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim();
