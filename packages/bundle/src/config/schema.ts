/** The configuration as a schema; the section `pua` comes from core's parameter table. */
import { type ParameterSpec, PUA_PARAMETERS, type PuaParameterName } from '@pua/core';
import type { SipTlsOptions } from '@pua/sip';
import { z } from 'zod';
import { type Check, choice, isSecretText, isText, leaf, leaves, optionalText, parameter, port, text } from './leaf.js';
import { modules } from './modules.js';
import { advertiseFault, coreFault, drachtioFault, listenFault, storeFault, tableFault, tlsFault } from './probe.js';

const credential = z
  .strictObject({
    realm: text('*'),
    username: leaf('text', undefined, isText),
    password: leaf('text', undefined, isSecretText, true),
  })
  .superRefine((value, context) => {
    for (const name of ['username', 'password'] as const) {
      if (value[name] !== undefined) continue;
      context.addIssue({ code: 'custom', path: [name], message: 'is missing; each entry needs username and password' });
    }
  });

const listenEntry = leaf('text', undefined, (value) => isText(value) ?? listenFault(value));

/** A key in the configuration would be shown to whoever may read it. */
const pathFault: Check = (value) =>
  /\n|-----BEGIN/.test(String(value)) ? 'must be the path of a PEM file, not its text; write it to a file' : undefined;
const isPath = (value: unknown) =>
  value === undefined || value === null || (isText(value) ?? pathFault(value)) === undefined;

const tls = z
  .strictObject({ cert: optionalText(pathFault), key: optionalText(pathFault), ca: optionalText(pathFault) })
  .superRefine((files, context) => {
    const fault = Object.values(files).every(isPath) ? tlsFault(files as SipTlsOptions) : undefined;
    if (fault) context.addIssue({ code: 'custom', path: [fault.key], message: fault.message });
  });

/** Addresses that need a certificate when there is none. */
function bareListeners(listen: readonly unknown[], tls: { readonly cert?: unknown } | undefined): number[] {
  if (tls?.cert !== undefined && tls.cert !== null) return [];
  return [...listen.keys()].filter((i) => /^(?:tls|wss):/i.test(String(listen[i])));
}

const sip = z
  .strictObject({
    engine: choice('embedded', ['embedded', 'drachtio']),
    listen: z
      .array(listenEntry)
      .min(1, 'must not be empty; such as [udp:0.0.0.0:5060]')
      .optional()
      .register(leaves, { type: 'list', default: ['udp:0.0.0.0:5060'], secret: false }),
    advertise: optionalText(advertiseFault),
    tls: tls.optional(),
    drachtio: z
      .strictObject({
        host: text('127.0.0.1', drachtioFault('host')),
        port: port(9022),
        secret: leaf('text', 'cymru', (value) => isSecretText(value) ?? drachtioFault('secret')(value), true),
      })
      .optional(),
    credentials: z.array(credential).optional().register(leaves, { type: 'list', default: [], secret: false }),
  })
  .superRefine(({ listen, tls }, context) => {
    for (const i of bareListeners(listen ?? [], tls)) {
      context.addIssue({
        code: 'custom',
        path: ['listen', i],
        message: 'needs a certificate; set sip.tls.cert and sip.tls.key',
      });
    }
  });

const checks: Partial<Record<PuaParameterName, Check>> = {
  db_url: storeFault,
  db_table: tableFault,
  db_mode: coreFault('db_mode'),
};

const pua = z.strictObject(
  Object.fromEntries(
    Object.entries(PUA_PARAMETERS).map(([name, spec]) => [
      name,
      parameter(spec as ParameterSpec, checks[name as PuaParameterName] ?? (() => undefined)),
    ]),
  ) as Record<PuaParameterName, z.ZodType>,
);

export const schema = z.strictObject({
  sip: sip.optional(),
  pua: pua.optional(),
  modules: modules.optional(),
  log: z
    .strictObject({ level: choice('info', ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) })
    .optional(),
});

function unwrapped(given: unknown): z.ZodType {
  let found = given as z.ZodType;
  while (!leaves.has(found) && found instanceof z.ZodOptional) found = found.unwrap() as z.ZodType;
  return found;
}

/** Keys of the section at `path`; undefined when there is no such section. */
export function sectionAt(path: readonly (string | number)[]): Readonly<Record<string, z.ZodType>> | undefined {
  const found = schemaAt(path);
  return found instanceof z.ZodObject ? (found.shape as Record<string, z.ZodType>) : undefined;
}

/** The schema of the value at `path`; undefined when there is no such key. */
export function schemaAt(path: readonly (string | number)[]): z.ZodType | undefined {
  let found: z.ZodType = schema;
  for (const part of path) {
    // A list has its own default, and the schema of its entries inside.
    if (typeof part === 'number') {
      const list = found instanceof z.ZodOptional ? found.unwrap() : found;
      if (!(list instanceof z.ZodArray)) return undefined;
      found = unwrapped(list.element);
      continue;
    }
    const shape: Record<string, z.ZodType> = found instanceof z.ZodObject ? found.shape : {};
    if (!Object.hasOwn(shape, part)) return undefined;
    found = unwrapped(shape[part]);
  }
  return found;
}
