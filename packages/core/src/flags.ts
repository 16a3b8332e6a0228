/** Bit values that are stored in the database and therefore fixed (Kamailio pua, hash.h). */

/** Which module asked for a record; part of the record's key. */
export const SourceFlag = {
  UL_PUBLISH: 1,
  BLA_PUBLISH: 2,
  BLA_SUBSCRIBE: 4,
  XMPP_PUBLISH: 8,
  XMPP_SUBSCRIBE: 16,
  /** In requests only: stored as XMPP_SUBSCRIBE. */
  XMPP_INITIAL_SUBS: 32,
  RPC_PUBLISH: 64,
  RPC_ASYN_PUBLISH: 128,
  RPC_SUBSCRIBE: 256,
  RLS_SUBSCRIBE: 512,
  DIALOG_PUBLISH: 1024,
  PURPLE_PUBLISH: 2048,
  REGINFO_PUBLISH: 4096,
  REGINFO_SUBSCRIBE: 8192,
  XCAPDIFF_PUBLISH: 16384,
  XCAPDIFF_SUBSCRIBE: 32768,
  DFKS_PUBLISH: 65536,
  DFKS_SUBSCRIBE: 131072,
} as const;
export type SourceFlagName = keyof typeof SourceFlag;

/** Event flags; the definitions with names, types and processors are values of @pua/documents. */
export const EventFlag = {
  PRESENCE_EVENT: 1,
  PWINFO_EVENT: 2,
  BLA_EVENT: 4,
  MSGSUM_EVENT: 8,
  CONFERENCE_EVENT: 16,
  DIALOG_EVENT: 32,
  REGINFO_EVENT: 64,
  XCAPDIFF_EVENT: 128,
  DFKS_EVENT: 256,
} as const;
export type EventFlagName = keyof typeof EventFlag;

const nameOfSource = new Map<number, string>(Object.entries(SourceFlag).map(([name, bit]) => [bit, name]));

/** The documented name of a source flag; its number in text when it has none. */
export function sourceFlagName(flag: number): string {
  return nameOfSource.get(flag) ?? String(flag);
}
