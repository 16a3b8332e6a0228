/** Random presence documents. */
import type { Device, Person, Pidf, Tuple } from '@pua/documents';
import { Namespace } from '@pua/documents';
import fc from 'fast-check';
import { extensionsOf, id, listOf, notes, numbered, timestamp, uri } from './common';
import { deviceRpid, personRpid, tupleRpid } from './rpid';

const { PIDF, DATA_MODEL } = Namespace;

/** With every id, or with some. */
const keysOf = (complete: boolean, ...required: string[]) => ({
  requiredKeys: (complete ? ['id', ...required] : required) as never[],
});

const tuple = (complete: boolean): fc.Arbitrary<Tuple> =>
  fc
    .record(
      {
        id,
        basic: fc.constantFrom('open' as const, 'closed' as const),
        statusExtensions: extensionsOf(PIDF),
        deviceIds: listOf(uri),
        ...tupleRpid,
        extensions: extensionsOf(PIDF),
        contact: fc.record(
          { uri, priority: fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000) },
          { requiredKeys: ['uri'] },
        ),
        notes,
        timestamp,
      },
      keysOf(complete),
    )
    .map((one: Tuple) => (one.basic || one.statusExtensions ? one : { ...one, basic: 'open' as const }))
    // Delivery by other means than electronic ones has no contact.
    .map(({ contact, ...one }) => (contact && !one.serviceClass?.value ? { ...one, contact } : one));

const person = (complete: boolean): fc.Arbitrary<Person> =>
  fc.record({ id, ...personRpid, extensions: extensionsOf(DATA_MODEL), notes, timestamp }, keysOf(complete));

const device = (complete: boolean): fc.Arbitrary<Device> =>
  fc.record(
    { id, deviceId: uri, ...deviceRpid, extensions: extensionsOf(DATA_MODEL), notes, timestamp },
    keysOf(complete, 'deviceId'),
  ) as fc.Arbitrary<Device>;

/** A document; `complete` ones have every id the schema asks for. */
export function pidfArb(complete: boolean): fc.Arbitrary<Pidf> {
  return fc
    .record(
      {
        entity: uri,
        tuples: listOf(tuple(complete), 3),
        notes,
        persons: listOf(person(complete)),
        devices: listOf(device(complete)),
        extensions: extensionsOf(PIDF, DATA_MODEL),
      },
      { requiredKeys: ['entity'] },
    )
    .map(numbered) as fc.Arbitrary<Pidf>;
}
