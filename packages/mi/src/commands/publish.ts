/** `pua.publish`, `pua.send_publish`, `pua.unpublish` (RFC 3903). */
import type { PuaResult, PublInfo } from '@pua/core';
import { z } from 'zod';
import { expires, headers, hopUri, line, uri } from '../arguments.js';
import { Fault } from '../faults.js';
import { mustBeFine, outcomeOf } from '../waiting.js';
import { type Call, define } from './command.js';

/** Answer to a publish call with named parameters. */
export interface MiPublishResult {
  /** Key of the record, for `pua.show`. */
  readonly key: string;
  /** The id given; empty when none was. */
  readonly id: string;
  /** False: there was nothing to remove. */
  readonly sent: boolean;
  /** SIP answer; absent when the call did not wait for it. */
  readonly status?: number;
  readonly reason?: string;
  readonly etag?: string;
  /** Granted lifetime, seconds. */
  readonly expires?: number;
  readonly warning?: string;
}

const schema = z.strictObject({
  uri,
  event: line(128),
  expires: expires.optional(),
  id: line(255).optional(),
  ifMatch: line(128).optional(),
  contentType: line(255).optional(),
  body: z.string('must be a text').min(1, 'must not be empty').optional(),
  bodyEncoding: z.enum(['utf8', 'base64'], 'must be utf8 or base64').optional(),
  headers: headers.optional(),
  outboundProxy: hopUri.optional(),
  wait: z.boolean('must be true or false').optional(),
  onLost: z.enum(['republish', 'report'], 'must be republish or report').optional(),
});
type PublishArguments = z.infer<typeof schema>;

const ORDER = ['uri', 'expires', 'event', 'contentType', 'id', 'ifMatch', 'outboundProxy', 'headers', 'body'];
const CONTENT_TYPE = ORDER.indexOf('contentType');

/** Any one-character content type is the event's default, but without a body only the dot will do. */
function fromKamailio(given: readonly unknown[], values: Record<string, unknown>): Record<string, unknown> {
  if (values['body'] === '') delete values['body'];
  const type = given[CONTENT_TYPE];
  if (values['body'] === undefined && type !== '.') {
    throw new Fault('invalid-params', 'contentType: must be a single dot when there is no body');
  }
  if (typeof type === 'string' && type.length === 1) delete values['contentType'];
  return values;
}

function decode({ body, bodyEncoding }: PublishArguments): string | Uint8Array | undefined {
  if (body === undefined || bodyEncoding !== 'base64') return body;
  const bytes = Buffer.from(body, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body) || body.length % 4 !== 0 || bytes.length === 0) {
    throw new Fault('invalid-params', 'body: must be base64, padded and without line breaks');
  }
  return bytes;
}

function toPublInfo(args: PublishArguments): PublInfo {
  const body = decode(args);
  if (args.contentType !== undefined && body === undefined) {
    throw new Fault('invalid-params', 'contentType: given without a body');
  }
  return {
    presUri: args.uri,
    event: args.event,
    // One identity for both variants: waiting or not is no part of the key.
    sourceFlag: 'RPC_PUBLISH',
    ...(args.expires === undefined ? {} : { expires: args.expires }),
    ...(args.id === undefined ? {} : { id: args.id }),
    ...(args.ifMatch === undefined ? {} : { etag: args.ifMatch }),
    ...(args.contentType === undefined ? {} : { contentType: args.contentType }),
    ...(body === undefined ? {} : { body }),
    ...(args.headers === undefined ? {} : { extraHeaders: args.headers }),
    ...(args.outboundProxy === undefined ? {} : { outboundProxy: args.outboundProxy }),
    ...(args.onLost === undefined ? {} : { onLost: args.onLost }),
  };
}

const NO_ETAG = 'the answer had no SIP-ETag: it is published anew, in full, before it runs out';

function shaped(result: PuaResult | undefined, key: string, id: string, style: Call['style']): object {
  const fine = mustBeFine(result, key);
  const accepted = fine?.outcome === 'accepted' ? fine : undefined;
  if (style === 'positional') {
    return accepted ? { 'SIP-ETag': accepted.etag ?? '', Expires: accepted.expires } : {};
  }
  const native: MiPublishResult = { key, id, sent: fine?.outcome !== 'nothing-to-do' };
  if (!accepted) return native;
  const { status, reason, etag } = accepted;
  const tagged = etag ? { etag } : accepted.expires > 0 ? { warning: NO_ETAG } : {};
  const full: MiPublishResult = { ...native, status, reason, ...tagged, expires: accepted.expires };
  if (style !== 'opensips') return full;
  return { ...full, reply: `${status} ${reason}`, ETag: etag ?? '', Expires: accepted.expires };
}

async function publish(args: PublishArguments, { pua, waitMs, style, context }: Call, wait: boolean) {
  const handle = pua.sendPublish(toPublInfo(args));
  const result = await outcomeOf(handle, args.wait ?? wait, waitMs, context);
  return shaped(result, handle.key, args.id ?? '', style);
}

export const publishCommands = [
  define({
    name: 'pua.publish',
    aliases: ['pua_publish', 'pua_mi:publish'],
    positional: ORDER,
    required: 8,
    schema,
    fromPositional: fromKamailio,
    run: (args, call) => publish(args, call, true),
  }),
  define({
    name: 'pua.send_publish',
    positional: ORDER,
    required: 8,
    schema,
    fromPositional: fromKamailio,
    run: (args, call) => publish(args, call, false),
  }),
  define({
    name: 'pua.unpublish',
    positional: ['uri', 'event', 'id'],
    required: 2,
    schema: schema.pick({ uri: true, event: true, id: true, ifMatch: true, wait: true }),
    run: (args, call) => publish({ ...args, expires: 0 }, call, true),
  }),
];
