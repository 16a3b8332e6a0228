/** What one REGISTER asks for, and what becomes of it. */
import type { Binding, BindingOrigin } from '@pua/core';

/** One value of its Contact header field. */
export interface ContactUpdate {
  /** Contact URI, without angle brackets. */
  readonly contact: string;
  /** Seconds; 0 removes the binding, Infinity makes a permanent one. */
  readonly expires: number;
  /** 0 to 1; absent: not given. */
  readonly q?: number;
  /** `+sip.instance`: a URN, without quotes and brackets. */
  readonly instance?: string;
  readonly regId?: number;
  readonly params?: Readonly<Record<string, string | true>>;
  readonly pubGruu?: string;
  readonly tempGruu?: string;
  /** When the registrar has an identity of its own for the binding (Kamailio's ruid). */
  readonly bindingId?: string;
}

export interface Registration {
  /** To of the REGISTER: `sip:user@domain` or `user@domain`; brought into its canonical form. */
  readonly aor: string;
  /** Default `location`. */
  readonly table?: string;
  readonly callId: string;
  readonly cseq: number;
  /** `*`: all are removed. Empty: nothing changes. */
  readonly contacts: readonly ContactUpdate[] | '*';
  readonly received?: string;
  readonly path?: string;
  readonly userAgent?: string;
  /** From URI. */
  readonly fromUri?: string;
  /** Default `local`. */
  readonly origin?: BindingOrigin;
  /** What pua_set_publish() would say of a binding that comes or is refreshed; kept with it until it ends. */
  readonly publish?: (binding: Binding) => boolean | undefined;
}

/** Why nothing was changed. */
export type RegistrationFault =
  /** The AOR can't be one, or something is longer than its limit. */
  | 'malformed'
  /** A binding has a CSeq of the same Call-ID that is not lower (RFC 3261 10.3, steps 6 and 7). */
  | 'out-of-order'
  | 'too-many-contacts'
  /** There is no place for another binding. */
  | 'full';

export type RegistrationResult =
  /** All bindings of the AOR after the change. */
  { readonly bindings: readonly Binding[] } | { readonly fault: RegistrationFault; readonly reason: string };
