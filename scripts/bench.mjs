// npm run bench [-- ROW ... --quick --markdown --profile --json FILE]     see packages/bench/README.md
import { join } from 'node:path';
import { prepare, root, runToEnd } from './steps.mjs';

await prepare();
await runToEnd(process.execPath, [join(root, 'packages/bench/dist/main.js'), ...process.argv.slice(2)]);
