/** Hops of a SIP URI (RFC 3263): address literals at once, names from a bounded cache or the name service. */
import { isIP } from 'node:net';
import { type Clock, type Hop, PuaError, type Transport } from '@pua/core';
import { parseUri, type SipUri } from '../message/uri.js';
import type { NameService } from './names.js';

const KNOWN_URIS = 10_000;
const KNOWN_NAMES = 10_000;
const TTL_MIN_MS = 1_000;
const TTL_MAX_MS = 3_600_000;
/** A name without addresses is asked for again after this time. */
const NEGATIVE_MS = 5_000;

const TRANSPORTS: ReadonlySet<string> = new Set(['udp', 'tcp', 'tls', 'ws', 'wss']);
const SECURE: Readonly<Record<string, Transport>> = { udp: 'tls', tcp: 'tls', tls: 'tls', ws: 'wss', wss: 'wss' };

/** What a URI asks for, before any name is looked up. */
interface Target {
  readonly host: string;
  readonly port: number;
  /** undefined: a transport that we don't know. */
  readonly transport: Transport | undefined;
}

interface Known {
  readonly until: number;
  readonly hosts: readonly string[];
}

export class Resolver {
  private readonly literals = new Map<string, readonly Hop[]>();
  private readonly names = new Map<string, Known>();
  private readonly asking = new Map<string, Promise<readonly string[]>>();

  /** `families`: 4 and 6 as far as there are sockets, preferred one first. */
  constructor(
    private readonly service: NameService,
    private readonly clock: Clock,
    private readonly families: () => readonly (4 | 6)[],
  ) {}

  /** @throws PuaError `PUA_ERR_ARGUMENT` for what is not a SIP URI */
  resolve(uri: string): readonly Hop[] | Promise<readonly Hop[]> {
    const literal = this.literals.get(uri);
    if (literal) return literal;
    const parsed = parseUri(uri);
    if (!parsed) {
      throw new PuaError('PUA_ERR_ARGUMENT', `cannot resolve ${JSON.stringify(uri)}: not a sip or sips URI`);
    }
    const target = targetOf(parsed);
    if (isIP(target.host) !== 0) {
      const hops = hopsOf(target, [target.host]);
      if (this.literals.size >= KNOWN_URIS) this.literals.clear();
      this.literals.set(uri, hops);
      return hops;
    }
    const name = target.host.toLowerCase().replace(/\.$/, '');
    const local = name === 'localhost' || name.endsWith('.localhost');
    // RFC 6761 6.3: nobody is asked for localhost.
    if (local) {
      return hopsOf(
        target,
        this.families().map((family) => (family === 4 ? '127.0.0.1' : '::1')),
      );
    }
    const known = this.names.get(name);
    if (known && known.until > this.clock.now()) return hopsOf(target, known.hosts);
    return this.ask(name).then((hosts) => hopsOf(target, hosts));
  }

  /** One question per name, however many wait for the answer. */
  private ask(name: string): Promise<readonly string[]> {
    const running = this.asking.get(name);
    if (running) return running;
    const question = this.lookUp(name).finally(() => this.asking.delete(name));
    this.asking.set(name, question);
    return question;
  }

  private async lookUp(name: string): Promise<readonly string[]> {
    const answers = await Promise.all(
      this.families().map((family) => this.service.addresses(name, family).catch(() => [])),
    );
    const found = answers.flat();
    const ttl = found.reduce((least, { ttl }) => Math.min(least, ttl * 1000), TTL_MAX_MS);
    const keep = found.length === 0 ? NEGATIVE_MS : Math.max(ttl, TTL_MIN_MS);
    const hosts = found.map(({ host }) => host);
    // The oldest goes first: it is the first of the map.
    if (this.names.size >= KNOWN_NAMES) this.names.delete(this.names.keys().next().value!);
    this.names.delete(name);
    this.names.set(name, { until: this.clock.now() + keep, hosts });
    return hosts;
  }
}

/** Transport and port by RFC 3263 4.1, 4.2 for a target whose host is or will be an address. */
function targetOf(uri: SipUri): Target {
  const asked = (uri.parameters.get('transport') ?? (uri.scheme === 'sips' ? 'tls' : 'udp')).toLowerCase();
  const known = TRANSPORTS.has(asked) ? (asked as Transport) : undefined;
  const transport = known && uri.scheme === 'sips' ? SECURE[known] : known;
  const host = uri.parameters.get('maddr') ?? uri.host;
  const port = uri.port ?? defaultPort(transport);
  return { host: host.replace(/^\[|\]$/g, ''), port, transport };
}

/** RFC 3261 19.1.2, RFC 7118 5.2. */
function defaultPort(transport: Transport | undefined): number {
  switch (transport) {
    case 'tls':
      return 5061;
    case 'ws':
      return 80;
    case 'wss':
      return 443;
    default:
      return 5060;
  }
}

function hopsOf(target: Target, hosts: readonly string[]): readonly Hop[] {
  const { transport, port } = target;
  if (!transport) return [];
  const secure = transport === 'tls' || transport === 'wss';
  return hosts.map((host) => ({ transport, host, port, ...(secure ? { serverName: target.host } : {}) }));
}
