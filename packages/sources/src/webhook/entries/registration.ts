/** Schema of a registration event: `BindingEvent` as JSON. */
import type { Binding, BindingEvent, BindingHints } from '@pua/core';
import { z } from 'zod';
import { bits, flag, list, parameters, sipUri, strict, text, time, uri, whole, word } from './fields.js';
import { type Read, reader } from './read.js';

const MAX_SIBLINGS = 100;

const aor = text(1024).refine(
  (value) => !/[\s<>"]/.test(value),
  'must be user, user@domain or a URI, without brackets',
);

const origin = word(['local', 'replica', 'reginfo']);

// All that core knows, and nothing else: the compiler sees to it.
const binding = strict({
  aor,
  table: text(128).optional(),
  bindingId: text(512).optional(),
  contact: uri(2048),
  expiresAt: time('or-never'),
  callId: text(512).optional(),
  cseq: whole(0, 0xffffffff).optional(),
  q: z.number('must be a number from 0 to 1').min(0, 'must be 0 or more').max(1, 'must be 1 or less').optional(),
  received: uri().optional(),
  path: text(8192).optional(),
  userAgent: text(1024).optional(),
  instance: text(512).optional(),
  regId: whole(0, 0x7fffffff).optional(),
  flags: bits.optional(),
  registeredAt: time().optional(),
  params: parameters.optional(),
  pubGruu: uri(2048).optional(),
  tempGruu: uri(2048).optional(),
  origin: origin.optional(),
  publish: flag.optional(),
} satisfies Record<keyof Binding, z.ZodType>);

const schema = strict({
  /** For senders that repeat requests: known for an hour. */
  id: text(255).optional(),
  /** Rises with every event of the AOR. */
  sequence: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  kind: word(['insert', 'update', 'delete', 'expire']),
  binding,
  previous: binding.optional(),
  siblings: list(binding, MAX_SIBLINGS).optional(),
  hints: strict({
    publish: flag.optional(),
    origin: origin.optional(),
    fromUri: sipUri.optional(),
    reason: word(['unregistered', 'rejected', 'deactivated', 'probation']).optional(),
    retryAfter: whole(0, 0x7fffffff).optional(),
  } satisfies Record<keyof BindingHints, z.ZodType>).optional(),
} satisfies Record<keyof BindingEvent | 'id' | 'sequence', z.ZodType>);

/** An event, and what tells it from others. */
export interface RegistrationEntry {
  readonly event: BindingEvent;
  readonly id: string | undefined;
  readonly sequence: number | undefined;
}

export const readRegistration: Read<RegistrationEntry> = reader(
  schema.transform(({ id, sequence, ...event }) => ({ event, id, sequence })),
);
