/** Configuration file and environment -> configuration, or everything that is wrong with them. */
import { readFileSync } from 'node:fs';
import type { DigestCredentials, OptionsOf, PUA_PARAMETERS } from '@pua/core';
import { nearest, optionName } from '@pua/core';
import { z } from 'zod';
import { leaves } from './leaf.js';
import { ConfigError, type Path, type Problem, pathText } from './problems.js';
import { schema, schemaAt, sectionAt } from './schema.js';
import { Secrets } from './secrets.js';
import type { SourceEntry } from './sources.js';
import { type Environment, fromText, overridesFrom, substitute, variablePlace } from './texts.js';
import { parseTree, type Tree } from './tree.js';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** A companion: its parameters by their names in the file, complete. */
export interface ModuleSection {
  readonly sources: readonly SourceEntry[];
  readonly [parameter: string]: unknown;
}

export interface Config {
  readonly sip: {
    readonly engine: 'embedded' | 'drachtio';
    readonly listen: readonly string[];
    readonly advertise: string | null;
    /** Paths of PEM files. */
    readonly tls: { readonly cert: string | null; readonly key: string | null; readonly ca: string | null };
    /** drachtio-server, for that engine. */
    readonly drachtio: { readonly host: string; readonly port: number; readonly secret: string };
    readonly credentials: readonly DigestCredentials[];
  };
  /** The parameters, complete, by their names in TypeScript. */
  readonly pua: Required<OptionsOf<typeof PUA_PARAMETERS>>;
  readonly modules: {
    readonly usrloc?: ModuleSection;
    readonly dialoginfo?: ModuleSection;
    readonly reginfo?: ModuleSection;
    readonly mi?: { readonly listen: string; readonly token: string | null; readonly hosts: readonly string[] };
  };
  readonly log: { readonly level: LogLevel };
}

export interface LoadedConfig {
  readonly config: Config;
  /** By the names of the file, complete. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Key path -> where its value comes from; absent: the default. */
  readonly origins: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
  readonly secrets: Secrets;
}

/** @throws ConfigError that lists every problem */
export function loadConfig(file: string, env: Environment = process.env): LoadedConfig {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const wrong = code === 'ENOENT' ? 'there is no such file' : `can't be read: ${message}`;
    throw new ConfigError([
      { where: file, path: '', wrong, remedy: 'give the path of the configuration with --config' },
    ]);
  }
  return parseConfig(text, file, env);
}

/** @throws ConfigError that lists every problem */
export function parseConfig(text: string, file: string, env: Environment = {}): LoadedConfig {
  const secrets = new Secrets();
  const problems: Problem[] = [];
  const tree = parseTree(text, file, (given, path, plain, where) => {
    const { text: result, replaced, missing } = substitute(given, env);
    for (const name of missing) {
      const wrong = /^[A-Za-z_]\w*$/.test(name) ? `the environment variable ${name} is not set` : 'a ${ without a name';
      problems.push({
        where,
        path: pathText(path),
        wrong,
        remedy: 'set it, or write $${ for the characters themselves',
      });
    }
    return replaced && plain && missing.length === 0 ? fromTextOrText(result, path) : result;
  });
  problems.push(...tree.problems);
  const origins = new Map([...tree.origins].map(([path, { short }]) => [path, short]));
  const { overrides, problems: wrongOverrides, warnings } = overridesFrom(env);
  problems.push(...wrongOverrides);
  const overridden = new Map<string, string>();
  if (tree.value === null) tree.value = {};
  for (const { name, path, value } of overrides) {
    put(tree, path, value);
    overridden.set(pathText(path), name);
    origins.set(pathText(path), name);
  }
  const unreadable = tree.problems.length > 0;
  const values = filled(tree.value, []);
  collectSecrets(values, [], secrets);
  const parsed = schema.safeParse(values);
  // Of a file that could not be read, nothing more can be said.
  if (!parsed.success && !unreadable) {
    const known = new Set(problems.map(({ path }) => path));
    const more = parsed.error.issues.flatMap((issue) => explained(issue, tree, overridden));
    problems.push(...more.filter(({ path }) => !known.has(path)));
  }
  if (problems.length > 0) {
    throw new ConfigError(inOrder(problems).map((problem) => ({ ...problem, wrong: secrets.hide(problem.wrong) })));
  }
  const complete = withDefaults([], values) as Record<string, Record<string, unknown>>;
  return { config: toConfig(complete), values: complete, origins, warnings, secrets };
}

function fromTextOrText(text: string, path: Path): unknown {
  try {
    return fromText(text, path);
  } catch {
    return text;
  }
}

