/** Values that come as texts: `${VAR}` in the file, and environment variables that override keys. */
import { nearest } from '@pua/core';
import { parse } from 'yaml';
import { leaves } from './leaf.js';
import { type Path, type Problem, pathText } from './problems.js';
import { schema, schemaAt, sectionAt } from './schema.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Names that the command itself takes. */
const NOT_OVERRIDES = new Set(['PUA_URL', 'PUA_TOKEN']);

/**
 * Replaces `${VAR}`; `$${` stands for `${` itself.
 * @returns the variables that are not set, or are not names, in `missing`
 */
export function substitute(text: string, env: Environment): { text: string; replaced: boolean; missing: string[] } {
  const missing: string[] = [];
  let replaced = false;
  const result = text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (match, name: string | undefined) => {
    if (match === '$${') return '${';
    replaced = true;
    const value = name !== undefined && /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? env[name] : undefined;
    if (value === undefined) missing.push(name ?? '');
    return value ?? '';
  });
  return { text: result, replaced, missing };
}

/** A text as the value that the schema expects at `path`: numbers and lists are written as in YAML. */
export function fromText(text: string, path: Path): unknown {
  const found = schemaAt(path);
  const type = (found && leaves.get(found)?.type) ?? 'section';
  if (type === 'int') return /^\s*[+-]?\d{1,15}\s*$/.test(text) ? Number(text) : text;
  const isYaml = type === 'list' || type === 'section' || (type === 'text-or-list' && /^\s*(\[|null\s*$)/.test(text));
  return isYaml ? parse(text, { maxAliasCount: 0, prettyErrors: false }) : text;
}

/** `PUA_PUA__DB_URL` -> `['pua', 'db_url']` */
const pathOf = (name: string): string[] => name.slice('PUA_'.length).toLowerCase().split('__');
const nameOf = (path: Path): string => `PUA_${path.join('__').toUpperCase()}`;

/** Every variable that would override something. */
function overrideNames(path: readonly string[] = []): string[] {
  const section = sectionAt(path);
  const own = path.length === 0 ? [] : [nameOf(path)];
  return section ? [...own, ...Object.keys(section).flatMap((key) => overrideNames([...path, key]))] : own;
}

export interface Override {
  readonly name: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

export interface Overrides {
  readonly overrides: readonly Override[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export const variablePlace = (name: string): string => `environment variable ${name}`;

/** The overrides in the environment; those with `__` must name a key, others may belong to somebody else. */
export function overridesFrom(env: Environment): Overrides {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  const warnings: string[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith('PUA_') || NOT_OVERRIDES.has(name)) continue;
    const path = pathOf(name);
    const where = variablePlace(name);
    if (path.length === 1 && !Object.hasOwn(schema.shape, path[0]!)) {
      const meant = overrideNames().find((known) => known.replaceAll('__', '_') === name.replaceAll('__', '_'));
      if (meant !== undefined) warnings.push(`${where} is not used: did you mean ${meant}?`);
      continue;
    }
    if (!schemaAt(path)) {
      const remedy = `did you mean ${nearest(name, overrideNames()).name}?`;
      problems.push({ where, path: pathText(path), wrong: 'unknown key', remedy });
      continue;
    }
    try {
      overrides.push({ name, path, value: fromText(text, path) });
    } catch {
      const remedy = 'write lists and sections as YAML or JSON, such as [udp:127.0.0.1:5060]';
      problems.push({ where, path: pathText(path), wrong: 'not valid YAML', remedy });
    }
  }
  // Sections before what stands in them.
  overrides.sort((a, b) => a.path.length - b.path.length);
  return { overrides, problems, warnings };
}
