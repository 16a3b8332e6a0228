/** Ids of dialogs: made from what stays the same, so that a record is found again after a restart. */
import { createHash } from 'node:crypto';

/** The caller's documents go first. */
export const SIDES = ['caller', 'callee'] as const;
export type Side = (typeof SIDES)[number];

export const otherSide = (side: Side): Side => (side === 'caller' ? 'callee' : 'caller');

const digest = (...parts: readonly string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/** Part of the id that all dialogs of a call have in common. */
export function callName(callId: string, key: string, uuid: boolean): string {
  const hex = digest(callId, key);
  if (!uuid) return `d${hex.slice(0, 24)}`;
  // RFC 9562 section 5.8: the layout of the remaining bits is ours.
  const variant = '89ab'[Number.parseInt(hex[16]!, 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Part of the id that tells a fork from the first one, which keeps the id of the half-dialog. */
export function forkPart(branch: string | undefined, tag: string | undefined): string {
  return digest(branch ?? '', tag ?? '').slice(0, 8);
}

export interface DialogId {
  readonly call: string;
  /** Empty for the first fork. */
  readonly fork: string;
  readonly side: Side;
}

export function formatId({ call, fork, side }: DialogId): string {
  return fork === '' ? `${call}.${side}` : `${call}.${fork}.${side}`;
}

/** undefined: not one of ours. */
export function parseId(id: string): DialogId | undefined {
  const match =
    /^(d[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.([0-9a-f]{8}))?\.(caller|callee)$/.exec(id);
  return match ? { call: match[1]!, fork: match[2] ?? '', side: match[3] as Side } : undefined;
}