/** As they stand in the file, then those of the environment. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const rank = ({ where }: Problem): number => {
    const place = /:(\d+):(\d+)$/.exec(where);
    return place ? Number(place[1]) * 1e5 + Number(place[2]) : Number.POSITIVE_INFINITY;
  };
  return [...problems].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sets an overridden value; sections that are missing are made. */
function put(tree: Tree, path: readonly string[], value: unknown): void {
  if (!isRecord(tree.value)) return;
  let section = tree.value;
  for (const part of path.slice(0, -1)) {
    if (!isRecord(section[part])) section[part] = {};
    section = section[part] as Record<string, unknown>;
  }
  section[path.at(-1)!] = value;
}

/** A section without content is an empty one. */
function filled(value: unknown, path: Path): unknown {
  const section = sectionAt(path);
  if (!section) return value;
  if (value === null || value === undefined) return {};
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, filled(inner, [...path, key])]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function collectSecrets(value: unknown, path: Path, secrets: Secrets): void {
  const found = schemaAt(path);
  if (found && leaves.get(found)?.secret) secrets.add(value);
  if (typeof value === 'string') secrets.addUrl(value);
  if (Array.isArray(value)) for (const [i, inner] of value.entries()) collectSecrets(inner, [...path, i], secrets);
  else if (isRecord(value))
    for (const [key, inner] of Object.entries(value)) collectSecrets(inner, [...path, key], secrets);
}

function explained(issue: z.core.$ZodIssue, tree: Tree, overridden: ReadonlyMap<string, string>): Problem[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
  const place = (of: Path, side: 'key' | 'value'): string => {
    for (let length = of.length; length >= 0; length--) {
      const at = pathText(of.slice(0, length));
      const variable = overridden.get(at);
      if (variable !== undefined) return variablePlace(variable);
      const origin = tree.origins.get(at);
      if (origin) return length === of.length ? origin[side] : origin.key;
    }
    return 'the configuration';
  };
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const at = [...path, key];
      return { where: place(at, 'key'), path: pathText(at), wrong: 'unknown key', remedy: meant(path, key) };
    });
  }
  const where = place(path, 'value');
  const text = pathText(path);
  if (issue.code === 'invalid_type') {
    const wrong = issue.expected === 'array' ? 'must be a list' : 'must be a section with keys of its own';
    const known = Object.keys(sectionAt(path) ?? {});
    const remedy = issue.expected === 'array' ? 'write it as [a, b]' : `its keys are ${known.join(', ')}`;
    return [{ where, path: text, wrong, remedy }];
  }
  const semicolon = issue.message.lastIndexOf('; ');
  const wrong = semicolon < 0 ? issue.message : issue.message.slice(0, semicolon);
  const remedy = semicolon < 0 ? 'see the README' : issue.message.slice(semicolon + 2);
  return [{ where, path: text, wrong, remedy }];
}

/** The nearest known key, or the section the key belongs to. */
function meant(section: Path, key: string): string {
  for (const other of [
    [],
    ['sip'],
    ['pua'],
    ['modules'],
    ['modules', 'usrloc'],
    ['modules', 'dialoginfo'],
    ['modules', 'reginfo'],
    ['modules', 'mi'],
    ['log'],
  ]) {
    if (pathText(other) === pathText(section) || !Object.hasOwn(sectionAt(other) ?? {}, key)) continue;
    return other.length === 0 ? `move "${key}" to the top level` : `move it to the section "${pathText(other)}"`;
  }
  return `did you mean "${nearest(key, Object.keys(sectionAt(section) ?? {})).name}"?`;
}

/** Every key there is, in the schema's order; modules only when they are loaded. */
function withDefaults(path: Path, value: unknown): unknown {
  const found = schemaAt(path)!;
  const own = leaves.get(found);
  if (own?.type === 'list') {
    const list = (value ?? own.default) as unknown[] | undefined;
    return list?.map((entry, i) => withDefaults([...path, i], entry));
  }
  if (!(found instanceof z.ZodObject)) return value === undefined ? own?.default : value;
  const given = (value ?? {}) as Record<string, unknown>;
  const complete: Record<string, unknown> = {};
  for (const key of Object.keys(found.shape)) {
    if (pathText(path) === 'modules' && given[key] === undefined) continue;
    const filledIn = withDefaults([...path, key], given[key]);
    if (filledIn !== undefined) complete[key] = filledIn;
  }
  return complete;
}

function toConfig(values: Record<string, Record<string, unknown>>): Config {
  const { sip, pua, modules, log } = values;
  const options = Object.entries(pua!).map(([name, value]) => [optionName(name), value]);
  return { sip, pua: Object.fromEntries(options) as unknown, modules, log } as unknown as Config;
}
