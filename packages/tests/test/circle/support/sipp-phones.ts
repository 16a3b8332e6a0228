/**
 * sipp as phones that go on when they are told to, by an INFO with the Call-ID of their call, which they don't answer:
 *
 *   register  REGISTER ->   <- 200
 *   caller    INVITE ->   <- 180   <- 200   ACK ->   (go on)   BYE ->   <- 200
 *   callee    <- INVITE   (go on)   180 ->   (go on)   200 ->   <- ACK   <- BYE   200 ->
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Lines = readonly string[];

const message = (...lines: Lines): string => `<![CDATA[\n\n${lines.join('\n')}\nContent-Length: 0\n\n]]>`;
const send = (...lines: Lines): string => `<send>${message(...lines)}</send>`;
const recv = (what: string): string => `<recv ${what}/>`;

const VIA = 'Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]';
const CONTACT = 'Contact: <sip:[service]@[local_ip]:[local_port]>';
const GO_ON = recv('request="INFO"');

const request = (method: string, cseq: number, uri: string, to: string, ...more: Lines): Lines => [
  `${method} ${uri} SIP/2.0`,
  ...[VIA, 'Max-Forwards: 70', 'From: <sip:[service]@example.com>;tag=[pid]c', `To: ${to}`, 'Call-ID: [call_id]'],
  ...[`CSeq: ${cseq} ${method}`, ...more],
];

/** What the INVITE said is kept: `[last_Via:]` would be that of the INFO. */
const KEPT: readonly (readonly [variable: string, header: string, occurrence: number])[] = [
  ['via1', 'Via', 1],
  ['via2', 'Via', 2],
  ['route', 'Record-Route', 1],
  ['from', 'From', 1],
  ['to', 'To', 1],
  ['cseq', 'CSeq', 1],
];
const keep = KEPT.map(
  ([variable, header, occurrence]) =>
    `<ereg regexp=".*" search_in="hdr" header="${header}:" occurrence="${occurrence}" assign_to="${variable}"/>`,
);
const answer = (status: string): string =>
  send(
    ...[`SIP/2.0 ${status}`, 'Via:[$via1]', 'Via:[$via2]', 'Record-Route:[$route]', 'From:[$from]'],
    ...['To:[$to];tag=[pid]s', 'Call-ID: [call_id]', 'CSeq:[$cseq]', CONTACT],
  );

const inDialog = (method: string, cseq: number, callee: string): string =>
  send(...request(method, cseq, '[next_url]', `<${callee}>[peer_tag_param]`, '[routes]'));

const register = (expires: number, port: number): Lines => [
  send(
    ...request('REGISTER', 1, 'sip:example.com', '<sip:[service]@example.com>'),
    `Contact: <sip:[service]@[local_ip]:${port}>;expires=${expires}`,
  ),
  recv('response="200"'),
];

const caller = (callee: string): Lines => [
  send(...request('INVITE', 1, callee, `<${callee}>`, CONTACT)),
  recv('response="100" optional="true"'),
  recv('response="180"'),
  recv('response="200" rrs="true"'),
  inDialog('ACK', 1, callee),
  GO_ON,
  inDialog('BYE', 2, callee),
  recv('response="200"'),
];

const callee: Lines = [
  `<recv request="INVITE"><action>${keep.join('')}</action></recv>`,
  ...[GO_ON, answer('180 Ringing'), GO_ON, answer('200 OK'), recv('request="ACK"'), recv('request="BYE"')],
  send('SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]'),
];

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

class Run {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exit: Promise<unknown[]>;
  #output = '';

  /** @param server port of 127.0.0.1 that requests go to */
  constructor(
    user: string,
    steps: Lines,
    server: number,
    readonly port: number,
  ) {
    this.#folder = mkdtempSync(join(tmpdir(), 'pua-sipp-'));
    const file = join(this.#folder, 'scenario.xml');
    writeFileSync(file, `<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario>\n${steps.join('\n')}\n</scenario>\n`);
    // -timeout: it must not outlive us.
    const own = ['-i', '127.0.0.1', '-p', String(port), '-s', user, '-m', '1', '-nostdin', '-timeout', '60s'];
    const argv = [`127.0.0.1:${server}`, '-sf', file, ...own, '-timeout_error'];
    this.#child = spawn('sipp', argv, { cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr!.on('data', (data: Buffer) => {
      this.#output += data.toString('utf8');
    });
    this.#exit = once(this.#child, 'close');
  }

  /** @throws Error (by rejection) when it did not go as it should */
  async done(): Promise<void> {
    const [code] = await this.#exit;
    if (code !== 0) throw new Error(`sipp ended with ${code}: ${this.#output}`);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Phones of sipp at one server. */
export class SippPhones {
  readonly #server: number;
  readonly #runs: Run[] = [];

  /** @param server port of 127.0.0.1 */
  constructor(server: number) {
    this.#server = server;
  }

  /** Port where a phone can be. */
  port(): Promise<number> {
    return freePort();
  }

  /** REGISTER of a phone at that port, from another one. */
  async register(user: string, port: number, expires = 3600): Promise<void> {
    await this.#run(user, register(expires, port), await freePort()).done();
  }

  call(user: string, uri: string, port: number): Run {
    return this.#run(user, caller(uri), port);
  }

  wait(user: string, port: number): Run {
    return this.#run(user, callee, port);
  }

  async stop(): Promise<void> {
    for (const run of this.#runs) await run.stop();
  }

  #run(user: string, steps: Lines, port: number): Run {
    const run = new Run(user, steps, this.#server, port);
    this.#runs.push(run);
    return run;
  }
}

/** So that none is taken for another one. */
let told = 0;

/** Tells the phone at that port to go on. */
export async function goOn(port: number, callId: string): Promise<void> {
  const party = '<sip:test@127.0.0.1>';
  const lines = [
    `INFO sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK${++told}`,
    ...[
      `From: ${party};tag=go`,
      `To: ${party}`,
      `Call-ID: ${callId}`,
      `CSeq: ${told} INFO`,
      'Content-Length: 0',
      '',
      '',
    ],
  ];
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) =>
    socket.send(lines.join('\r\n'), port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
  );
  socket.close();
}
