/**
 * The 13 parameters of the module, by their documented names. This one table gives the TypeScript options (camelCase),
 * the configuration schema and the tables in the docs.
 */
import { PuaError } from './errors.js';

export interface ParameterSpec {
  readonly type: 'int' | 'string' | 'uri' | 'uri-list';
  readonly default: number | string | null;
  readonly min?: number;
  readonly max?: number;
  /** Values below it are honoured with a warning. */
  readonly warnBelow?: number;
  readonly values?: readonly number[];
  readonly doc: string;
}

export const PUA_PARAMETERS = {
  hash_size: {
    type: 'int',
    default: 9,
    min: 0,
    max: 20,
    doc: 'Power of two of the number of partitions of the record table: unit of refresh spreading and of ownership between nodes. 0 and 1 mean 9.',
  },
  db_url: {
    type: 'string',
    default: 'sqlite:./pua.db',
    doc: 'Database: sqlite:FILE, mysql://, postgres://, or memory: (storage off).',
  },
  db_table: { type: 'string', default: 'pua', doc: 'Table name.' },
  min_expires: {
    type: 'int',
    default: 0,
    min: 0,
    max: 0x7fffffff,
    doc: 'Lower limit of the lifetimes that are asked for, seconds. Non-zero values are raised to it; 0 stays 0.',
  },
  default_expires: {
    type: 'int',
    default: 3600,
    min: 1,
    max: 0x7fffffff,
    warnBelow: 60,
    doc: 'Lifetime when none is given, seconds.',
  },
  update_period: {
    type: 'int',
    default: 100,
    min: -0x80000000,
    max: 0x7fffffff,
    doc: 'Seconds between sweeps (expired rows, orphans, reconciliation); 0 or less: only by pua.cleanup. Refreshing and writing never depend on it.',
  },
  outbound_proxy: {
    type: 'uri-list',
    default: null,
    doc: 'Next hop when the request names none; a SIP URI or a list in order of preference.',
  },
  dlginfo_increase_version: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: 'Set the root version of dialog documents.',
  },
  reginfo_increase_version: { type: 'int', default: 0, values: [0, 1], doc: 'Set the root version of reg documents.' },
  db_mode: {
    type: 'int',
    default: 0,
    values: [0, 1, 2],
    doc: '0: memory, written behind; 1: reserved, 0 is used; 2: database only.',
  },
  db_table_lock_write: {
    type: 'int',
    default: 1,
    values: [0, 1],
    doc: 'db_mode 2: lock the table during the short write transaction.',
  },
  check_remote_contact: {
    type: 'int',
    default: 1,
    values: [0, 1],
    doc: 'A subscription is found only if its remote target matches the one the caller gave; not compared when none is given.',
  },
  fetch_rows: { type: 'int', default: 500, min: 1, max: 100000, doc: 'Rows read at a time.' },
} as const satisfies Record<string, ParameterSpec>;

export type PuaParameterName = keyof typeof PUA_PARAMETERS;

type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;
type ValueOf<P extends ParameterSpec> = P['type'] extends 'int'
  ? number
  : P['type'] extends 'uri-list'
    ? string | readonly string[] | null
    : null extends P['default']
      ? string | null
      : string;

/** TypeScript options of a parameter table: camelCase names, all optional. */
export type OptionsOf<T extends Record<string, ParameterSpec>> = {
  [K in keyof T & string as Camel<K>]?: ValueOf<T[K]>;
};
export type PuaParameters = OptionsOf<typeof PUA_PARAMETERS>;

/**
 * Options checked against their table and completed with its defaults.
 * @param owner named in the error: `usrloc`
 * @throws PuaError `PUA_ERR_OPTION` that names the option and the parameter
 */
export function checkParameters<T extends Record<string, ParameterSpec>>(
  owner: string,
  table: T,
  given: OptionsOf<T>,
): Required<OptionsOf<T>> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(table)) {
    const option = optionName(name);
    const value = (given as Record<string, unknown>)[option] ?? spec.default;
    const fault = parameterFault(spec, value);
    if (fault) throw new PuaError('PUA_ERR_OPTION', `${owner} ${option} (${name}): ${fault}`);
    values[option] = value;
  }
  return values as Required<OptionsOf<T>>;
}

/** `default_expires` -> `defaultExpires` */
export function optionName(parameter: string): string {
  return parameter.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
}

/** What is wrong with a value, in words; undefined when it is fine. */
export function parameterFault(spec: ParameterSpec, value: unknown): string | undefined {
  if (spec.type === 'int') {
    if (!Number.isInteger(value)) return `must be a whole number, not ${JSON.stringify(value)}`;
    const n = value as number;
    if (spec.values && !spec.values.includes(n)) return `must be one of ${spec.values.join(', ')}, not ${n}`;
    if (spec.min !== undefined && n < spec.min) return `must be ${spec.min} or more, not ${n}`;
    if (spec.max !== undefined && n > spec.max) return `must be ${spec.max} or less, not ${n}`;
    return undefined;
  }
  if (value === null && spec.default === null) return undefined;
  if (spec.type === 'string')
    return typeof value === 'string' && value !== '' ? undefined : `must be a text, not ${JSON.stringify(value)}`;
  const list = spec.type === 'uri-list' && Array.isArray(value) ? value : [value];
  const wrong = list.find((uri) => typeof uri !== 'string' || !/^sips?:[^\s<>]+$/i.test(uri));
  return wrong === undefined
    ? undefined
    : `must be a SIP URI such as sip:presence.example.com${spec.type === 'uri' ? '' : ', or a list of them'}, not ${JSON.stringify(wrong)}`;
}
