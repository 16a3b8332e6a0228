/** Random elements of RPID: every field, every value. */
import type * as rpid from '@pua/documents';
import {
  activityNames,
  moodNames,
  Namespace,
  placeProperties,
  privacyNames,
  relationshipNames,
  serviceClassNames,
  sphereNames,
} from '@pua/documents';
import fc from 'fast-check';
import { extensionsOf, id, listOf, note, notes, ranged, some, timestamp, uri } from './common';
import { xmlText } from './xml';

const { RPID, LOCATION_TYPE } = Namespace;

/** Values, words, extensions: any of them, but `unknown` alone. */
function enumeration<V extends string>(names: readonly V[]): fc.Arbitrary<rpid.Enumeration<V>> {
  const known = listOf(fc.constantFrom(...names.filter((name) => name !== 'unknown')), 3);
  return fc.oneof(
    fc.record(
      { ...ranged(), notes, values: known, others: notes, extensions: extensionsOf(RPID) },
      { requiredKeys: ['values'] },
    ),
    fc.record({ ...ranged(), others: notes, extensions: extensionsOf(RPID) }, { requiredKeys: ['others'] }),
    fc.record({ ...ranged(), notes, values: fc.constant(['unknown' as V]) }, { requiredKeys: ['values'] }),
  );
}

const placeIs: fc.Arbitrary<rpid.PlaceIs> = some({
  ...ranged(),
  notes,
  audio: fc.constantFrom(...placeProperties.audio),
  video: fc.constantFrom(...placeProperties.video),
  text: fc.constantFrom(...placeProperties.text),
});

const placeType: fc.Arbitrary<rpid.PlaceType> = fc.oneof(
  fc.record({ ...ranged(), notes, other: note }, { requiredKeys: ['other'] }),
  fc.record(
    {
      ...ranged(),
      notes,
      values: listOf(fc.constantFrom('office', 'residence', 'public-transport')),
      extensions: extensionsOf(RPID, LOCATION_TYPE),
    },
    { requiredKeys: ['values'] },
  ),
);

const privacy: fc.Arbitrary<rpid.Privacy> = fc.oneof(
  fc.record({ ...ranged(), values: fc.constant(['unknown'] as const) }, { requiredKeys: ['values'] }),
  some({
    ...ranged(),
    notes,
    values: fc.subarray(
      privacyNames.filter((name) => name !== 'unknown'),
      { minLength: 1 },
    ),
    extensions: extensionsOf(RPID),
  }),
);

/** The alternatives of a choice, each with what may stand beside it. */
function choice<T, M>(alternatives: readonly { [K in keyof T]?: fc.Arbitrary<T[K]> }[], beside: M): fc.Arbitrary<T> {
  return fc.oneof(
    ...alternatives.map((one) =>
      fc.record({ ...beside, ...one } as never, { requiredKeys: Object.keys(one) as never }),
    ),
  ) as fc.Arbitrary<T>;
}

const relationship = choice<rpid.Relationship, unknown>(
  [{ value: fc.constantFrom(...relationshipNames) }, { other: note }, { extensions: extensionsOf(RPID) }],
  { notes },
);

const serviceClass = choice<rpid.ServiceClass, unknown>(
  [{ value: fc.constantFrom(...serviceClassNames) }, { extensions: extensionsOf(RPID) }],
  { notes },
);

const sphere = choice<rpid.Sphere, unknown>(
  [{ value: fc.constantFrom(...sphereNames) }, { extensions: extensionsOf(RPID) }],
  ranged(),
);

const statusIcon: fc.Arbitrary<rpid.StatusIcon> = fc.record({ ...ranged(), uri }, { requiredKeys: ['uri'] });

const timeOffset: fc.Arbitrary<rpid.TimeOffset> = fc.record(
  { ...ranged(), minutes: fc.integer({ min: -840, max: 840 }), description: xmlText },
  { requiredKeys: ['minutes'] },
);

const userInput: fc.Arbitrary<rpid.UserInput> = fc.record(
  {
    id,
    state: fc.constantFrom('active' as const, 'idle' as const),
    idleThreshold: fc.integer({ min: 1 }),
    lastInput: timestamp,
  },
  { requiredKeys: ['state'] },
);

const everywhere = { class: fc.constantFrom('calendar', 'a <b> & c'), userInput };

export const deviceRpid = everywhere;

export const tupleRpid = {
  ...everywhere,
  privacy: listOf(privacy),
  relationship,
  serviceClass,
  statusIcon: listOf(statusIcon),
};

export const personRpid = {
  ...everywhere,
  activities: listOf(enumeration(activityNames)),
  mood: listOf(enumeration(moodNames)),
  placeIs: listOf(placeIs),
  placeType: listOf(placeType),
  privacy: listOf(privacy),
  sphere: listOf(sphere),
  statusIcon: listOf(statusIcon),
  timeOffset: listOf(timeOffset),
};
