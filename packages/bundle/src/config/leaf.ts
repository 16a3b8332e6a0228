/** Leaves of the schema: how a value is checked, how one is made of a text, what it is when it is absent. */
import { type ParameterSpec, parameterFault } from '@pua/core';
import { z } from 'zod';

export type LeafType = 'text' | 'int' | 'text-or-list' | 'list';

export interface Leaf {
  readonly type: LeafType;
  readonly default: unknown;
  /** Never shown. */
  readonly secret: boolean;
}

export const leaves = z.registry<Leaf>();

/** What is wrong, and after a semicolon what to do. */
export type Check = (value: unknown) => string | undefined;

export function leaf(type: LeafType, absent: unknown, check: Check, secret = false): z.ZodType {
  const schema = z.unknown().superRefine((value, context) => {
    if (value === undefined) return;
    const fault = check(value);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  });
  return schema.optional().register(leaves, { type, default: absent, secret });
}

const shown = (value: unknown) =>
  Array.isArray(value) ? 'a list' : value === null ? 'nothing' : JSON.stringify(value);

export const isText: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : `must be a text, not ${shown(value)}; quote it`;

/** The same, without showing the value. */
export const isSecretText: Check = (value) =>
  isText(value) === undefined ? undefined : 'must be a text that is not empty; quote it';

export const text = (absent: string, check: Check = () => undefined): z.ZodType =>
  leaf('text', absent, (value) => isText(value) ?? check(value));

/** A text, or nothing. */
export const optionalText = (check: Check = () => undefined, secret = false): z.ZodType =>
  leaf(
    'text',
    null,
    (value) => (value === null ? undefined : ((secret ? isSecretText : isText)(value) ?? check(value))),
    secret,
  );

export const choice = (absent: string, values: readonly string[], check: Check = () => undefined): z.ZodType =>
  leaf('text', absent, (value) =>
    values.includes(value as string)
      ? check(value)
      : `must be one of ${values.join(', ')}, not ${shown(value)}; leave it out for ${absent}`,
  );

export const port = (absent: number): z.ZodType =>
  leaf('int', absent, (value) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535
      ? undefined
      : `must be a port from 1 to 65535, not ${shown(value)}; leave it out for ${absent}`,
  );

/** A value that may be left out, without a default of its own. */
export const optional = (type: LeafType, check: Check): z.ZodType => leaf(type, undefined, check);

/** A parameter of a module, by its row in the module's table. */
export function parameter(spec: ParameterSpec, check: Check, absent: { readonly default: unknown } = spec): z.ZodType {
  const type = spec.type === 'int' ? 'int' : spec.type === 'uri-list' ? 'text-or-list' : 'text';
  const remedy = spec.default === null ? 'leave it out for none' : `leave it out for ${spec.default}`;
  return leaf(type, absent.default, (value) => {
    const fault = parameterFault(spec, value);
    return fault === undefined ? check(value) : `${fault}; ${remedy}`;
  });
}
