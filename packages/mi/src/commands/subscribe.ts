/** `pua.subscribe`, `pua.unsubscribe` (RFC 6665). */
import type { SubsInfo } from '@pua/core';
import { z } from 'zod';
import { expires, headers, hopUri, line, uri } from '../arguments.js';
import { mustBeFine, outcomeOf } from '../waiting.js';
import { type Call, define } from './command.js';

/** Answer to a subscribe call with named parameters. */
export interface MiSubscribeResult {
  /** Key of the record, for `pua.show`. */
  readonly key: string;
  readonly id: string;
  /** False: there was nothing to end. */
  readonly sent: boolean;
  /** SIP answer; absent when the call did not wait for it. */
  readonly status?: number;
  readonly reason?: string;
  /** Granted lifetime, seconds. */
  readonly expires?: number;
  /** Call-ID of the dialog. */
  readonly callId?: string;
}

const schema = z.strictObject({
  uri,
  watcher: uri,
  event: line(128),
  expires: expires.optional(),
  id: line(255).optional(),
  contact: uri.optional(),
  outboundProxy: hopUri.optional(),
  headers: headers.optional(),
  wait: z.boolean('must be true or false').optional(),
});
type SubscribeArguments = z.infer<typeof schema>;

function toSubsInfo(args: SubscribeArguments): SubsInfo {
  return {
    presUri: args.uri,
    watcherUri: args.watcher,
    event: args.event,
    sourceFlag: 'RPC_SUBSCRIBE',
    ...(args.expires === undefined ? {} : { expires: args.expires }),
    ...(args.id === undefined ? {} : { id: args.id }),
    ...(args.contact === undefined ? {} : { contact: args.contact }),
    ...(args.outboundProxy === undefined ? {} : { outboundProxy: args.outboundProxy }),
    ...(args.headers === undefined ? {} : { extraHeaders: args.headers }),
  };
}

async function subscribe(args: SubscribeArguments, { pua, waitMs, style, context }: Call): Promise<object> {
  const handle = pua.sendSubscribe(toSubsInfo(args));
  const { key } = handle;
  const fine = mustBeFine(await outcomeOf(handle, args.wait ?? true, waitMs, context), key);
  const accepted = fine?.outcome === 'accepted' ? fine : undefined;
  if (style === 'positional') return accepted ? { Expires: accepted.expires } : {};
  const native: MiSubscribeResult = { key, id: args.id ?? '', sent: fine?.outcome !== 'nothing-to-do' };
  if (!accepted) return native;
  const { status, reason } = accepted;
  const callId = pua.show(key)?.callId;
  return { ...native, status, reason, expires: accepted.expires, ...(callId ? { callId } : {}) };
}

export const subscribeCommands = [
  define({
    name: 'pua.subscribe',
    aliases: ['pua_subscribe', 'pua_mi:subscribe'],
    positional: ['uri', 'watcher', 'event', 'expires'],
    required: 4,
    schema,
    run: subscribe,
  }),
  define({
    name: 'pua.unsubscribe',
    positional: ['uri', 'watcher', 'event', 'id'],
    required: 3,
    schema: schema.pick({ uri: true, watcher: true, event: true, id: true, wait: true }),
    run: (args, call) => subscribe({ ...args, expires: 0 }, call),
  }),
];
