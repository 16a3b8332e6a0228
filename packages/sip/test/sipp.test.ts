/** Against sipp (Debian package sip-tester). Without it the tests are left out, unless CI=true. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Outcome } from '@pua/core';
import { embeddedSip } from '@pua/sip';
import { publish } from './support';

const present = spawnSync('sipp', ['-v']).error === undefined;
if (!present && process.env.CI !== 'true')
  console.warn('sipp is not installed (apt-get install sip-tester): 3 tests left out');
const withSipp = present || process.env.CI === 'true' ? it : it.skip;

const folder = mkdtempSync(join(tmpdir(), 'sip-sipp-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function scenario(name: string, steps: string): string {
  const file = join(folder, `${name}.xml`);
  writeFileSync(file, `<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="${name}">${steps}</scenario>\n`);
  return file;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(closed));
  return port;
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
}

const common = ['-i', '127.0.0.1', '-nostdin', '-timeout', '20s', '-timeout_error'];

withSipp('sipp answers a PUBLISH, after it has lost the first copy', async () => {
  const file = scenario(
    'uas',
    `<recv request="PUBLISH"/><recv request="PUBLISH"/><send><![CDATA[

SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[pid]SIPpTag[call_number]
[last_Call-ID:]
[last_CSeq:]
SIP-ETag: from-sipp
Expires: 60
Content-Length: 0

]]></send>`,
  );
  const port = await freePort();
  // -nr: sipp itself takes no notice of retransmissions, so that the scenario sees both copies.
  const child = spawn('sipp', ['-sf', file, '-p', String(port), '-m', '1', '-nr', ...common], {
    cwd: folder,
    stdio: 'ignore',
  });
  const end = ended(child);
  const sip = embeddedSip({ listen: ['udp:127.0.0.1:0'], t1: 100 });
  await sip.start(() => undefined);
  try {
    const outcome = await new Promise<Outcome>((resolve) =>
      sip.request(publish({ hop: { transport: 'udp', host: '127.0.0.1', port }, timeoutMs: 20_000 }), resolve),
    );
    if (outcome.kind !== 'response') throw new Error(outcome.kind);
    expect([outcome.status, outcome.headers.get('SIP-ETag')]).toEqual([200, 'from-sipp']);
    expect(sip.stats().retransmitted.requests).toBeGreaterThan(0);
    expect(await end).toBe(0);
  } finally {
    child.kill();
    await sip.stop(0);
  }
});

withSipp.each([
  ['udp', 'u1'],
  ['tcp', 't1'],
])('sipp asks for OPTIONS by %s', async (transport, mode) => {
  const sip = embeddedSip({ listen: [`${transport}:127.0.0.1:0`], allowEvents: () => ['presence'] });
  await sip.start(() => undefined);
  const { port } = sip.addresses[0]!;
  const file = scenario(
    'uac',
    `<send retrans="500"><![CDATA[

OPTIONS sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: sipp <sip:sipp@[local_ip]:[local_port]>;tag=[pid]SIPpTag[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

]]></send><recv response="200"><action>
<ereg regexp="presence" search_in="hdr" header="Allow-Events:" check_it="true" assign_to="1"/></action></recv>
<nop><action><log message="[$1]"/></action></nop>`,
  );
  try {
    await promisify(execFile)(
      'sipp',
      [`127.0.0.1:${port}`, '-sf', file, '-t', mode, '-m', '5', '-r', '100', ...common],
      {
        cwd: folder,
      },
    );
    expect(sip.stats()).toMatchObject({ received: 5, sent: 5, serverTransactions: 0 });
  } finally {
    await sip.stop(0);
  }
});
