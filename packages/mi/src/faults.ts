/** What can go wrong with a command: one table for every transport. */

export interface FaultRow {
  /** JSON-RPC 2.0 `error.code`. */
  readonly code: number;
  /** HTTP status of a single call. */
  readonly http: number;
  /** Code that Kamailio gives in the same case; comes along for calls with positional parameters. */
  readonly kamailio: number;
}

export const FAULTS = {
  /** Not JSON. */
  parse: { code: -32700, http: 400, kamailio: 400 },
  /** JSON, but not a JSON-RPC request. */
  'invalid-request': { code: -32600, http: 400, kamailio: 400 },
  'unknown-method': { code: -32601, http: 404, kamailio: 500 },
  /** Missing or malformed argument, unknown event, document that its event refuses. */
  'invalid-params': { code: -32602, http: 400, kamailio: 400 },
  internal: { code: -32603, http: 500, kamailio: 500 },
  unauthorized: { code: 401, http: 401, kamailio: 403 },
  forbidden: { code: 403, http: 403, kamailio: 403 },
  'not-found': { code: 404, http: 404, kamailio: 404 },
  'method-not-allowed': { code: 405, http: 405, kamailio: 400 },
  /** Another document of the same publication came while this one waited. */
  superseded: { code: 409, http: 409, kamailio: 500 },
  /** The entity-tag given is not the one held. */
  'wrong-etag': { code: 412, http: 412, kamailio: 500 },
  'too-large': { code: 413, http: 413, kamailio: 400 },
  'media-type': { code: 415, http: 415, kamailio: 400 },
  /** A new publication needs a document. */
  'no-body': { code: 422, http: 422, kamailio: 500 },
  overload: { code: 429, http: 429, kamailio: 503 },
  /** A SIP server said no. */
  rejected: { code: 502, http: 502, kamailio: 502 },
  stopping: { code: 503, http: 503, kamailio: 503 },
  /** No SIP server said anything. */
  unreachable: { code: 504, http: 504, kamailio: 504 },
  /** The lifetime asked for ended before a server had accepted it. */
  expired: { code: 504, http: 504, kamailio: 504 },
  /** No final answer within the wait limit; the request goes on. */
  pending: { code: 504, http: 504, kamailio: 504 },
} as const satisfies Record<string, FaultRow>;

export type FaultName = keyof typeof FAULTS;

/** A command that failed, with details for `error.data`. */
export class Fault extends Error {
  override readonly name = 'Fault';
  constructor(
    readonly fault: FaultName,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  get row(): FaultRow {
    return FAULTS[this.fault];
  }
}
