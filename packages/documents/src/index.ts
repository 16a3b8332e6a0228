/** @module Typed presence documents with an escape-safe writer and a hardened reader, and the event definitions. */
export type { Note, Ranged } from './common/model.js';
export type { TableChange, TableOutcome } from './common/tables.js';
export * from './dialog-info/model.js';
export { readDialogInfo } from './dialog-info/read.js';
export {
  type AppliedDialogInfo,
  applyDialogInfo,
  type DialogChange,
  type DialogTables,
} from './dialog-info/tables.js';
export { writeDialogInfo } from './dialog-info/write.js';
export * from './events.js';
export {
  type MessageContext,
  type MessageCount,
  type MessageHeader,
  type MessageSummary,
  messageContexts,
} from './message-summary/model.js';
export { readMessageSummary } from './message-summary/read.js';
export { writeMessageSummary } from './message-summary/write.js';
export { Namespace } from './namespaces.js';
export { setPresenceIds } from './pidf/ids.js';
export * from './pidf/model.js';
export { readPidf } from './pidf/read.js';
export { writePidf } from './pidf/write.js';
export * from './reginfo/model.js';
export { readRegInfo } from './reginfo/read.js';
export {
  type AppliedRegInfo,
  applyRegInfo,
  type ContactChange,
  type RegistrationTable,
  type RegistrationTables,
} from './reginfo/tables.js';
export { writeRegInfo } from './reginfo/write.js';
export * from './rpid/model.js';
export * from './watcherinfo/model.js';
export { readWatcherInfo } from './watcherinfo/read.js';
export {
  type AppliedWatcherInfo,
  applyWatcherInfo,
  type WatcherTable,
  type WatcherTables,
} from './watcherinfo/tables.js';
export { attribute, element, type XmlAttribute, type XmlElement } from './xml/element.js';
export type { XmlLimits } from './xml/limits.js';
export { readXml } from './xml/reader.js';
export { writeXml } from './xml/writer.js';
