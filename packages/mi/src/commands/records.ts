/** `pua.list`, `pua.show`, `pua.stats`, `pua.cleanup`: looking at the records, and the sweep. */
import { type PuaRecord, type RecordFilter, SourceFlag, type SourceFlagName, sourceFlagName } from '@pua/core';
import { z } from 'zod';
import { line, uri } from '../arguments.js';
import { Fault } from '../faults.js';
import { define } from './command.js';

const DEFAULT_LIMIT = 100;
const MOST = 10_000;

/** Bodies may be long, and cbParam belongs to the module that gave it. */
function summary({ body, cbParam: _, ...record }: PuaRecord): object {
  return {
    ...record,
    source: sourceFlagName(record.sourceFlag),
    bodyBytes: body === null ? 0 : Buffer.byteLength(body),
  };
}

function whole(record: PuaRecord): object {
  const { body } = record;
  const shown = typeof body === 'string' || body === null ? { body } : { body: base64(body), bodyEncoding: 'base64' };
  return { ...summary(record), ...shown };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const listSchema = z.strictObject({
  kind: z.enum(['publication', 'subscription'], 'must be publication or subscription').optional(),
  uri: uri.optional(),
  event: line(128).optional(),
  source: z
    .enum(Object.keys(SourceFlag) as [SourceFlagName, ...SourceFlagName[]], 'must be a source flag such as RPC_PUBLISH')
    .optional(),
  state: line(32).optional(),
  limit: z.int(`must be a whole number from 1 to ${MOST}`).min(1).max(MOST).optional(),
});

export const recordCommands = [
  define({
    name: 'pua.list',
    positional: ['kind', 'uri', 'event', 'source', 'state', 'limit'],
    required: 0,
    schema: listSchema,
    run: ({ kind, uri: presUri, event, source, state, limit = DEFAULT_LIMIT }, { pua }) => {
      const filter: RecordFilter = {
        ...(kind === undefined ? {} : { kind }),
        ...(presUri === undefined ? {} : { presUri }),
        ...(event === undefined ? {} : { event }),
        ...(source === undefined ? {} : { sourceFlag: SourceFlag[source] }),
        ...(state === undefined ? {} : { state }),
      };
      const records: object[] = [];
      for (const record of pua.list(filter)) {
        if (records.length === limit) return { records, more: true };
        records.push(summary(record));
      }
      return { records, more: false };
    },
  }),
  define({
    name: 'pua.show',
    positional: ['key'],
    required: 1,
    schema: z.strictObject({ key: line(4096) }),
    run: ({ key }, { pua }) => {
      const record = pua.show(key);
      if (!record) throw new Fault('not-found', 'no record has this key; pua.list shows the keys');
      return whole(record);
    },
  }),
  define({
    name: 'pua.stats',
    positional: [],
    required: 0,
    schema: z.strictObject({}),
    run: (_, { pua }) => pua.stats(),
  }),
  define({
    name: 'pua.cleanup',
    positional: [],
    required: 0,
    schema: z.strictObject({}),
    run: (_, { pua }) => ({ overdue: pua.cleanup() }),
  }),
];
