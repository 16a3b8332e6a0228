/** Options of the registrar, plain values but for `publish` and a store of one's own. */
import {
  type Binding,
  checkParameters,
  type HeaderView,
  type Hop,
  type OptionsOf,
  type ParameterSpec,
  PuaError,
} from '@pua/core';
import { type LocationStore, locationTable } from '../location/index.js';
import { REGISTRAR_ALGORITHMS, type RegistrarAlgorithm } from './digest.js';
import { TrustedAddresses } from './trust.js';
import { type RegistrarUser, type SubscriberTable, usersOf } from './users.js';

/** Names and defaults are those of Kamailio's modules registrar, usrloc, auth and auth_db where these have them. */
export const REGISTRAR_PARAMETERS = {
  min_expires: {
    type: 'int',
    default: 60,
    min: 0,
    max: 3600,
    doc: 'Shortest lifetime, seconds: a shorter one is answered 423.',
  },
  default_expires: {
    type: 'int',
    default: 3600,
    min: 1,
    max: 0x7fffffff,
    doc: 'Lifetime when none is given, seconds.',
  },
  max_expires: {
    type: 'int',
    default: 0,
    min: 0,
    max: 0x7fffffff,
    doc: 'Longest lifetime, seconds: a longer one is shortened. 0: no limit.',
  },
  max_contacts: { type: 'int', default: 10, min: 1, max: 100, doc: 'Bindings of one address; more are answered 403.' },
  max_bindings: {
    type: 'int',
    default: 1_000_000,
    min: 1,
    max: 0x7fffffff,
    doc: 'Bindings in total; more are answered 503.',
  },
  use_domain: {
    type: 'int',
    default: 1,
    values: [0, 1],
    doc: '0: an address is its user part; the domain column of the subscribers is not looked at.',
  },
  realm: { type: 'string', default: null, doc: 'Realm of the challenges; unset: the domain of the address.' },
  nonce_expire: { type: 'int', default: 300, min: 1, max: 86_400, doc: 'How long a nonce may be used, seconds.' },
  subscriber_url: {
    type: 'string',
    default: null,
    doc: 'Database with the users: sqlite:FILE, mysql://, postgres://.',
  },
  subscriber_table: { type: 'string', default: 'subscriber', doc: 'Its table.' },
  user_column: { type: 'string', default: 'username', doc: 'Column of the user name.' },
  domain_column: { type: 'string', default: 'domain', doc: 'Column of the domain, in lower case.' },
  password_column: {
    type: 'string',
    default: null,
    doc: 'Column of the password; with it SHA-256 is offered, too.',
  },
  ha1_column: {
    type: 'string',
    default: null,
    doc: 'Column of the MD5 hash of user:realm:password; `ha1` when `password_column` is unset, too.',
  },
} as const satisfies Record<string, ParameterSpec>;

/** The REGISTER that made a binding, for the `publish` predicate. */
export interface RegisterInfo {
  /** Request-URI. */
  readonly uri: string;
  readonly fromUri: string;
  readonly toUri: string;
  /** Where it came from. */
  readonly source: Hop;
  /** A copy from a trusted address. */
  readonly trusted: boolean;
  /** Who was authenticated. */
  readonly username?: string;
  readonly headers: HeaderView;
}

export interface RegistrarOptions extends OptionsOf<typeof REGISTRAR_PARAMETERS> {
  /** Addresses and networks whose REGISTERs are taken as they are: copies of what Kamailio or OpenSIPS has accepted. */
  readonly trusted?: readonly string[];
  /** Domains that addresses may have. Needed with users; with `trusted` alone, absent means any. */
  readonly domains?: readonly string[];
  readonly users?: readonly RegistrarUser[];
  /** One challenge each, in this order. Default SHA-256, MD5; MD5 alone when of users only hashes are known. */
  readonly algorithms?: readonly RegistrarAlgorithm[];
  /** Where bindings outlive the process; absent: nowhere. */
  readonly location?: { readonly dbUrl: string; readonly table?: string } | LocationStore;
  /** pua_set_publish(): is this binding to be published? Absent: the companion's own rule decides. */
  readonly publish?: (request: RegisterInfo, binding: Binding) => boolean | undefined;
}

