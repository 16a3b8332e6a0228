/** The state of one dialog, every state with every event and every state that events tell. */
import type { DialogEventKind, DialogState } from '@pua/core';
import { nextState } from '../dist/state.js';

const STATES: DialogState[] = ['trying', 'proceeding', 'early', 'confirmed', 'terminated'];
const LIVING: DialogEventKind[] = ['created', 'early', 'updated', 'restored'];
const KINDS: DialogEventKind[] = [...LIVING, 'confirmed', 'failed', 'terminated', 'expired'];

/** What a row leads to, for told = trying, proceeding, early, confirmed, terminated; `-`: dropped. */
const TABLE: Record<string, string> = {
  // now       kind: what it is then
  'none living': 'trying proceeding early confirmed terminated',
  'none confirmed': 'confirmed confirmed confirmed confirmed terminated',
  'none failed': 'terminated terminated terminated terminated terminated',
  'none terminated': 'terminated terminated terminated terminated terminated',
  'none expired': 'terminated terminated terminated terminated terminated',
  'trying living': 'trying proceeding early confirmed terminated',
  'trying confirmed': 'confirmed confirmed confirmed confirmed terminated',
  'trying failed': 'terminated terminated terminated terminated terminated',
  'trying terminated': 'terminated terminated terminated terminated terminated',
  'trying expired': 'terminated terminated terminated terminated terminated',
  'proceeding living': '- proceeding early confirmed terminated',
  'proceeding confirmed': 'confirmed confirmed confirmed confirmed terminated',
  'proceeding failed': 'terminated terminated terminated terminated terminated',
  'proceeding terminated': 'terminated terminated terminated terminated terminated',
  'proceeding expired': 'terminated terminated terminated terminated terminated',
  'early living': '- - early confirmed terminated',
  'early confirmed': 'confirmed confirmed confirmed confirmed terminated',
  'early failed': 'terminated terminated terminated terminated terminated',
  'early terminated': 'terminated terminated terminated terminated terminated',
  'early expired': 'terminated terminated terminated terminated terminated',
  'confirmed living': '- - - confirmed terminated',
  'confirmed confirmed': 'confirmed confirmed confirmed confirmed terminated',
  'confirmed failed': '- - - - -',
  'confirmed terminated': 'terminated terminated terminated terminated terminated',
  'confirmed expired': 'terminated terminated terminated terminated terminated',
  'terminated living': '- - - - -',
  'terminated confirmed': '- - - - -',
  'terminated failed': '- - - - -',
  'terminated terminated': '- - - - -',
  'terminated expired': '- - - - -',
};

const cases = [undefined, ...STATES].flatMap((now) =>
  KINDS.flatMap((kind) =>
    STATES.map((told, column) => {
      const row = TABLE[`${now ?? 'none'} ${LIVING.includes(kind) ? 'living' : kind}`]!;
      const expected = row.split(' ')[column]!;
      return [now, kind, told, expected === '-' ? null : expected] as const;
    }),
  ),
);

test.each(cases)('%s, %s that tells %s: %s', (now, kind, told, expected) => {
  expect(nextState(now, kind, told)).toBe(expected);
});

test('whatever comes, the state never goes back and an end stays', () => {
  for (const now of STATES) {
    for (const kind of KINDS) {
      for (const told of STATES) {
        const next = nextState(now, kind, told) ?? now;
        expect(STATES.indexOf(next)).toBeGreaterThanOrEqual(STATES.indexOf(now));
      }
    }
  }
});
