// npm start                    the demo on loopback
// npm start -- --once          plays it once, ends with 0 or 1
// npm start -- --config FILE   the real thing
import { join } from 'node:path';
import { prepare, root, runToEnd } from './steps.mjs';

const args = process.argv.slice(2);
await prepare();
const cli = join(root, 'packages/bundle/dist/cli.js');
await runToEnd(process.execPath, [cli, args.includes('--config') ? 'run' : 'demo', ...args]);
