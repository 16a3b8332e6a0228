/** What an application has granted: the bindings that a REGISTER asked for, with the lifetimes of the 2xx (RFC 3261 10.3). */
import { type ContactUpdate, type ContactValue, type Registration, readContacts, sameUri } from '@pua/sources';
import { partyOf } from '../party.js';
import type { RawMessage } from '../raw.js';
import type { Acceptance } from './accepted.js';

/** undefined: it asked for nothing, or for something that can't be read. */
export function grantedBy(
  request: RawMessage,
  answer: Acceptance,
  defaultExpires: number,
): Pick<Registration, 'aor' | 'callId' | 'cseq' | 'contacts' | 'fromUri' | 'path' | 'userAgent'> | undefined {
  const asked = readContacts(request.all('Contact'));
  const { cseq } = request;
  const callId = request.get('Call-ID');
  if (asked.length === 0 || cseq === undefined || callId === undefined) return undefined;
  if (typeof asked === 'string' && asked !== '*') return undefined;
  const path = request.all('Path').join(', ');
  const userAgent = request.get('User-Agent');
  return {
    aor: partyOf(request.get('To')).uri,
    callId,
    cseq,
    fromUri: partyOf(request.get('From')).uri,
    contacts: asked === '*' ? asked : updates(asked, secondsOf(request.get('Expires')) ?? defaultExpires, answer),
    ...(path === '' ? {} : { path }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}

/** A Contact of the 2xx says what was granted to it, else its Expires; GRUUs come from there, too (RFC 5627 5.3). */
function updates(asked: readonly ContactValue[], lifetime: number, answer: Acceptance): readonly ContactUpdate[] {
  const listed = readContacts(answer.contacts);
  const values = typeof listed === 'string' ? [] : listed;
  const most = secondsOf(answer.expires);
  return asked.map((value) => {
    const { expires: _, received: __, ...contact } = value;
    const granted = values.find((other) => sameUri(other.contact, contact.contact));
    const { pubGruu, tempGruu } = granted ?? {};
    const wish = ownExpires(value) ?? lifetime;
    return {
      ...contact,
      expires: wish === 0 ? 0 : (ownExpires(granted) ?? most ?? wish),
      ...(pubGruu === undefined ? {} : { pubGruu }),
      ...(tempGruu === undefined ? {} : { tempGruu }),
    };
  });
}

/** Seconds of its own `expires` parameter; below 0 it has none. */
function ownExpires(value: ContactValue | undefined): number | undefined {
  return value && value.expires >= 0 ? value.expires : undefined;
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text.trim()) ? Number(text) : undefined;
}
