/** Options of createPua(), checked and completed. */
import { PuaError } from './errors.js';
import type { ProcessParameters } from './events.js';
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
  readonly process: ProcessParameters;
}

/** @throws PuaError `PUA_ERR_OPTION` that names the option */
export function checkOptions(given: PuaOptions): CheckedOptions {
  const warn = given.warn ?? (() => {});
  checkPorts(given);
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
  checkOthers(given);
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
    process: {
      dlginfoIncreaseVersion: values['dlginfoIncreaseVersion'] === 1,
      reginfoIncreaseVersion: values['reginfoIncreaseVersion'] === 1,
    },
  };
}

function fail(option: string, must: string, value: unknown): never {
  throw new PuaError('PUA_ERR_OPTION', `${option}: must be ${must}, not ${JSON.stringify(value) ?? String(value)}`);
}

/** The two ports are objects of other packages: a mix-up is told here, not by a crash later. */
function checkPorts({ sip, store }: PuaOptions): void {
  const lacks = (port: unknown, methods: readonly string[]) =>
    typeof port !== 'object' || port === null
      ? 'nothing was given'
      : methods
          .filter((name) => typeof (port as Record<string, unknown>)[name] !== 'function')
          .map((name) => `it has no ${name}()`)[0];
  const noSip =
    lacks(sip, ['start', 'stop', 'resolve', 'contact', 'request', 'onUnbound']) ??
    lacks(sip.clock, ['now', 'wall', 'after']);
  if (noSip) throw new PuaError('PUA_ERR_OPTION', `sip: must be an engine such as embeddedSip(...), but ${noSip}`);
  if (store === undefined) return;
  const noStore = lacks(store, ['open', 'load', 'changed', 'flush', 'close']);
  if (noStore) throw new PuaError('PUA_ERR_OPTION', `store: must be a store such as openStore(...), but ${noStore}`);
}

function checkOthers(given: PuaOptions): void {
  const whole = (option: string, value: unknown, least: number) => {
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= least))
      fail(option, `a whole number of ${least} or more`, value);
  };
  whole('ceiling.perSecond', given.ceiling?.perSecond, 0);
  whole('ceiling.inFlight', given.ceiling?.inFlight, 1);
  whole('maxNotifyBytes', given.maxNotifyBytes, 0);
  for (const [name, value] of Object.entries(given.policy ?? {})) {
    if (!(name in DEFAULT_POLICY)) fail(`policy.${name}`, `one of ${Object.keys(DEFAULT_POLICY).join(', ')}`, name);
    if (name === 'strictTimerN') {
      if (typeof value !== 'boolean') fail(`policy.${name}`, 'true or false', value);
    } else if (name.startsWith('max')) whole(`policy.${name}`, value, 0);
    else if (!(Number.isFinite(value) && (value as number) > 0)) fail(`policy.${name}`, 'a number above 0', value);
  }
  if (given.onStop !== undefined && given.onStop !== 'leave' && given.onStop !== 'unpublish')
    fail('onStop', "'leave' or 'unpublish'", given.onStop);
  for (const algorithm of given.digestAlgorithms ?? []) {
    if (!DIGEST_ALGORITHMS.includes(algorithm))
      fail('digestAlgorithms', `of ${DIGEST_ALGORITHMS.join(', ')}`, algorithm);
  }
  if (given.credentials !== undefined && !Array.isArray(given.credentials))
    throw new PuaError('PUA_ERR_OPTION', 'credentials: must be a list of { realm, username, password }');
  for (const [index, entry] of (given.credentials ?? []).entries()) {
    for (const field of ['realm', 'username', 'password'] as const) {
      // Without the value: it may be the password in the wrong place.
      if (typeof entry?.[field] !== 'string')
        throw new PuaError('PUA_ERR_OPTION', `credentials[${index}].${field}: must be a text`);
    }
  }
}
