// npm run bench [-- --json FILE]
import { join } from 'node:path';
import { prepare, root, runToEnd } from './steps.mjs';

await prepare();
await runToEnd(process.execPath, [join(root, 'packages/bench/dist/main.js'), ...process.argv.slice(2)]);
