// npm run soak: the longer forms of the random tests. Seeds are printed by the tests themselves.
import { installPeers, prepare, turbo } from './steps.mjs';

await prepare();
await installPeers(['mariadb', 'postgres', 'kamailio', 'sipp', 'xmllint']);
const env = { PUA_RUNS: process.env.PUA_RUNS ?? '3000', PUA_ROUNDS: process.env.PUA_ROUNDS ?? '500', PUA_SOAK: 'true' };
process.exit(await turbo(['run', 'test', '--filter=@pua/tests', '--output-logs=full', '--log-order=stream'], { env }));
