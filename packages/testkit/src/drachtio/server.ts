import { createServer, type Server } from 'node:net';
import type { Clock, Hop } from '@pua/core';
import { Application, Applications } from './application.js';
import { Dialogs } from './dialogs.js';
import type { Command } from './frames.js';
import { Incoming } from './incoming.js';
import { InviteClient } from './invite-client.js';
import { InviteServer } from './invite-server.js';
import { Outgoing } from './outgoing.js';
import { Wire } from './wire.js';

export interface DrachtioServerOptions {
  /** Port of the admin protocol on 127.0.0.1; default 0: a free one. */
  readonly port?: number;
  /** Default `cymru`. */
  readonly secret?: string;
  /** Where SIP is spoken; default `udp:127.0.0.1:0`. UDP only. */
  readonly listen?: string;
  /** T1 of the SIP side, milliseconds; default 500. A silent peer is a 408 after 64 of it. */
  readonly t1?: number;
  readonly clock?: Clock;
}

/**
 * A double of drachtio-server 0.9 for tests of what runs on drachtio-srf: its admin protocol over TCP, real SIP over UDP,
 * and the habits of the original that an application must live with. INVITEs and their answers are sent once, not repeated, and
 * there is no 100rel.
 */
export class DrachtioServer {
  readonly secret: string;
  readonly #wire: Wire;
  readonly #dialogs = new Dialogs();
  readonly #applications = new Applications();
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #inviteClient: InviteClient;
  readonly #inviteServer: InviteServer;
  readonly #net: Server;

  private constructor({ secret = 'cymru', listen = 'udp:127.0.0.1:0', t1, clock }: DrachtioServerOptions) {
    this.secret = secret;
    this.#wire = new Wire(
      { listen, ...(t1 === undefined ? {} : { t1 }), ...(clock === undefined ? {} : { clock }) },
      {
        onRequest: (request, raw) => this.#incoming.request(request, raw),
        onProvisional: (raw) => this.#outgoing.provisional(raw),
        onInvite: (message, raw, from) => {
          if (message.isRequest) this.#inviteServer.request(message, raw, from);
          else this.#inviteClient.response(message, raw);
        },
      },
    );
    this.#inviteClient = new InviteClient(this.#wire, this.#dialogs);
    this.#inviteServer = new InviteServer(this.#wire, this.#dialogs, this.#applications);
    this.#outgoing = new Outgoing(this.#wire, this.#dialogs, this.#inviteClient);
    this.#incoming = new Incoming(this.#wire, this.#dialogs, this.#applications);
    this.#net = createServer((socket) => {
      const application = new Application(socket, (command) => this.#command(application, command));
      this.#applications.add(application);
      application.onClose(() => this.#applications.delete(application));
    });
  }

  static async start(options: DrachtioServerOptions = {}): Promise<DrachtioServer> {
    const server = new DrachtioServer(options);
    await server.#wire.start();
    await server.listen(options.port ?? 0);
    return server;
  }

  /** Takes links again after hangUp(). */
  listen(port: number): Promise<void> {
    return new Promise((done, failed) => {
      this.#net.once('error', failed).listen(port, '127.0.0.1', () => {
        this.#net.off('error', failed);
        done();
      });
    });
  }

  /** Port of the admin protocol. */
  get port(): number {
    const address = this.#net.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** Where SIP is spoken. */
  get address(): Hop {
    return this.#wire.address;
  }

  /** Links that are up. */
  get links(): number {
    return this.#applications.size;
  }

  /** Dialogs that the server keeps. */
  get dialogs(): number {
    return this.#dialogs.size;
  }

  /** SUBSCRIBEs outside of a dialog for one that the server has; the original loses 11 kB with each. */
  get leaks(): number {
    return this.#outgoing.leaks;
  }

  /** Nobody listens on that UDP port: the server hears it by ICMP, a request to it is a 503 at once. */
  closePort(host: string, port: number): void {
    this.#outgoing.closed.add(`${host}:${port}`);
  }

  /** Cuts every link; its dialogs stay, and stay bound to the dead link. */
  cut(): void {
    for (const application of this.#applications) application.cut();
  }

  /** Cuts every link and takes no new one before listen(). */
  async hangUp(): Promise<void> {
    const closed = new Promise((done) => this.#net.close(done));
    this.cut();
    await closed;
  }

  /** Forgets all dialogs, as a new process does. */
  forget(): void {
    this.#dialogs.clear();
  }

  async stop(): Promise<void> {
    if (this.#net.listening) await this.hangUp();
    this.#inviteClient.stop();
    this.#inviteServer.stop();
    await this.#wire.stop();
  }

  #command(application: Application, command: Command): boolean {
    const [first = ''] = command.arguments;
    switch (command.type) {
      case 'authenticate': {
        const right = first === this.secret;
        const { host, port } = this.address;
        application.respond(
          command.id,
          right ? 'OK' : 'NO',
          right ? `udp/${host}:${port}|v0.9.10` : 'incorrect secret',
        );
        return right;
      }
      case 'ping':
        application.respond(command.id, 'OK', 'pong');
        return true;
      case 'route':
        application.verbs.add(first);
        application.respond(command.id, 'OK');
        return true;
      case 'remove_route':
        application.verbs.delete(first);
        application.respond(command.id, 'OK');
        return true;
      case 'sip':
        if (!command.startLine.startsWith('SIP/')) this.#outgoing.command(application, command);
        else if (!this.#inviteServer.command(application, command)) this.#incoming.command(application, command);
        return true;
      default:
        application.respond(command.id, 'NO', 'Unknown message type');
        return false;
    }
  }
}
