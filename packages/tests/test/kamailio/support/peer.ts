/** Kamailio with its tables, as the tests look at them. */
import { embeddedSip } from '@pua/sip';
import { type KamailioOptions, type LaunchedKamailio, launchKamailio, Watcher } from '@pua/testkit';
import { eventually } from './eventually';

export const DOMAIN = 'example.com';
export const CREDENTIALS = { username: 'pua', password: 'se"cret' };
const OPEN_MS = 10_000;

type Connection = Awaited<ReturnType<LaunchedKamailio['database']['connect']>>;

/** A row of `presentity`; `body` byte for byte. */
export interface Publication {
  readonly id: number;
  readonly event: string;
  readonly etag: string;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly body: Buffer;
}

/** A row of `active_watchers`. */
export interface Subscription {
  readonly id: number;
  readonly event: string;
  readonly callid: string;
  /** CSeq of the last SUBSCRIBE. */
  readonly remote_cseq: number;
  /** CSeq of the last NOTIFY. */
  readonly local_cseq: number;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly contact: string;
}

export const uriOf = (user: string): string => `sip:${user}@${DOMAIN}`;

export class Peer {
  readonly kamailio: LaunchedKamailio;
  readonly #connection: Connection;
  readonly #watchers: Watcher[] = [];

  private constructor(kamailio: LaunchedKamailio, connection: Connection) {
    this.kamailio = kamailio;
    this.#connection = connection;
  }

  /** Subscriptions are rows; with `digest` CREDENTIALS are known to it. */
  static async launch(options: KamailioOptions): Promise<Peer> {
    const kamailio = await launchKamailio({ subscriptions: 'database', ...options });
    const { username, password } = CREDENTIALS;
    if (options.digest) await kamailio.addSubscriber(username, DOMAIN, password);
    return new Peer(kamailio, await kamailio.database.connect());
  }

  async stop(): Promise<void> {
    for (const watcher of this.#watchers) await watcher.stop();
    await this.#connection.end();
    await this.kamailio.stop();
  }

  publications(user: string): Promise<Publication[]> {
    const sql = 'SELECT id, event, etag, expires, body FROM presentity WHERE username = ? AND domain = ? ORDER BY id';
    return this.#rows(sql, [user, DOMAIN]);
  }

  /** Of one watcher to one presentity. */
  subscriptions(user: string, watcher: string): Promise<Subscription[]> {
    const sql = `SELECT id, event, callid, remote_cseq, local_cseq, expires, contact FROM active_watchers
      WHERE presentity_uri = ? AND watcher_username = ? AND watcher_domain = ? ORDER BY id`;
    return this.#rows(sql, [uriOf(user), watcher, DOMAIN]);
  }

  /** The only publication of a user once it fits. */
  async publication(user: string, fits: (row: Publication) => boolean = () => true, ms?: number): Promise<Publication> {
    const rows = await eventually(
      `publication of ${user}`,
      () => this.publications(user),
      (all) => all.length === 1 && fits(all[0]!),
      ms,
    );
    return rows[0]!;
  }

  /** The only subscription once it fits. */
  async subscription(
    user: string,
    watcher: string,
    fits: (row: Subscription) => boolean = () => true,
  ): Promise<Subscription> {
    const rows = await eventually(
      `subscription of ${watcher} to ${user}`,
      () => this.subscriptions(user, watcher),
      (all) => all.length === 1 && fits(all[0]!),
    );
    return rows[0]!;
  }

  /** An independent watcher, stopped with the peer. */
  async watcher(): Promise<Watcher> {
    const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'] });
    const watcher = new Watcher({ sip, server: this.kamailio.uri, credentials: CREDENTIALS });
    this.#watchers.push(watcher);
    await watcher.start();
    return watcher;
  }

  /** Kills the server as a crash would; kamailio.restart() brings it back. */
  async crash(): Promise<void> {
    const { pid } = this.kamailio;
    process.kill(-pid, 'SIGKILL');
    const alive = () => {
      try {
        process.kill(-pid, 0);
        return true;
      } catch {
        return false;
      }
    };
    await eventually('Kamailio is gone', alive, (running) => !running, OPEN_MS);
  }

  async #rows<Row>(sql: string, values: unknown[]): Promise<Row[]> {
    const [rows] = await this.#connection.query(sql, values);
    return rows as Row[];
  }
}
