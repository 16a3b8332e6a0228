/** Parameters of the two sources; all are our own. */
import { checkParameters, type OptionsOf, type ParameterSpec, PuaError } from '@pua/core';

const COMMON = {
  db_url: {
    type: 'string',
    default: null,
    doc: 'Database of Kamailio: mysql://, postgres:// or sqlite:FILE. Needed.',
  },
  poll_interval: {
    type: 'int',
    default: 1_000,
    min: 10,
    max: 3_600_000,
    doc: 'Milliseconds between the end of a poll and the next one.',
  },
  rows_per_poll: {
    type: 'int',
    default: 1_000,
    min: 1,
    max: 1_000_000,
    doc: 'Known rows that a poll looks at again, in rotation: a removal is found after rows / rows_per_poll polls at the latest.',
  },
} as const satisfies Record<string, ParameterSpec>;

export const KAMAILIO_LOCATION_PARAMETERS = {
  ...COMMON,
  table: { type: 'string', default: 'location', doc: 'Table of usrloc.' },
  time_zone: {
    type: 'string',
    default: null,
    doc: "Time zone that Kamailio writes times in, such as +02:00 or Europe/Berlin; unset: the database's own.",
  },
  create_index: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: '1: make the index on last_modified if there is none; 0: say so.',
  },
} as const satisfies Record<string, ParameterSpec>;

export const KAMAILIO_DIALOGS_PARAMETERS = {
  ...COMMON,
  table: { type: 'string', default: 'dialog', doc: 'Table of dialogs.' },
  vars_table: { type: 'string', default: 'dialog_vars', doc: 'Table of their variables.' },
} as const satisfies Record<string, ParameterSpec>;

export type KamailioLocationOptions = OptionsOf<typeof KAMAILIO_LOCATION_PARAMETERS> & { dbUrl: string };
export type KamailioDialogsOptions = OptionsOf<typeof KAMAILIO_DIALOGS_PARAMETERS> & { dbUrl: string };

/** @throws PuaError `PUA_ERR_OPTION` that names the option */
export function checkTableOptions<T extends Record<string, ParameterSpec>>(
  owner: string,
  table: T,
  given: OptionsOf<T> & { dbUrl: string },
): Required<OptionsOf<T>> & { readonly dbUrl: string } {
  const options = checkParameters(owner, table, given);
  if (typeof given.dbUrl === 'string') return { ...options, dbUrl: given.dbUrl };
  throw new PuaError(
    'PUA_ERR_OPTION',
    `${owner} dbUrl (db_url): name the database, such as mysql://user:password@host/kamailio`,
  );
}
