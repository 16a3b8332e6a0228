/** Random documents of reginfo. */
import {
  Namespace,
  type RegInfo,
  type Registration,
  type RegistrationContact,
  registrationEvents,
  registrationStates,
} from '@pua/documents';
import fc from 'fast-check';
import { extensionsOf, id, listOf, numbered, some, uri } from './common';
import { xmlText } from './xml';

const { REGINFO, GRUUINFO } = Namespace;

const param = fc.record({
  name: fc.constantFrom('+sip.instance', 'reg-id', 'naïve&"'),
  value: fc.constantFrom('"<urn:uuid:0b7f6a52-1111>"', '1', '', '"a \\" & b"'),
});
const bounded = fc.string({ minLength: 1, maxLength: 5 });

const withoutEvent = (extended: boolean) => ({
  id,
  uri,
  displayName: xmlText,
  durationRegistered: fc.nat(),
  q: fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
  callId: xmlText,
  cseq: fc.nat(),
  params: listOf(param),
  pubGruu: uri,
  tempGruu: fc.record({ uri, firstCseq: fc.nat() }),
  extensions: extensionsOf(REGINFO, GRUUINFO),
  ...(extended
    ? {
        compat: some({ received: bounded, path: bounded, userAgent: bounded }).filter(
          (all) => Object.keys(all).length > 0,
        ),
      }
    : {}),
});

const contact = (extended: boolean): fc.Arbitrary<RegistrationContact> =>
  fc
    .record({
      one: fc.record(withoutEvent(extended), { requiredKeys: ['id', 'uri'] }),
      event: fc.constantFrom(...registrationEvents),
      seconds: fc.nat(),
      hasExpires: fc.boolean(),
      lang: fc.constantFrom(undefined, 'en', 'de-CH'),
    })
    .map(({ one, event, seconds, hasExpires, lang }) => ({
      ...one,
      event,
      state: ['registered', 'created', 'refreshed', 'shortened'].includes(event) ? 'active' : 'terminated',
      ...(event === 'shortened' || hasExpires ? { expires: seconds } : {}),
      ...(event === 'probation' ? { retryAfter: seconds } : {}),
      ...('displayName' in one && lang ? { lang } : {}),
    })) as fc.Arbitrary<RegistrationContact>;

const registration = (extended: boolean): fc.Arbitrary<Registration> =>
  fc
    .record(
      {
        aor: uri,
        id,
        state: fc.constantFrom(...registrationStates),
        contacts: listOf(contact(extended), 3),
        extensions: extensionsOf(REGINFO),
      },
      { requiredKeys: ['aor', 'id', 'state'] },
    )
    .map(({ contacts = [], ...one }) => {
      const fitting = contacts.filter(({ state }) => one.state === 'active' || state === 'terminated');
      return { ...one, ...(fitting.length > 0 ? { contacts: fitting } : {}) };
    }) as fc.Arbitrary<Registration>;

/** A document; those that are not `extended` keep to the schema. */
export function regInfoArb(extended: boolean): fc.Arbitrary<RegInfo> {
  return fc
    .record(
      {
        version: fc.nat({ max: 0xffffffff }),
        state: fc.constantFrom('full' as const, 'partial' as const),
        registrations: fc.uniqueArray(registration(extended), { maxLength: 3, selector: ({ aor }) => aor }),
        extensions: extensionsOf(REGINFO),
      },
      { requiredKeys: ['version', 'state', 'registrations'] },
    )
    .map(numbered) as fc.Arbitrary<RegInfo>;
}
