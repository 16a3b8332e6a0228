import type { Hop } from '@pua/core';
import { type EmbeddedSip, type EmbeddedSipOptions, embeddedSip, nodeDatagram, type SipTlsOptions } from '@pua/sip';
import type { SimClock } from '../sim/clock.js';
import { addressOf, type SimNetwork } from '../sim/network.js';
import type { SimRandom } from '../sim/random.js';
import { DatagramGate } from './gate.js';
import { DEFAULT_PACKAGES } from './packages.js';
import { PresenceServer, type PresenceServerOptions } from './server.js';

export type ServerSettings = Omit<PresenceServerOptions, 'sip' | 'gate'>;

export interface StartOptions extends ServerSettings {
  /** As of embeddedSip(): `udp:host:port`, also tcp, tls, ws, wss. Default `udp:127.0.0.1:0`. */
  readonly listen?: readonly string[];
  /** Certificates for tls and wss, as of embeddedSip(). */
  readonly tls?: SipTlsOptions;
}

export interface StartedServer {
  readonly server: PresenceServer;
  /** Where it listens, ports filled in. */
  readonly addresses: readonly Hop[];
  readonly port: number;
  /** `sip:host:port` of the first address, with its transport; for outbound_proxy. */
  readonly uri: string;
}

/**
 * A presence server on real sockets. away() and ignoreNext() silence its UDP sockets; over the other transports an
 * engine can't be silenced.
 */
export function startPresenceServer(options: StartOptions = {}): Promise<StartedServer> {
  const { listen = ['udp:127.0.0.1:0'], tls = {}, ...settings } = options;
  const gate = new DatagramGate();
  return started(engine({ listen, tls, bindDatagram: gate.wrap(nodeDatagram) }, settings), gate, settings);
}

export interface SimulateOptions extends ServerSettings {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly network: SimNetwork;
  /** Default 10.0.0.9. */
  readonly host?: string;
  /** Default 5060. */
  readonly port?: number;
}

/** A presence server on a simulated network, under its clock. */
export function simulatePresenceServer(options: SimulateOptions): Promise<StartedServer> {
  const { clock, random, network, host = '10.0.0.9', port = 5060, ...settings } = options;
  const gate = new DatagramGate();
  const bindDatagram = gate.wrap(network.bind);
  const sip = engine({ listen: [`udp:${addressOf(host, port)}`], clock, random, bindDatagram }, settings);
  return started(sip, gate, settings);
}

/** The engine, which answers OPTIONS and 405 by itself. */
function engine(options: EmbeddedSipOptions, { packages = DEFAULT_PACKAGES }: ServerSettings): EmbeddedSip {
  const allow = () => ['OPTIONS', 'PUBLISH', 'SUBSCRIBE'];
  const accept = () => [...new Set(Object.values(packages).flat())];
  return embeddedSip({ ...options, allow, accept, allowEvents: () => Object.keys(packages) });
}

async function started(sip: EmbeddedSip, gate: DatagramGate, settings: ServerSettings): Promise<StartedServer> {
  const server = new PresenceServer({ ...settings, sip, gate });
  await server.start();
  const { addresses } = sip;
  const { transport, host, port } = addresses[0]!;
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  return { server, addresses, port, uri: `sip:${addressOf(host, port)}${parameter}` };
}
