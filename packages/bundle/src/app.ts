/** The composition: engine, store, core and modules from one configuration. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createPua, type Hop, type Pua, packageOf } from '@pua/core';
import type { MiModule } from '@pua/mi';
import { openStore, type StoreEvent } from '@pua/store';
import type { Config } from './config/load.js';
import { maskUrl } from './config/secrets.js';
import { type Logger, logTopics, makeLogger } from './log.js';
import { makeModules, takesRegister } from './modules.js';
import { makeSip, type Sip } from './sip.js';
import { version } from './version.js';

export interface RunOptions {
  /** Default: JSON lines on standard output, at `log.level`. */
  readonly logger?: Logger;
  /** Another process has taken the table: this one is of no use any more. */
  readonly onLeaseLost?: () => void;
}

export interface App {
  readonly pua: Pua;
  readonly sip: Sip['port'];
  readonly mi: MiModule | undefined;
  readonly logger: Logger;
  /** Stops accepting, finishes what is in flight (at most `graceMs`), writes everything. */
  stop(graceMs?: number): Promise<void>;
}

const addressOf = ({ transport, host, port }: Hop): string =>
  `${transport}:${host.includes(':') ? `[${host}]` : host}:${port}`;

/**
 * Builds and starts everything; what it throws leaves nothing open.
 * @throws PuaError `PUA_ERR_OPTION`, `PUA_ERR_LISTEN`, `PUA_ERR_STORE_...`
 */
export async function runApp(config: Config, options: RunOptions = {}): Promise<App> {
  const logger = options.logger ?? makeLogger(config.log.level);
  const { dbUrl, dbTable, ...parameters } = config.pua;
  const warn = (message: string) => logger.warn({ code: 'option.warning' }, message);
  // Packages only: Allow-Events has no place for a parameter (RFC 6665 section 8.4).
  const sip = makeSip(config.sip, takesRegister(config.modules), () => [
    ...new Set(pua.events().map(({ name }) => packageOf(name))),
  ]);
  const pua = createPua({
    ...parameters,
    sip: sip.port,
    store: openStore(dbUrl, { table: dbTable }),
    credentials: config.sip.credentials,
    warn,
  });
  const modules = makeModules(config, { sipFault: sip.fault, warn });
  for (const module of modules.all) pua.use(module);

  const stopLog = logTopics(logger);
  const onStore = (message: unknown) => {
    if ((message as StoreEvent).type === 'leaseLost') options.onLeaseLost?.();
  };
  subscribe('pua:store', onStore);
  const end = () => {
    unsubscribe('pua:store', onStore);
    stopLog();
  };
  try {
    await pua.start();
  } catch (error) {
    end();
    throw error;
  }
  logger.info(
    {
      code: 'app.started',
      version,
      sip: sip.port.addresses.map(addressOf),
      http: modules.mi?.address?.url ?? null,
      store: maskUrl(dbUrl),
      ...pua.stats().records,
    },
    'started',
  );
  return {
    pua,
    sip: sip.port,
    mi: modules.mi,
    logger,
    stop: async (graceMs = 5_000) => {
      logger.info({ code: 'app.stopping' }, 'stopping');
      try {
        await pua.stop(graceMs);
        logger.info({ code: 'app.stopped' }, 'stopped');
      } finally {
        end();
      }
    },
  };
}
