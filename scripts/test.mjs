// npm test                 installs what it needs, builds, runs the tests of every package
// npm test -- core store   those packages only
// The last line is `N passed, N failed, N skipped`.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fail, installPeers, prepare, root, say, turbo } from './steps.mjs';

const only = process.argv.slice(2);
await prepare();
await installPeers(['mariadb', 'postgres', 'kamailio', 'sipp', 'xmllint', 'openssl', 'cc']);

const results = join(root, '.results');
rmSync(results, { recursive: true, force: true });
mkdirSync(results);

// One database server of each kind for all suites; each makes its own databases.
const { launchMariadb, launchPostgres, missingPeers } = await import(join(root, 'packages/testkit/dist/index.mjs'));
const env = {};
const servers = [];
for (const [peer, variable, launch] of [
  ['mariadb', 'PUA_TEST_MARIADB', launchMariadb],
  ['postgres', 'PUA_TEST_POSTGRES', launchPostgres],
]) {
  if (process.env[variable] || missingPeers([peer]).packages.length > 0) continue;
  const server = await launch();
  servers.push(server);
  const { host, port, user, password } = server;
  env[variable] = JSON.stringify({ host, port, user, password });
}

say('testing, one package at a time ...');
let code;
try {
  const filters = only.map((name) => `--filter=@pua/${name}`);
  const args = ['run', 'test', '--concurrency=1', '--continue', '--output-logs=full', '--log-order=stream', ...filters];
  code = await turbo(args, { env });
} finally {
  for (const server of servers) await server.stop();
}

const total = { passed: 0, failed: 0, skipped: 0 };
const files = readdirSync(results);
for (const file of files) {
  const result = JSON.parse(readFileSync(join(results, file), 'utf8'));
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests;
  // A suite that could not run at all has no failed test of its own.
  total.failed += result.numRuntimeErrorTestSuites;
  total.skipped += result.numPendingTests + result.numTodoTests;
}
if (code !== 0 && total.failed === 0) {
  say('a package ended without a result; see above');
  total.failed++;
}
if (files.length === 0) fail('no test ran');
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exit(total.failed === 0 && code === 0 ? 0 : 1);
