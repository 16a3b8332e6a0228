import { type BodyProcessor, type EventDefinition, EventFlag, SourceFlag } from '@pua/core';
import { Namespace } from './namespaces.js';
import { setPresenceIds } from './pidf/ids.js';
import { setVersion } from './version.js';

const DIALOG_INFO = { name: 'dialog-info', namespace: Namespace.DIALOG_INFO } as const;
const REGINFO = { name: 'reginfo', namespace: Namespace.REGINFO } as const;

const setDialogVersion: BodyProcessor = ({ body, version, tupleId }) => ({
  body: setVersion(body, version, DIALOG_INFO),
  tupleId,
});

/** Presence (RFC 3856); tuples, persons and devices without id get one. */
export const presence: EventDefinition = {
  name: 'presence',
  flag: EventFlag.PRESENCE_EVENT,
  contentType: 'application/pidf+xml',
  process: setPresenceIds,
  forks: 'first',
};

/** Watchers of a presentity (RFC 3857); only subscribed to. */
export const presenceWinfo: EventDefinition = {
  name: 'presence.winfo',
  flag: EventFlag.PWINFO_EVENT,
  accept: 'application/watcherinfo+xml',
  forks: 'all',
  aliases: ['presence;winfo'],
};

/** Shared line of several phones (draft-anil-sipping-bla-03); the root's version is that of the record. */
export const dialogSla: EventDefinition = {
  name: 'dialog;sla',
  flag: EventFlag.BLA_EVENT,
  contentType: 'application/dialog-info+xml',
  process: setDialogVersion,
  forks: 'all',
};

/** Messages waiting (RFC 3842). */
export const messageSummary: EventDefinition = {
  name: 'message-summary',
  flag: EventFlag.MSGSUM_EVENT,
  contentType: 'application/simple-message-summary',
  forks: 'all',
};

/** Conference state (RFC 4575, which wants one subscription only: section 3.8). */
export const conference: EventDefinition = {
  name: 'conference',
  flag: EventFlag.CONFERENCE_EVENT,
  contentType: 'application/conference-info+xml',
  forks: 'first',
};

/** Calls (RFC 4235); the root's version is that of the record with `dlginfo_increase_version`, and for the documents of dialoginfo. */
export const dialog: EventDefinition = {
  name: 'dialog',
  flag: EventFlag.DIALOG_EVENT,
  contentType: 'application/dialog-info+xml',
  process: (input) =>
    input.parameters.dlginfoIncreaseVersion || input.sourceFlag === SourceFlag.DIALOG_PUBLISH
      ? setDialogVersion(input)
      : input,
  forks: 'all',
};

/** Registrations (RFC 3680); the root's version is that of the record with `reginfo_increase_version`, and for the documents of reginfo. */
export const reg: EventDefinition = {
  name: 'reg',
  flag: EventFlag.REGINFO_EVENT,
  contentType: 'application/reginfo+xml',
  process: (input) =>
    input.parameters.reginfoIncreaseVersion || input.sourceFlag === SourceFlag.REGINFO_PUBLISH
      ? { body: setVersion(input.body, input.version, REGINFO), tupleId: input.tupleId }
      : input,
  forks: 'first',
};

/** Changes of XCAP documents (RFC 5875). */
export const xcapDiff: EventDefinition = {
  name: 'xcap-diff',
  flag: EventFlag.XCAPDIFF_EVENT,
  contentType: 'application/xcap-diff+xml',
  forks: 'first',
};

/** Device features kept in step with the server: do not disturb, forwarding (Cisco, BroadWorks; no RFC). */
export const asFeatureEvent: EventDefinition = {
  name: 'as-feature-event',
  flag: EventFlag.DFKS_EVENT,
  contentType: 'application/x-as-feature-event+xml',
  forks: 'first',
};

/** All events this package defines, to register at once. */
export const events: readonly EventDefinition[] = [
  presence,
  presenceWinfo,
  dialogSla,
  messageSummary,
  conference,
  dialog,
  reg,
  xcapDiff,
  asFeatureEvent,
];
