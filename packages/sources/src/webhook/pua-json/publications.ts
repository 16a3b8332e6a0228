/** Packages of pua_json that are published as they are: `presence`, `message-summary`, `as-feature-event`. */
import { createHash } from 'node:crypto';
import type { PublInfo } from '@pua/core';
import {
  type Activity,
  asFeatureEvent,
  element,
  type MessageCount,
  type Pidf,
  presence,
  messageSummary as summaryEvent,
  writeMessageSummary,
  writePidf,
  writeXml,
} from '@pua/documents';
import { z } from 'zod';
import { text } from '../entries/fields.js';
import { address, count, uriOf, yesOrNo } from './fields.js';
import { message } from './message.js';

const MAX_COUNT = 0xffffffff;
/** CSTA, ECMA-323 third edition. */
const CSTA = 'http://www.ecma-international.org/standards/ecma-323/csta/ed3';

interface Common {
  readonly 'Call-ID': string;
  readonly 'From-User': string;
  readonly 'From-Realm': string;
  readonly Expires: number;
}

/** One Call-ID is one publication. */
function publication(fields: Common, event: string, body: () => string): PublInfo {
  const { 'Call-ID': id, 'From-User': user, 'From-Realm': realm, Expires: expires } = fields;
  const identity = { presUri: uriOf(user, realm), event, id, sourceFlag: 'RPC_PUBLISH', expires } as const;
  return expires === 0 ? identity : { ...identity, body: body() };
}

// ---------------------------------------------------------------------------------------------------- presence

const WORDS: Readonly<Record<string, { basic: 'open' | 'closed'; note: string; activity?: Activity }>> = {
  early: { basic: 'open', note: 'Busy', activity: 'busy' },
  confirmed: { basic: 'open', note: 'On the Phone', activity: 'on-the-phone' },
  offline: { basic: 'closed', note: 'Offline' },
};
const AVAILABLE = { basic: 'open', note: 'Available' } as const;

const presenceMessage = message({ State: text(64) });

function presenceDocument({
  'Call-ID': callId,
  'From-User': user,
  'From-Realm': realm,
  State,
}: z.infer<typeof presenceMessage>) {
  const word = Object.hasOwn(WORDS, State.toLowerCase()) ? WORDS[State.toLowerCase()]! : AVAILABLE;
  const { basic, note, activity } = { activity: undefined, ...word };
  // Ids of the document must be XML names.
  const id = createHash('sha256').update(callId).digest('hex').slice(0, 16);
  const notes = [{ text: note }];
  const pidf: Pidf = {
    entity: uriOf(user, realm),
    tuples: [{ id: `t${id}`, basic }],
    notes,
    persons: [{ id: `p${id}`, ...(activity ? { activities: [{ values: [activity] }] } : {}), notes }],
  };
  return writePidf(pidf);
}

// ---------------------------------------------------------------------------------------------------- message-summary

const summaryMessage = message({
  'Messages-Waiting': yesOrNo,
  'Message-Account': address.optional(),
  'Messages-New': count(MAX_COUNT).optional(),
  'Messages-Saved': count(MAX_COUNT).optional(),
  'Messages-Urgent': count(MAX_COUNT).optional(),
  'Messages-Urgent-Saved': count(MAX_COUNT).optional(),
  /** `4/11 (1/0)` */
  'MWI-Voice-Message': z
    .string('must be a text')
    .regex(/^\d{1,9}\/\d{1,9}(?: ?\(\d{1,9}\/\d{1,9}\))?$/, 'must be new/old (urgent/old urgent) such as 4/11 (1/0)')
    .optional(),
});

function voiceMessages(fields: z.infer<typeof summaryMessage>): MessageCount[] {
  const { 'Messages-New': fresh, 'MWI-Voice-Message': line } = fields;
  const context = 'voice-message';
  if (fresh !== undefined) {
    const { 'Messages-Saved': old = 0, 'Messages-Urgent': urgent, 'Messages-Urgent-Saved': urgentOld } = fields;
    const more = urgent === undefined && urgentOld === undefined;
    return [{ context, new: fresh, old, ...(more ? {} : { urgent: { new: urgent ?? 0, old: urgentOld ?? 0 } }) }];
  }
  if (line === undefined) return [];
  const [first, old, urgent, urgentOld] = line.match(/\d+/g)!.map(Number);
  const more = urgent === undefined ? {} : { urgent: { new: urgent, old: urgentOld! } };
  return [{ context, new: first!, old: old!, ...more }];
}

function summaryDocument(fields: z.infer<typeof summaryMessage>): string {
  const { 'Messages-Waiting': waiting, 'Message-Account': account } = fields;
  return writeMessageSummary({ waiting, ...(account === undefined ? {} : { account }), counts: voiceMessages(fields) });
}

// ---------------------------------------------------------------------------------------------------- as-feature-event

const featureMessage = message({ 'DND-Status': yesOrNo });

function featureDocument({ 'From-User': user, 'DND-Status': on }: z.infer<typeof featureMessage>): string {
  const of = (name: string, value: string) => element(CSTA, name, [], [value]);
  return writeXml(element(CSTA, 'DoNotDisturbEvent', [], [of('device', user), of('doNotDisturbOn', String(on))]));
}

/** Message -> PUBLISH. */
export const publications = {
  presence: presenceMessage.transform((fields) => publication(fields, presence.name, () => presenceDocument(fields))),
  'message-summary': summaryMessage.transform((fields) =>
    publication(fields, summaryEvent.name, () => summaryDocument(fields)),
  ),
  'as-feature-event': featureMessage.transform((fields) =>
    publication(fields, asFeatureEvent.name, () => featureDocument(fields)),
  ),
} as const;
