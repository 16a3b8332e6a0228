/** Documents as notifiers write them. */
import { type RegInfo, type Registration, type RegistrationContact, writeRegInfo } from '@pua/documents';

export type Contact = Partial<RegistrationContact>;

export function contact(id: string, more: Contact = {}): RegistrationContact {
  const state = more.state ?? 'active';
  return {
    id,
    state,
    event: state === 'active' ? 'registered' : 'expired',
    uri: `sip:${id}@192.0.2.1`,
    ...(state === 'active' ? { expires: 600 } : {}),
    ...more,
  };
}

export function registration(contacts: readonly RegistrationContact[], more: Partial<Registration> = {}): Registration {
  const state = contacts.some((one) => one.state === 'active') ? 'active' : 'terminated';
  return { aor: 'sip:alice@example.com', id: 'r1', state, contacts, ...more };
}

export function document(
  version: number,
  state: RegInfo['state'],
  registrations: readonly Registration[] | readonly RegistrationContact[],
): string {
  const given = registrations as readonly (Registration | RegistrationContact)[];
  const list = given.every((one) => 'aor' in one)
    ? (given as readonly Registration[])
    : [registration(given as readonly RegistrationContact[])];
  return writeRegInfo({ version, state, registrations: list });
}
