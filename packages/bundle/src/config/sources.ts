/** Sources of registrations and calls in the configuration: `sources: [{ type: registrar, ... }, { type: webhook }]`. */
import { nearest, type ParameterSpec } from '@pua/core';
import {
  DIALOG_WEBHOOK_PARAMETERS,
  KAMAILIO_DIALOGS_PARAMETERS,
  KAMAILIO_LOCATION_PARAMETERS,
  REGISTRAR_PARAMETERS,
  REGISTRATION_WEBHOOK_PARAMETERS,
} from '@pua/sources';
import { z } from 'zod';
import { isSecretText, isText, leaf, leaves, optional, parameter } from './leaf.js';
import { moduleFault } from './probe.js';

/** An entry as it is written, complete: what it leaves out has the default of its source. */
export interface SourceEntry {
  readonly type: string;
  readonly [key: string]: unknown;
}

type Keys = Readonly<Record<string, z.ZodType>>;

const ofTable = (table: Readonly<Record<string, ParameterSpec>>): Keys =>
  Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [name, parameter(spec, () => undefined, { default: undefined })]),
  );

const texts = z
  .array(leaf('text', undefined, isText))
  .optional()
  .register(leaves, { type: 'list', default: undefined, secret: false });

const user = z.strictObject({
  username: leaf('text', undefined, isText),
  domain: leaf('text', undefined, isText),
  password: leaf('text', undefined, isSecretText, true),
  aors: texts,
});

const REGISTRAR: Keys = {
  ...ofTable(REGISTRAR_PARAMETERS),
  trusted: texts,
  domains: texts,
  algorithms: texts,
  users: z.array(user).optional().register(leaves, { type: 'list', default: undefined, secret: false }),
  location_db_url: optional('text', isText),
  location_table: optional('text', isText),
};

/** Keys by type. */
type Types = Readonly<Record<string, Keys>>;

export const REGISTRATION_SOURCES: Types = {
  registrar: REGISTRAR,
  location: ofTable(KAMAILIO_LOCATION_PARAMETERS),
  webhook: ofTable(REGISTRATION_WEBHOOK_PARAMETERS),
};

export const DIALOG_SOURCES: Types = {
  dialog: ofTable(KAMAILIO_DIALOGS_PARAMETERS),
  webhook: ofTable(DIALOG_WEBHOOK_PARAMETERS),
};

/** `make` opens nothing; what it throws is wrong with the entry. */
export function sourcesOf(types: Types, make: (entry: SourceEntry) => unknown): z.ZodType {
  const names = Object.keys(types);
  const entry = z
    .strictObject({
      ...(Object.assign({}, ...Object.values(types)) as Keys),
      type: leaf('text', undefined, (value) =>
        names.includes(value as string)
          ? undefined
          : `must be one of ${names.join(', ')}, not ${JSON.stringify(value)}; choose one`,
      ),
    })
    .superRefine((given: Record<string, unknown>, context) => {
      const { type } = given;
      const issue = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
      if (type === undefined) return issue([], `needs a type; one of ${names.join(', ')}`);
      const keys = types[String(type)];
      if (!keys) return;
      const strange = Object.keys(given).filter((key) => key !== 'type' && given[key] !== undefined && !keys[key]);
      for (const key of strange) {
        issue([key], `is no key of a source of type ${type}; did you mean "${nearest(key, Object.keys(keys)).name}"?`);
      }
      if (strange.length > 0) return;
      const fault = moduleFault(() => make(given as SourceEntry));
      if (fault) issue(fault.key in keys ? [fault.key] : [], fault.message);
    });
  return z.array(entry).optional().register(leaves, { type: 'list', default: [], secret: false });
}
