/** Options of createPua(), checked and completed. */
import { PuaError } from './errors.js';
import { type OptionsOf, optionName, type ParameterSpec, PUA_PARAMETERS, parameterFault } from './parameters.js';
import { DIGEST_ALGORITHMS, type DigestAlgorithm, type DigestCredentials } from './policy/digest.js';
import { DEFAULT_POLICY, type Policy } from './policy/policy.js';
import type { SipPort } from './ports/sip.js';
import type { StorePort } from './ports/store.js';
import type { Ceiling } from './sending/pacer.js';

/** The documented parameters; `db_url` and `db_table` belong to the store that is handed in. */
export type CoreParameters = Omit<OptionsOf<typeof PUA_PARAMETERS>, 'dbUrl' | 'dbTable'>;

export interface PuaOptions extends CoreParameters {
  readonly sip: SipPort;
  /** Absent: nothing survives a restart. */
  readonly store?: StorePort;
  readonly credentials?: readonly DigestCredentials[];
  /** In SIP the server's order decides; this only says what may be used. Default: all. */
  readonly digestAlgorithms?: readonly DigestAlgorithm[];
  /** Per next hop. Default: no rate limit, 1000 in flight. */
  readonly ceiling?: Partial<Ceiling>;
  /** At most one PUBLISH per Request-URI on the wire (RFC 3903 section 4). Default true; false: one per record. */
  readonly onePublishPerUri?: boolean;
  readonly policy?: Partial<Omit<Policy, 'defaultExpires' | 'minExpires'>>;
  /** Largest body of a NOTIFY, bytes. Default 256 kB. */
  readonly maxNotifyBytes?: number;
  /** What stop() does with the records. Default `leave`: they are in the database. */
  readonly onStop?: 'leave' | 'unpublish';
  /** Warnings about options (a lifetime below 60 s). */
  readonly warn?: (message: string) => void;
}

export interface CheckedOptions {
  readonly policy: Policy;
  readonly ceiling: Ceiling;
  readonly outboundProxies: readonly string[];
  readonly credentials: readonly DigestCredentials[];
  readonly digestAlgorithms: readonly string[];
  readonly onePublishPerUri: boolean;
  readonly maxNotifyBytes: number;
  readonly onStop: 'leave' | 'unpublish';
  readonly updatePeriod: number;
  readonly fetchRows: number;
  readonly checkRemoteContact: boolean;
}

/** @throws PuaError `PUA_ERR_OPTION` that names the option */
export function checkOptions(given: PuaOptions): CheckedOptions {
  const warn = given.warn ?? (() => {});
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(PUA_PARAMETERS) as [string, ParameterSpec][]) {
    const option = optionName(name);
    const value = (given as unknown as Record<string, unknown>)[option] ?? spec.default;
    const fault = parameterFault(spec, value);
    if (fault) throw new PuaError('PUA_ERR_OPTION', `${option} (${name}): ${fault}`);
    if (spec.warnBelow !== undefined && (value as number) < spec.warnBelow) {
      warn(`${name} ${value}: honoured, but below ${spec.warnBelow} most of the traffic will be refreshes`);
    }
    values[option] = value;
  }
  if (values['dbMode'] === 1) warn('db_mode 1 is reserved; 0 is used');
  if (values['dbMode'] === 2) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      'dbMode (db_mode): 2 (database only) is not built yet; use 0, which survives restarts too',
    );
  }
  const proxies = values['outboundProxy'] as string | readonly string[] | null;
  return {
    policy: {
      ...DEFAULT_POLICY,
      ...given.policy,
      defaultExpires: values['defaultExpires'] as number,
      minExpires: values['minExpires'] as number,
    },
    ceiling: { perSecond: given.ceiling?.perSecond ?? 0, inFlight: given.ceiling?.inFlight ?? 1_000 },
    outboundProxies: proxies === null ? [] : typeof proxies === 'string' ? [proxies] : proxies,
    credentials: given.credentials ?? [],
    digestAlgorithms: given.digestAlgorithms ?? DIGEST_ALGORITHMS,
    onePublishPerUri: given.onePublishPerUri ?? true,
    maxNotifyBytes: given.maxNotifyBytes ?? 256 * 1024,
    onStop: given.onStop ?? 'leave',
    updatePeriod: values['updatePeriod'] as number,
    fetchRows: values['fetchRows'] as number,
    checkRemoteContact: values['checkRemoteContact'] === 1,
  };
}
