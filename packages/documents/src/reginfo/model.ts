/** Typed form of `application/reginfo+xml` (RFC 3680 section 5). Lists are absent when empty. */
import type { XmlElement } from '../xml/element.js';

export interface RegInfo {
  /** One higher from document to document; the body processor of `reg` counts for the documents of reginfo. */
  readonly version: number;
  /** `partial`: only the registrations that have changed. */
  readonly state: 'full' | 'partial';
  readonly registrations: readonly Registration[];
  readonly extensions?: readonly XmlElement[];
}

export interface Registration {
  /** Address-of-record, a URI. */
  readonly aor: string;
  /** The same for a registration in all documents, unique in each. */
  readonly id: string;
  readonly state: RegistrationState;
  readonly contacts?: readonly RegistrationContact[];
  readonly extensions?: readonly XmlElement[];
}

/** RFC 3680 section 4.7.1: nobody is told of the way from `terminated` back to `init`. */
export const registrationStates = ['init', 'active', 'terminated'] as const;
export type RegistrationState = (typeof registrationStates)[number];

/** RFC 3680 section 4.7.1, figure 2 */
export const registrationEvents = [
  'registered',
  'created',
  'refreshed',
  'shortened',
  'expired',
  'deactivated',
  'probation',
  'unregistered',
  'rejected',
] as const;
export type RegistrationEvent = (typeof registrationEvents)[number];

export interface RegistrationContact {
  /** The same for a contact in all documents, unique in each. */
  readonly id: string;
  readonly state: 'active' | 'terminated';
  /** What led to the state. */
  readonly event: RegistrationEvent;
  readonly uri: string;
  readonly displayName?: string;
  /** Language of the display name (xml:lang). */
  readonly lang?: string;
  /** Seconds since it was bound. */
  readonly durationRegistered?: number;
  /** Seconds left; must be there with `shortened`. */
  readonly expires?: number;
  /** Seconds; with `probation` only. */
  readonly retryAfter?: number;
  /** 0 to 1, at most three decimals. */
  readonly q?: number;
  /** Of the last REGISTER. */
  readonly callId?: string;
  readonly cseq?: number;
  /** Other parameters of the Contact header field, values with their quotes; an empty value: none. */
  readonly params?: readonly { readonly name: string; readonly value: string }[];
  /** RFC 5628 */
  readonly pubGruu?: string;
  readonly tempGruu?: { readonly uri: string; readonly firstCseq: number };
  /** Kamailio's attributes, in no namespace: the RFC's schema forbids them. Written when given, read when there. */
  readonly compat?: { readonly received?: string; readonly path?: string; readonly userAgent?: string };
  readonly extensions?: readonly XmlElement[];
}
