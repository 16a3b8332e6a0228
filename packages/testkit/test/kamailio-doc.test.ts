/** What docs/kamailio.md tells administrators to write is what the launched proxy runs with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { proxyConfig } from '../dist/launch/kamailio-proxy-config.js';

const doc = readFileSync(join(__dirname, '../../../docs/kamailio.md'), 'utf8');
const blocks = [...doc.matchAll(/^```kamailio\n(.*?)^```$/gms)].map(([, text]) => text!.trimEnd());

const script = proxyConfig({
  port: 5060,
  databaseUrl: 'mysql://kamailio:PASSWORD@127.0.0.1/kamailio',
  domains: ['example.com'],
  ...{ usrlocMode: 1, useDomain: true, digest: true, minExpires: 60, maxExpires: 3600, callTimeout: 43_200 },
  tap: 'sip:192.0.2.20:5070',
  webhook: { url: 'http://192.0.2.20:8060/events/dialogs', token: 'TOKEN' },
  ...{ modules: [], modparams: [] },
});

test('there are blocks for REGISTER, INVITE, modules, events and tables', () => {
  const all = blocks.join('\n');
  for (const part of ['t_replicate(', 'dlg_manage();', 'loadmodule', 'route[POST_CALLS]', '"db_mode"'])
    expect(all).toContain(part);
});

test.each(blocks)('as the proxy has it: %s', (block) => {
  expect(script).toContain(block);
});
