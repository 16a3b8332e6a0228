/** A small DNS server on loopback (RFC 1035): what it knows is a table, and it can be out of order. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export interface Zone {
  [name: string]: {
    readonly A?: readonly string[];
    readonly AAAA?: readonly string[];
    readonly CNAME?: string;
    /** `priority weight port target` */
    readonly SRV?: readonly string[];
    /** `order preference flags service replacement`, with an empty regexp */
    readonly NAPTR?: readonly string[];
    readonly ttl?: number;
  };
}

export type Trouble = 'silent' | 'servfail';

export interface DnsServer {
  /** For `systemNames({ servers })`. */
  readonly address: string;
  /** `TYPE name` of each question, in order. */
  readonly asked: string[];
  /** What happens to questions: by their type, or to all of them. */
  trouble: Trouble | Partial<Record<string, Trouble>> | undefined;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<number, 'A' | 'CNAME' | 'AAAA' | 'SRV' | 'NAPTR'>> = {
  1: 'A',
  5: 'CNAME',
  28: 'AAAA',
  33: 'SRV',
  35: 'NAPTR',
};
const NUMBERS = Object.fromEntries(Object.entries(TYPES).map(([number, name]) => [name, Number(number)]));

const SERVFAIL = 2;
const NXDOMAIN = 3;

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, i * 2);
  return bytes;
}

/** A character string: its length in one byte, then its bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
}

function domain(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([...labels.map(text), Buffer.from([0])]);
}

function address(host: string): Buffer {
  if (!isIPv6(host)) return Buffer.from(host.split('.').map(Number));
  const [head = '', tail = ''] = host.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const [left, right] = [words(head), words(tail)];
  return u16(...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right);
}

function data(type: string, value: string): Buffer {
  const parts = value.split(' ');
  switch (type) {
    case 'SRV':
      return Buffer.concat([u16(...parts.slice(0, 3).map(Number)), domain(parts[3]!)]);
    case 'NAPTR': {
      const [order, preference, flags, service, replacement] = parts as [string, string, string, string, string];
      const fixed = u16(Number(order), Number(preference));
      return Buffer.concat([fixed, text(flags), text(service), text(''), domain(replacement)]);
    }
    case 'CNAME':
      return domain(value);
    default:
      return address(value);
  }
}

function record(name: string, type: string, value: string, ttl: number): Buffer {
  const bytes = data(type, value);
  return Buffer.concat([domain(name), u16(NUMBERS[type]!, 1, ttl >>> 16, ttl & 0xffff, bytes.length), bytes]);
}

/** The records for a question, those of a CNAME's target included. */
function records(zone: Zone, name: string, type: string): Buffer[] {
  const known = zone[name];
  const ttl = known?.ttl ?? 300;
  if (known?.CNAME) return [record(name, 'CNAME', known.CNAME, ttl), ...records(zone, known.CNAME, type)];
  const values = known?.[type as 'A'] ?? [];
  return values.map((value) => record(name, type, value, ttl));
}

export async function dnsServer(zone: Zone): Promise<DnsServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  const server: DnsServer = {
    get address() {
      return `127.0.0.1:${socket.address().port}`;
    },
    asked,
    trouble: undefined,
    close: () => new Promise((closed) => socket.close(closed)),
  };
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at]!; length > 0; length = query[at]!) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length).toLowerCase());
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const type = TYPES[query.readUInt16BE(at + 1)] ?? 'A';
    const name = labels.join('.');
    asked.push(`${type} ${name}`);
    const trouble = typeof server.trouble === 'object' ? server.trouble[type] : server.trouble;
    if (trouble === 'silent') return;
    const answers = trouble ? [] : records(zone, name, type);
    const code = trouble ? SERVFAIL : zone[name] ? 0 : NXDOMAIN;
    const head = Buffer.concat([query.subarray(0, 2), u16(0x8180 | code, 1, answers.length, 0, 0)]);
    socket.send(Buffer.concat([head, question, ...answers]), from.port, from.address);
  });
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  return server;
}
