/** Package `dialog` of pua_json: a call as one of its sides has it. */
import type { DialogParty, DialogState } from '@pua/core';
import type { z } from 'zod';
import type { DialogEntry } from '../entries/dialog.js';
import { text } from '../entries/fields.js';
import { address, anyCase, realm, uriOf, user } from './fields.js';
import { message } from './message.js';

const STATES = ['trying', 'proceeding', 'early', 'confirmed', 'terminated'] as const satisfies readonly DialogState[];
const KINDS = {
  trying: 'created',
  proceeding: 'early',
  early: 'early',
  confirmed: 'confirmed',
  terminated: 'terminated',
} as const;

export const dialogMessage = message({
  From: address,
  'From-User': user.optional(),
  'From-Realm': realm.optional(),
  'From-URI': address.optional(),
  'From-Tag': text(255).optional(),
  To: address,
  'To-User': user.optional(),
  'To-URI': address.optional(),
  'To-Tag': text(255).optional(),
  Presentity: text(1024).optional(),
  'Presentity-User': user.optional(),
  'Presentity-Realm': realm.optional(),
  Direction: anyCase(['initiator', 'recipient']).default('initiator'),
  State: anyCase(STATES),
}).superRefine((fields, context) => {
  if (presentityOf(fields) !== undefined) return;
  const path = [fields['From-User'] === undefined ? 'From-User' : 'From-Realm'];
  const message = 'is missing; Presentity, Presentity-User and Presentity-Realm would do instead';
  context.addIssue({ code: 'custom', path, message });
});

type Whose = Pick<
  z.infer<typeof dialogMessage>,
  'Presentity' | 'Presentity-User' | 'Presentity-Realm' | 'From-User' | 'From-Realm'
>;

function presentityOf(fields: Whose): string | undefined {
  const { Presentity, 'Presentity-User': name, 'Presentity-Realm': domain } = fields;
  if (Presentity !== undefined && name !== undefined && domain !== undefined) return uriOf(name, domain);
  const { 'From-User': from, 'From-Realm': fromRealm } = fields;
  return from === undefined || fromRealm === undefined ? undefined : uriOf(from, fromRealm);
}

/** From is the presentity's own side, whichever way the call goes. Without lifetime it is over. */
export function dialogEntry(fields: z.infer<typeof dialogMessage>): DialogEntry {
  const { 'Call-ID': callId, Direction, Expires } = fields;
  const presentity = presentityOf(fields)!;
  const state = Expires === 0 ? 'terminated' : fields.State;
  const own = party(fields.From, fields['From-User'], fields['From-Tag'], fields['From-URI']);
  const other = party(fields.To, fields['To-User'], fields['To-Tag'], fields['To-URI']);
  const initiator = Direction === 'initiator';
  const side = initiator ? 'caller' : 'callee';
  return {
    event: {
      kind: KINDS[state],
      dialog: {
        key: `${callId} ${Direction} ${presentity}`,
        callId,
        caller: initiator ? own : other,
        callee: initiator ? other : own,
        state,
        ...(Expires === 0 ? {} : { lifetime: Expires }),
        publish: { caller: initiator, callee: !initiator },
        publishUris: { [side]: [presentity] },
      },
    },
    id: undefined,
    sequence: undefined,
  };
}

function party(
  uri: string,
  display: string | undefined,
  tag: string | undefined,
  contact: string | undefined,
): DialogParty {
  return {
    uri,
    ...(display === undefined ? {} : { display }),
    ...(tag === undefined ? {} : { tag }),
    ...(contact === undefined ? {} : { contact }),
  };
}
