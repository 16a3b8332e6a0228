import type { Knex } from 'knex';

/**
 * Statements that knex writes, without a connection. It is loaded only here: that takes longer than all the rest of a
 * restart.
 */
export function schemaSql(client: string, build: (schema: Knex.SchemaBuilder) => Knex.SchemaBuilder): string[] {
  const { knex } = require('knex') as typeof import('knex');
  const { schema } = knex({ client, useNullAsDefault: true });
  return (build(schema).toSQL() as unknown as { readonly sql: string }[]).map(({ sql }) => sql);
}
