/** `pua run`: the program until a signal ends it. */
import { type App, runApp } from '../app.js';
import { loadConfig } from '../config/load.js';
import { EXIT, type ExitCode, Failure, messageOf } from '../exit.js';
import { makeLogger } from '../log.js';

const GRACE_MS = 5_000;
/** The grace for SIP and HTTP, the store's last writes, and a little. */
const STOP_MS = 25_000;

export interface RunArguments {
  readonly config: string;
  /** Ends it when the input ends: for a parent that may die without a word. */
  readonly stopOnStdinEnd?: boolean;
}

/** Resolves with the exit code once everything is stopped. */
export async function run({ config: file, stopOnStdinEnd }: RunArguments): Promise<ExitCode> {
  const loaded = loadConfig(file);
  const logger = makeLogger(loaded.config.log.level);
  for (const warning of loaded.warnings) logger.warn({ code: 'config.warning' }, warning);

  let end: (why: { readonly code: ExitCode }) => void = () => undefined;
  const ended = new Promise<{ readonly code: ExitCode }>((resolve) => {
    end = resolve;
  });
  let signals = 0;
  const onSignal = () => {
    // The second one: the user has no patience left.
    if (++signals > 1) process.exit(EXIT.failed);
    end({ code: EXIT.fine });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', (error) => {
    logger.fatal({ code: 'app.crashed', err: error }, 'unexpected error');
    process.exit(EXIT.failed);
  });
  if (stopOnStdinEnd) process.stdin.resume().once('end', onSignal).once('error', onSignal);

  let app: App;
  try {
    app = await runApp(loaded.config, { logger, onLeaseLost: () => end({ code: EXIT.failed }) });
  } catch (error) {
    if (error instanceof Error) error.message = loaded.secrets.hide(error.message);
    throw error;
  }
  const { code } = await ended;
  const late = setTimeout(() => {
    logger.fatal({ code: 'app.stop-timeout' }, `not stopped within ${STOP_MS} ms`);
    process.exit(EXIT.failed);
  }, STOP_MS);
  try {
    await app.stop(GRACE_MS);
  } catch (error) {
    throw new Failure(`stopped, but not cleanly: ${messageOf(error)}`);
  } finally {
    clearTimeout(late);
    if (stopOnStdinEnd) process.stdin.destroy();
  }
  return code;
}
