/** Who may register: users of the configuration, or of a table such as Kamailio's `subscriber`. */
import { type Clock, channels, PuaError } from '@pua/core';
import { type Knex, openDatabase } from '@pua/store';
import { canonicalAor, MAX_AOR } from '../location/aor.js';
import { inTime } from '../location/in-time.js';
import type { Secret } from './digest.js';

export interface RegistrarUser {
  readonly username: string;
  /** Default: any of the registrar's domains. */
  readonly domain?: string;
  readonly password: string;
  /** AORs that the user may register (`bob@example.com`), or `*` for all. Default: the own one, `username@domain`. */
  readonly aors?: readonly string[] | '*';
}

export interface KnownUser extends Secret {
  /** Canonical; undefined: the own one. */
  readonly aors?: ReadonlySet<string> | '*' | undefined;
}

export interface Users {
  /** `undefined`: there is none. A promise may reject: the answer is 503 then. */
  find(username: string, domain: string): KnownUser | undefined | Promise<KnownUser | undefined>;
  close(): Promise<void>;
}

/** @throws PuaError `PUA_ERR_OPTION`, which shows no password */
function listedUsers(users: readonly RegistrarUser[]): Pick<Users, 'find'> {
  const byName = new Map<string, KnownUser>();
  for (const [index, user] of users.entries()) {
    const place = `registrar users[${index}]`;
    for (const field of ['username', 'password'] as const) {
      if (typeof user?.[field] !== 'string' || user[field] === '')
        throw new PuaError('PUA_ERR_OPTION', `${place}.${field}: must be a text`);
    }
    if (user.domain !== undefined && typeof user.domain !== 'string')
      throw new PuaError('PUA_ERR_OPTION', `${place}.domain: must be a domain such as example.com`);
    if (user.aors !== undefined && user.aors !== '*' && !Array.isArray(user.aors))
      throw new PuaError('PUA_ERR_OPTION', `${place}.aors: must be "*" or a list such as ["bob@example.com"]`);
    const aors = typeof user.aors === 'object' ? canonicalAors(user.aors, `${place}.aors`) : user.aors;
    byName.set(nameOf(user.username, user.domain?.toLowerCase()), { password: user.password, aors });
  }
  return {
    find: (username, domain) => byName.get(nameOf(username, domain)) ?? byName.get(nameOf(username, undefined)),
  };
}

function canonicalAors(aors: readonly unknown[], place: string): ReadonlySet<string> {
  return new Set(
    aors.map((given, i) => {
      const aor = typeof given === 'string' ? canonicalAor(given) : undefined;
      if (aor !== undefined && /[@:]/.test(aor)) return aor;
      throw new PuaError(
        'PUA_ERR_OPTION',
        `${place}[${i}]: must be an address such as bob@example.com, not ${JSON.stringify(given)}`,
      );
    }),
  );
}

const nameOf = (username: string, domain: string | undefined): string =>
  domain === undefined ? username : `${username}\0${domain}`;

export interface SubscriberTable {
  readonly url: string;
  readonly table: string;
  readonly userColumn: string;
  /** null: users have no domain. */
  readonly domainColumn: string | null;
  readonly passwordColumn: string | null;
  readonly ha1Column: string | null;
}

/** Milliseconds a user is remembered, and that there is none. */
const KNOWN_MS = 30_000;
const UNKNOWN_MS = 5_000;
/** Users remembered; users asked for at once. */
const REMEMBERED = 10_000;
const ASKED = 1_000;
/** Milliseconds to wait for the database: the engine would answer 500 after ten seconds. */
const ANSWER_MS = 4_000;

/**
 * @param list asked first
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function usersOf(list: readonly RegistrarUser[], table: SubscriberTable | undefined): (clock: Clock) => Users {
  const listed = listedUsers(list);
  const database = table && openDatabase(table.url);
  return (clock) => {
    const subscribers = table && database && new SubscriberUsers(table, database, clock);
    return {
      find: (username, domain) => listed.find(username, domain) ?? subscribers?.find(username, domain),
      close: async () => subscribers?.close(),
    };
  };
}

interface Remembered {
  readonly user: KnownUser | undefined;
  readonly until: number;
}

/** Users of a table, each asked for when it registers. */
class SubscriberUsers implements Users {
  readonly #asked = new Map<string, Promise<KnownUser | undefined>>();
  readonly #remembered = new Map<string, Remembered>();
  #failing = false;

  constructor(
    readonly settings: SubscriberTable,
    readonly database: Knex,
    readonly clock: Clock,
  ) {}

  find(username: string, domain: string): KnownUser | undefined | Promise<KnownUser | undefined> {
    // Nobody is that, and what is remembered must be bounded.
    if (username.length > MAX_AOR) return undefined;
    const name = nameOf(username, domain);
    const known = this.#remembered.get(name);
    if (known && known.until > this.clock.now()) return known.user;
    const asked = this.#asked.get(name);
    if (asked) return asked;
    if (this.#asked.size >= ASKED) return Promise.reject(new Error('too many users are being asked for'));
    const answer = this.#ask(name, username, domain).finally(() => this.#asked.delete(name));
    this.#asked.set(name, answer);
    return answer;
  }

  async close(): Promise<void> {
    // A connection that is still being made holds it up; it is of no use to anybody.
    await inTime(this.clock, ANSWER_MS, this.database.destroy()).catch(() => {});
  }

  async #ask(name: string, username: string, domain: string): Promise<KnownUser | undefined> {
    try {
      const user = await inTime(this.clock, ANSWER_MS, this.#select(username, domain));
      this.#remember(name, user);
      this.#failing = false;
      return user;
    } catch (error) {
      // Once, not with every REGISTER until it is back.
      if (!this.#failing)
        channels.fault.publish({ type: 'fault', where: `registrar: table ${this.settings.table}`, error });
      this.#failing = true;
      throw error;
    }
  }

  async #select(username: string, domain: string): Promise<KnownUser | undefined> {
    const { table, userColumn, domainColumn, passwordColumn, ha1Column } = this.settings;
    const columns = [userColumn, passwordColumn, ha1Column].filter((column) => column !== null);
    const query = this.database(table).select(columns).where(userColumn, username).limit(2);
    const rows: Record<string, unknown>[] = await (domainColumn === null ? query : query.where(domainColumn, domain));
    // MySQL compares without case and trailing spaces.
    const row = rows.find((found) => found[userColumn] === username);
    const text = (column: string | null) =>
      column === null || row![column] == null ? undefined : String(row![column]);
    return row && { password: text(passwordColumn), ha1: text(ha1Column) };
  }

  #remember(name: string, user: KnownUser | undefined): void {
    this.#remembered.delete(name);
    this.#remembered.set(name, { user, until: this.clock.now() + (user ? KNOWN_MS : UNKNOWN_MS) });
    if (this.#remembered.size > REMEMBERED) this.#remembered.delete(this.#remembered.keys().next().value!);
  }
}
