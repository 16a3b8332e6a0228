import { deltaSeconds } from '../sip/headers.js';
import type { RequestRecord } from './record.js';

/** What a server grants, seconds. */
export interface ExpiresLimits {
  /** Asked values above 0 and below this get 423 with Min-Expires. Default 0: none. */
  min: number;
  /** Granted is the lesser of asked and this. Default 3600. */
  max: number;
  /** Taken when a request has no Expires. Default 3600. */
  default: number;
}

export const DEFAULT_LIMITS: Readonly<ExpiresLimits> = { min: 0, max: 3600, default: 3600 };

export type Grant = { readonly granted: number } | { readonly tooBrief: number };

/** RFC 3903 6 step 4 and RFC 6665 4.2.1.1. `brief` says below what a lifetime can be too brief at all. */
export function grantOf(record: RequestRecord, limits: ExpiresLimits, brief = Number.POSITIVE_INFINITY): Grant {
  const asked = deltaSeconds(record.headers.get('Expires')) ?? limits.default;
  if (asked > 0 && asked < limits.min && asked < brief) return { tooBrief: limits.min };
  return { granted: Math.min(asked, limits.max) };
}
