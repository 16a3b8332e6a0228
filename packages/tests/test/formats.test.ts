/** Every package gives `import` and `require` the very same instance: an `instanceof` holds across both. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const PACKAGES = [
  'core',
  'documents',
  'sip',
  'drachtio',
  'store',
  'sources',
  'usrloc',
  'reginfo',
  'dialoginfo',
  'mi',
  'testkit',
  'bundle',
];

test.each(PACKAGES)(
  '@pua/%s',
  async (name) => {
    const program = `
    import { createRequire } from 'node:module';
    import * as imported from '@pua/${name}';
    const required = createRequire(process.cwd() + '/x.js')('@pua/${name}');
    const names = Object.keys(required);
    if (names.length === 0) throw new Error('it exports nothing');
    const other = names.filter((n) => imported[n] !== required[n]);
    if (other.length > 0) throw new Error('two instances of ' + other);
    console.log(names.length);
    process.exit(0);`;
    const args = ['--input-type=module', '-e', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: `${__dirname}/..` });
    expect(Number(stdout)).toBeGreaterThan(0);
  },
  30_000,
);
