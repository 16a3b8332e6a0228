// What `npm start`, `npm test` and the others share: install, build, peers. Each says what it does while it takes long.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { packageManager, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

export const say = (text) => process.stderr.write(`pua: ${text}\n`);

export function fail(text, code = 1) {
  say(text);
  process.exit(code);
}

/** Runs a command with our own output; resolves with its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', NPM_CONFIG_UPDATE_NOTIFIER: 'false', ...options.env };
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options, env });
    child.on('error', (error) => {
      say(`${command}: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

/** The pinned pnpm, fetched by npm: nobody has to install it. */
const pnpm = (args, options) => run('npx', ['--yes', packageManager, ...args], options);
/** turbo looks for pnpm in PATH, where npx puts it. */
export const turbo = (args, options) => pnpm(['exec', 'turbo', ...args], options);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) fail(`Node ${engines.node} is needed, this is ${process.version}`, 2);
}

function installed() {
  const mark = join(root, 'node_modules', '.modules.yaml');
  return existsSync(mark) && statSync(mark).mtimeMs >= statSync(join(root, 'pnpm-lock.yaml')).mtimeMs;
}

async function install() {
  if (installed()) return;
  say(
    'installing packages (the first time this takes one or two minutes: the SQLite binding may have to be compiled) ...',
  );
  // Output goes to stderr, so that what a program prints stays its own.
  const code = await run('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    stdio: ['ignore', 2, 2],
  });
  if (code !== 0) fail('installing failed; see above. Remedy: check the network and run it again');
}

async function build() {
  say('building ...');
  const code = await turbo(['run', 'build', '--output-logs=errors-only'], { stdio: ['ignore', 2, 2] });
  if (code !== 0) fail('the build failed; see above');
}

export async function prepare() {
  checkNode();
  await install();
  await build();
}

/** Installs Debian packages that tests need when that is allowed; else says which command would. */
export async function installPeers(names) {
  const { missingPeers } = await import(join(root, 'packages/testkit/dist/index.mjs'));
  const missing = missingPeers(names);
  if (missing.packages.length === 0) return;
  const debian = process.platform === 'linux' && existsSync('/usr/bin/apt-get');
  const allowed = debian && process.getuid?.() === 0;
  if (allowed) {
    say(`installing the peers of the tests: ${missing.packages.join(', ')} (a minute or so) ...`);
    const quiet = { stdio: ['ignore', 'ignore', 2], env: { DEBIAN_FRONTEND: 'noninteractive' } };
    await run('apt-get', ['update', '-qq'], quiet);
    const [, ...args] = missing.command.split(' ');
    await run('apt-get', ['-qq', ...args], quiet);
  }
  const still = missingPeers(names);
  if (still.packages.length === 0) return;
  const text = `tests with real peers need: ${debian ? still.command : `the Debian packages ${still.packages.join(', ')}`}`;
  if (process.env.CI === 'true') fail(text);
  say(`${text}\npua: they are left out; the rest runs`);
}

/** Ends with the child, and passes Ctrl-C on by staying alive until it has ended. */
export function runToEnd(command, args) {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  return run(command, args).then((code) => process.exit(code));
}
