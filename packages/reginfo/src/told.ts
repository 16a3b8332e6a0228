/** What NOTIFYs tell, as an application gets it that has no use for a sink. */
import type { RegInfo, Registration, RegistrationContact, RegistrationEvent } from '@pua/documents';
import { readParams } from './params.js';

/** One registration of a document (RFC 3680 section 5.1). */
export interface ReginfoNotify {
  /** URI, as the document has it. */
  readonly aor: string;
  readonly registrationState: 'init' | 'active' | 'terminated';
  /** The contacts are all there are; else those that have changed. */
  readonly full: boolean;
  readonly version: number;
  readonly contacts: readonly ToldContact[];
}

export interface ToldContact {
  readonly id: string;
  readonly state: 'active' | 'terminated';
  readonly event: RegistrationEvent;
  readonly uri: string;
  /** Seconds left. */
  readonly expires?: number;
  readonly q?: number;
  readonly callId?: string;
  readonly cseq?: number;
  /** Seconds; with `probation`. */
  readonly retryAfter?: number;
  /** Seconds. */
  readonly durationRegistered?: number;
  readonly displayName?: string;
  readonly pubGruu?: string;
  readonly tempGruu?: { readonly uri: string; readonly firstCseq: number };
  /** Other parameters of the Contact header field, values without their quotes; true: none. */
  readonly params: Readonly<Record<string, string | true>>;
}

export function told({ version, state }: RegInfo, registration: Registration): ReginfoNotify {
  return {
    aor: registration.aor,
    registrationState: registration.state,
    full: state === 'full',
    version,
    contacts: (registration.contacts ?? []).map(toldContact),
  };
}

function toldContact({ params, lang: _l, compat: _c, extensions: _e, ...rest }: RegistrationContact): ToldContact {
  return { ...rest, params: readParams(params) };
}
