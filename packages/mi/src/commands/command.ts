/** A management command: its arguments as a schema, its positional order, what it does. No transport in here. */
import type { Command, PuaApi } from '@pua/core';
import type { z } from 'zod';
import { canonicalNames, checkCount, checked, dotted, seconds } from '../arguments.js';
import type { MiContext } from '../context.js';

/** How the caller gave the arguments, and so what shape he expects back. */
export type Style = 'named' | 'opensips' | 'positional';

export interface Call {
  readonly pua: PuaApi;
  readonly waitMs: number;
  readonly style: Style;
  readonly context: MiContext;
}

export interface MiCommand<S extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly aliases?: readonly string[];
  /** Positional order; the first `required` are mandatory. */
  readonly positional: readonly string[];
  readonly required: number;
  readonly schema: S;
  /** Kamailio's form of the values, before the schema looks at them. */
  readonly fromPositional?: (given: readonly unknown[], values: Record<string, unknown>) => Record<string, unknown>;
  run(args: z.infer<S>, call: Call): unknown;
}

/** Keeps the schema's type for `run`. */
export function define<S extends z.ZodObject>(command: MiCommand<S>): MiCommand {
  return command as unknown as MiCommand;
}

function positionalValues(command: MiCommand, given: readonly unknown[]): Record<string, unknown> {
  checkCount(given, command.positional, command.required);
  const values: Record<string, unknown> = {};
  for (const [i, name] of command.positional.entries()) {
    const value = dotted(given[i]);
    if (value !== undefined) values[name] = name === 'expires' || name === 'limit' ? seconds(value) : value;
  }
  return command.fromPositional ? command.fromPositional(given, values) : values;
}

/** As the core takes it: other modules and transports find it under its name. */
export function register(pua: PuaApi, command: MiCommand, waitMs: number): void {
  const known = Object.keys(command.schema.shape);
  const entry: Command = {
    name: command.name,
    aliases: command.aliases ?? [],
    positional: command.positional,
    run: async (params, context: MiContext) => {
      const { positional } = context;
      const named = canonicalNames(params);
      const style: Style = positional ? 'positional' : named.opensips ? 'opensips' : 'named';
      const values = positional ? positionalValues(command, positional) : named.values;
      const args = checked(command.schema, values, known);
      return command.run(args, { pua, waitMs, style, context });
    },
  };
  pua.registerCommand(entry);
}
