/**
 * Flows of a phone through edge proxies (RFC 5626 section 6).
 *
 *   phone --> edge proxy (Path: <sip:...;ob>) --> registrar    Require: outbound in the 200
 *   phone --> proxy without `ob` -------------> registrar    439 when the phone supports outbound, else no flow
 *   phone ------------------------------------> registrar    a flow; promised over connections only: keep-alives by
 *                                                           STUN (UDP) are not answered here
 */
import { optionTags, type Refusal, type RegisterRequest } from './request.js';

/** What becomes of `reg-id`. */
export interface Flows {
  readonly kept: boolean;
  /** The 200 says `Require: outbound`. */
  readonly promised: boolean;
}

const NONE: Flows = { kept: true, promised: false };

export function flowsOf({ request, contacts, path, expires }: RegisterRequest): Flows | Refusal {
  if (contacts === '*' || !contacts.some(({ regId }) => regId !== undefined)) return NONE;
  const living = contacts.filter((contact) => (contact.expires < 0 ? expires : contact.expires) !== 0);
  if (living.length > 1 && living.some(({ regId }) => regId !== undefined))
    return { status: 400, reason: 'A Flow Registers One Contact' };
  const { headers, source } = request;
  const supported = optionTags(headers, 'Supported').includes('outbound');
  const required = optionTags(headers, 'Require').includes('outbound');
  const edge = path !== undefined && /;\s*ob\s*(?:[;>,]|$)/i.test(path);
  const firstHop = headers.all('Via').join().split(',').length === 1;
  if (!edge && !firstHop) return supported || required ? { status: 439 } : { kept: false, promised: false };
  const promised = edge || source.transport !== 'udp';
  if (required && !promised) return { status: 439 };
  return { kept: true, promised: promised && (supported || required) };
}
