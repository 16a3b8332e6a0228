/** Parameters of the module by their documented names, and what else the factory takes. */
import {
  checkParameters,
  type OptionsOf,
  type ParameterSpec,
  PuaError,
  type RegistrationSink,
  type RegistrationSource,
} from '@pua/core';
import type { ReginfoNotify } from './told.js';

export const REGINFO_PARAMETERS = {
  default_domain: {
    type: 'string',
    default: null,
    doc: 'Domain of AORs without one. Needed only when there are such AORs.',
  },
  publish_reginfo: {
    type: 'int',
    default: 1,
    values: [0, 1],
    doc: '1: registrations of the sources are published. The default of the profile opensips is 0.',
  },
  outbound_proxy: {
    type: 'uri',
    default: null,
    doc: 'Next hop of PUBLISH and SUBSCRIBE of this module; else that of core.',
  },
  server_address: {
    type: 'uri',
    default: null,
    doc: 'Watcher: From of SUBSCRIBE. Mandatory for subscriptions.',
  },
  ul_domain: {
    type: 'string',
    default: null,
    doc: 'Location table: the only one that is published, and the one that NOTIFYs are written to. None: every table is published.',
  },
  ul_identities_key: {
    type: 'string',
    default: null,
    doc: 'Given: the identities that the source tells of an AOR are published, and nothing where there are none; the name itself is for the source. None: the AOR, and beside it its identities.',
  },
  terminated_lifetime: {
    type: 'int',
    default: 30,
    min: 1,
    max: 3600,
    doc: 'Our own. Seconds for which the document of an AOR without contacts is published before it is removed.',
  },
  compat_attributes: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: 'Our own. 1: the attributes `received`, `path`, `user_agent` of the C modules, which the schema of RFC 3680 forbids.',
  },
  coalesce: {
    type: 'int',
    default: 5,
    min: 0,
    max: 60_000,
    doc: 'Our own. Milliseconds in which the events of an AOR are gathered into one document.',
  },
  partial: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: 'Our own. 1: documents of changes only, after a full one that was accepted.',
  },
  node: {
    type: 'string',
    default: null,
    doc: 'Our own. Name of this registrar among those that tell of the same AORs, stable over restarts; else `server_address`.',
  },
  server_contact: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: 'Our own. 1: the Contact of SUBSCRIBE is `server_address`, as in the C modules; it must lead here. 0: the address of the engine.',
  },
} as const satisfies Record<string, ParameterSpec>;

export type ReginfoParameters = Required<OptionsOf<typeof REGINFO_PARAMETERS>>;

/** Whose defaults and words are taken where Kamailio and OpenSIPS differ. */
export type ReginfoProfile = 'kamailio' | 'opensips';

/** With `snapshot()` it tells after a restart what it has: bindings that are over meanwhile need not run out by themselves. */
export type ReginfoSink = RegistrationSink & Pick<RegistrationSource, 'snapshot'>;

export interface ReginfoOptions extends OptionsOf<typeof REGINFO_PARAMETERS> {
  /** Default `kamailio`. */
  readonly profile?: ReginfoProfile;
  /** Where registrations come from; `pua.use(source)` it first. */
  readonly source?: RegistrationSource;
  /** Several of them; one that has no `bindings()` must not share AORs with another. */
  readonly sources?: readonly RegistrationSource[];
  /** Where the bindings of NOTIFYs are written; `pua.use(sink)` it first. */
  readonly sink?: ReginfoSink;
  /** Called for each registration of a document that was taken, after the sink. */
  readonly onReginfo?: (told: ReginfoNotify) => void | Promise<void>;
  /** URIs whose registrations are subscribed to from start() on, for ever. */
  readonly subscribe?: readonly string[];
}

export interface CheckedOptions extends ReginfoParameters {
  readonly profile: ReginfoProfile;
  readonly sources: readonly RegistrationSource[];
  readonly sink: ReginfoSink | undefined;
  readonly onReginfo: ReginfoOptions['onReginfo'];
  readonly subscribe: readonly string[];
  /** Name of this node in ids. */
  readonly nodeName: string;
}

/** @throws PuaError `PUA_ERR_OPTION` that names the option and the parameter */
export function checkOptions(given: ReginfoOptions): CheckedOptions {
  const { profile = 'kamailio', source, sink, onReginfo, subscribe = [] } = given;
  if (profile !== 'kamailio' && profile !== 'opensips') fail('profile', "must be 'kamailio' or 'opensips'");
  const publish_reginfo = { ...REGINFO_PARAMETERS.publish_reginfo, default: profile === 'kamailio' ? 1 : 0 };
  const parameters = checkParameters('reginfo', { ...REGINFO_PARAMETERS, publish_reginfo }, given);
  const sources = [...new Set([...(source ? [source] : []), ...(given.sources ?? [])])];
  for (const one of sources) {
    if (typeof one?.onEvent !== 'function') fail('sources', 'must be sources such as registrar(...)');
    if (parameters.partial === 1 && typeof one.bindings !== 'function')
      fail('partial', 'needs sources with bindings(): what was lost is repeated in full');
  }
  if (sink !== undefined && typeof sink.upsert !== 'function') fail('sink', 'must be a sink such as registrar(...)');
  if (parameters.ulIdentitiesKey !== null && parameters.publishReginfo === 1 && sources.length > 0) {
    if (!sources.some((one) => typeof one.identities === 'function'))
      fail('ulIdentitiesKey (ul_identities_key)', 'needs a source with identities(): nothing would be published');
  }
  if (!Array.isArray(subscribe) || !subscribe.every(isUri))
    fail('subscribe', `must be a list of SIP URIs, not ${JSON.stringify(subscribe)}`);
  if (subscribe.length > 0 && parameters.serverAddress === null)
    fail('serverAddress (server_address)', 'must be set: it is the watcher of what `subscribe` names');
  const nodeName = parameters.node ?? parameters.serverAddress ?? '';
  return { ...parameters, profile, sources, sink, onReginfo, subscribe, nodeName };
}

const isUri = (uri: unknown) => typeof uri === 'string' && /^(?:sips?|tel|pres|im):[^\s<>"]+$/i.test(uri);

function fail(option: string, fault: string): never {
  throw new PuaError('PUA_ERR_OPTION', `reginfo ${option}: ${fault}`);
}
