/** Schema of a call event: `DialogEvent` as JSON. */
import type { DialogEvent, DialogEventKind, DialogParty, DialogSnapshot, DialogState } from '@pua/core';
import { z } from 'zod';
import { bits, flag, list, parameters, sipUri, strict, table, text, time, uri, whole, word } from './fields.js';
import { type Read, reader } from './read.js';

/** URIs that get the document of one side. */
const MAX_URIS = 100;

// All that core knows, and nothing else: the compiler sees to it.
const party = strict({
  uri: uri(),
  display: text(512).optional(),
  tag: text(255).optional(),
  contact: uri(2048).optional(),
  contactParams: parameters.optional(),
  callId: text(512).optional(),
  peerTag: text(255).optional(),
} satisfies Record<keyof DialogParty, z.ZodType>);

const sides = <T extends z.ZodType>(of: T) => strict({ caller: of.optional(), callee: of.optional() });

export const callKey = text(2048);

const snapshot = strict({
  key: callKey,
  callId: text(512),
  branch: text(255).optional(),
  caller: party,
  callee: party,
  requestUri: uri().optional(),
  state: word(['trying', 'proceeding', 'early', 'confirmed', 'terminated']),
  reason: strict({
    event: word(['cancelled', 'rejected', 'replaced', 'bye', 'timeout', 'error']).optional(),
    code: whole(100, 699).optional(),
    by: word(['caller', 'callee']).optional(),
  }).optional(),
  startedAt: time().optional(),
  answeredAt: time().optional(),
  lifetime: whole(1, 0x7fffffff).optional(),
  publish: sides(flag).optional(),
  publishUris: sides(list(sipUri, MAX_URIS)).optional(),
  mask: sides(uri()).optional(),
  privacy: sides(list(text(32), 16)).optional(),
  flags: bits.optional(),
  vars: table(z.union([text(4096), list(text(4096), 100)], 'must be a text or a list of texts'), 64).optional(),
  referredBy: party.optional(),
  replaces: strict({ callId: text(512), localTag: text(255), remoteTag: text(255) }).optional(),
} satisfies Record<keyof DialogSnapshot, z.ZodType>);

/** Which states go with a kind; what a kind does not name goes with every state but the end. */
const STATES: Readonly<Partial<Record<DialogEventKind, readonly DialogState[]>>> = {
  early: ['proceeding', 'early'],
  confirmed: ['confirmed'],
  failed: ['terminated'],
  terminated: ['terminated'],
  expired: ['terminated'],
};
const LIVE: readonly DialogState[] = ['trying', 'proceeding', 'early', 'confirmed'];

const schema = strict({
  /** For senders that repeat requests: known for an hour. */
  id: text(255).optional(),
  /** Rises with every event of the key. */
  sequence: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  kind: word(['created', 'early', 'confirmed', 'updated', 'failed', 'terminated', 'expired', 'restored']),
  dialog: snapshot,
  method: text(32).optional(),
  flags: bits.optional(),
} satisfies Record<keyof DialogEvent | 'id' | 'sequence', z.ZodType>).superRefine(({ kind, dialog }, context) => {
  const states = STATES[kind] ?? LIVE;
  if (states.includes(dialog.state)) return;
  const message = `must be ${states.join(' or ')} in an event of the kind ${kind}`;
  context.addIssue({ code: 'custom', path: ['dialog', 'state'], message });
});

/** An event, and what tells it from others. */
export interface DialogEntry {
  readonly event: DialogEvent;
  readonly id: string | undefined;
  readonly sequence: number | undefined;
}

export const readDialog: Read<DialogEntry> = reader(
  schema.transform(({ id, sequence, ...event }) => ({ event, id, sequence })),
);