export type CheckedRegistrarOptions = ReturnType<typeof checkRegistrarOptions>;

function fail(what: string): never {
  throw new PuaError('PUA_ERR_OPTION', `registrar ${what}`);
}

/** @throws PuaError `PUA_ERR_OPTION` that names the option */
export function checkRegistrarOptions(given: RegistrarOptions) {
  const parameters = checkParameters('registrar', REGISTRAR_PARAMETERS, given);
  const trusted = given.trusted ?? [];
  const users = given.users ?? [];
  const domains = given.domains ?? undefined;
  for (const [name, list] of Object.entries({ trusted, users, domains: domains ?? [] })) {
    if (!Array.isArray(list)) fail(`${name}: must be a list, not ${typeof list}`);
  }
  const authenticates = users.length > 0 || parameters.subscriberUrl !== null;
  if (trusted.length === 0 && !authenticates)
    fail(
      "needs to know whom to believe: name the addresses that copy REGISTERs to it (trusted: ['127.0.0.1/32']), or its users (users, or subscriber_url)",
    );
  if (authenticates && domains === undefined)
    fail("domains: name the domains it is the registrar of, such as ['example.com']");
  const { minExpires, defaultExpires, maxExpires } = parameters;
  if (maxExpires > 0 && maxExpires < minExpires)
    fail(`maxExpires (max_expires): must not be less than min_expires, not ${maxExpires}`);
  if (defaultExpires < minExpires) fail('defaultExpires (default_expires): must not be less than min_expires');
  const publish = given.publish ?? undefined;
  if (publish !== undefined && typeof publish !== 'function') fail('publish: must be a function');
  return {
    ...parameters,
    users: authenticates ? named('subscriberUrl', () => usersOf(users, tableOf(parameters))) : undefined,
    trusted: new TrustedAddresses(trusted),
    domains: domains && new Set(domains.map((domain, i) => domainAt(domain, i))),
    algorithms: algorithmsOf(given.algorithms, parameters.subscriberUrl === null || parameters.passwordColumn !== null),
    store: storeOf(given.location),
    publish,
  };
}

/** What is wrong with a database says which one is meant. */
function named<T>(option: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const { message } = error as Error;
    throw message.startsWith('registrar ') ? error : fail(`${option}: ${message}`);
  }
}

function tableOf(parameters: Required<OptionsOf<typeof REGISTRAR_PARAMETERS>>): SubscriberTable | undefined {
  const { subscriberUrl: url, subscriberTable: table, userColumn, domainColumn, passwordColumn } = parameters;
  if (url === null) return undefined;
  return {
    url,
    table,
    userColumn,
    domainColumn: parameters.useDomain === 1 ? domainColumn : null,
    passwordColumn,
    ha1Column: parameters.ha1Column ?? (passwordColumn === null ? 'ha1' : null),
  };
}

function domainAt(domain: unknown, index: number): string {
  if (typeof domain === 'string' && /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/i.test(domain)) return domain.toLowerCase();
  return fail(`domains[${index}]: must be a domain or an address such as example.com, not ${JSON.stringify(domain)}`);
}

function algorithmsOf(
  given: readonly RegistrarAlgorithm[] | undefined,
  passwords: boolean,
): readonly RegistrarAlgorithm[] {
  if (given === undefined || given === null) return passwords ? ['SHA-256', 'MD5'] : ['MD5'];
  const known = Array.isArray(given) && given.length > 0 && given.every((name) => REGISTRAR_ALGORITHMS.includes(name));
  if (!known) fail(`algorithms: must be a list of ${REGISTRAR_ALGORITHMS.join(', ')}`);
  if (!passwords && given.some((name) => name !== 'MD5'))
    fail('algorithms: only MD5 works with hashes of passwords; name the column of the passwords (password_column)');
  return given;
}

function storeOf(location: RegistrarOptions['location']): LocationStore | undefined {
  if (location === undefined || location === null) return undefined;
  if ('open' in location) return location;
  if (typeof location.dbUrl !== 'string') fail('location.dbUrl: must be a database such as sqlite:./location.db');
  const { dbUrl, table } = location;
  return named('location', () => locationTable(dbUrl, table === undefined ? {} : { table }));
}
