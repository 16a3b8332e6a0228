/** What launched database servers have in common: access, life, and the databases to be dropped at the end. */
import { randomBytes } from 'node:crypto';
import type { DatabaseAccess } from './access.js';
import type { PeerProcess } from './child.js';
import { removeFolder } from './folder.js';

export interface OwnServer {
  readonly folder: string;
  readonly start: () => Promise<PeerProcess>;
  process: PeerProcess;
}

export abstract class DatabaseServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly #databases = new Set<string>();
  readonly #own: OwnServer | undefined;
  #stopped = false;

  /** @param own absent: the server belongs to others, who have named it in the variable of the environment */
  constructor(
    access: DatabaseAccess,
    own: OwnServer | undefined,
    private readonly variable: string,
  ) {
    ({ host: this.host, port: this.port, user: this.user, password: this.password } = access);
    this.#own = own;
  }

  protected abstract execute(statement: string): Promise<void>;
  protected abstract drop(name: string): Promise<void>;
  protected abstract end(server: PeerProcess, how: 'stop' | 'kill'): Promise<void>;

  get pid(): number | undefined {
    return this.#own?.process.pid;
  }

  get access(): DatabaseAccess {
    const { host, port, user, password } = this;
    return { host, port, user, password };
  }

  /** A new database's name; `options` follow it in CREATE DATABASE. */
  protected async create(options: string): Promise<string> {
    const name = `pua_${randomBytes(6).toString('hex')}`;
    await this.execute(`CREATE DATABASE ${name}${options}`);
    this.#databases.add(name);
    return name;
  }

  protected async remove(name: string): Promise<void> {
    if (this.#databases.delete(name)) await this.drop(name);
  }

  async interrupt(how: 'stop' | 'kill' = 'stop'): Promise<void> {
    await this.end(this.#needOwn('interrupt').process, how);
  }

  async resume(): Promise<void> {
    const own = this.#needOwn('resume');
    if (!own.process.running) own.process = await own.start();
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    if (this.#own) {
      await this.end(this.#own.process, 'stop');
      removeFolder(this.#own.folder);
      return;
    }
    for (const name of this.#databases) await this.drop(name);
    this.#databases.clear();
  }

  #needOwn(what: string): OwnServer {
    if (this.#own) return this.#own;
    throw new Error(`${what}(): the server of ${this.variable} belongs to others; launch with own: true`);
  }
}
