/** Random documents of dialog-info. */
import {
  type Dialog,
  type DialogIdentity,
  type DialogInfo,
  type DialogParticipant,
  dialogEvents,
  dialogStates,
  Namespace,
} from '@pua/documents';
import fc from 'fast-check';
import { extensionsOf, id, listOf, numbered, some, uri } from './common';
import { xmlText } from './xml';

const identity = fc.record({ uri, display: xmlText }, { requiredKeys: ['uri'] }) as fc.Arbitrary<DialogIdentity>;

const param = fc.record({ name: fc.constantFrom('+sip.rendering', 'isfocus', 'naïve&"'), value: xmlText });

/** `extended`: with `display` on the target, which the schema does not have. */
const participant = (extended: boolean) =>
  some<DialogParticipant>({
    identity,
    target: fc.record(
      { uri, params: listOf(param), ...(extended ? { display: xmlText } : {}) },
      { requiredKeys: ['uri'] },
    ) as fc.Arbitrary<DialogParticipant['target']>,
    sessionDescription: fc.record({ type: fc.constant('application/sdp'), text: xmlText }),
    cseq: fc.nat(),
    extensions: extensionsOf(Namespace.DIALOG_INFO),
  });

const dialog = (extended: boolean): fc.Arbitrary<Dialog> =>
  fc
    .record(
      {
        id,
        callId: xmlText,
        localTag: xmlText,
        remoteTag: xmlText,
        direction: fc.constantFrom('initiator' as const, 'recipient' as const),
        state: fc.constantFrom(...dialogStates),
        event: fc.constantFrom(...dialogEvents),
        code: fc.integer({ min: 100, max: 699 }),
        duration: fc.nat(),
        replaces: fc.record({ callId: xmlText, localTag: xmlText, remoteTag: xmlText }),
        referredBy: identity,
        routeSet: listOf(uri),
        local: participant(extended),
        remote: participant(extended),
        extensions: extensionsOf(Namespace.DIALOG_INFO),
      },
      { requiredKeys: ['id', 'state'] },
    )
    .map(({ event, ...one }) =>
      event && one.state === 'terminated' ? { ...one, event } : one,
    ) as fc.Arbitrary<Dialog>;

/** A document; those that are not `extended` keep to the schema. */
export function dialogInfoArb(extended: boolean): fc.Arbitrary<DialogInfo> {
  return fc
    .record(
      {
        version: fc.nat({ max: 0xffffffff }),
        state: fc.constantFrom('full' as const, 'partial' as const),
        entity: uri,
        dialogs: fc.array(dialog(extended), { maxLength: 3 }),
        extensions: extensionsOf(Namespace.DIALOG_INFO),
      },
      { requiredKeys: ['version', 'state', 'entity', 'dialogs'] },
    )
    .map(numbered) as fc.Arbitrary<DialogInfo>;
}
