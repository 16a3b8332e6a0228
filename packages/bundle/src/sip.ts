/** The way to the wire that the configuration names. */
import type { Hop, SipPort } from '@pua/core';
import { drachtioSip } from '@pua/drachtio';
import { embeddedSip } from '@pua/sip';
import { REGISTRAR_EXTENSIONS } from '@pua/sources';
import type { Config } from './config/load.js';
import { version } from './version.js';

export interface Sip {
  readonly port: SipPort & { readonly addresses: readonly Hop[] };
  /** What is wrong with it just now. */
  fault(): string | undefined;
}

/**
 * `registrar`: REGISTERs are wanted. `packages` are the event packages for Allow-Events.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function makeSip(config: Config['sip'], registrar: boolean, packages: () => readonly string[]): Sip {
  const userAgent = `pua/${version}`;
  const drachtio = config.engine === 'drachtio';
  const { listen, advertise, tls } = config;
  const port = drachtio
    ? drachtioSip({ ...config.drachtio, userAgent, methods: registrar ? ['NOTIFY', 'REGISTER'] : ['NOTIFY'] })
    : embeddedSip({
        listen,
        advertise,
        tls,
        userAgent,
        allowEvents: packages,
        ...(registrar ? { allow: () => ['OPTIONS', 'NOTIFY', 'REGISTER'], supported: () => REGISTRAR_EXTENSIONS } : {}),
      });
  const missing = drachtio ? 'the link to drachtio-server is down' : 'no socket is bound';
  return { port, fault: () => (port.addresses.length > 0 ? undefined : missing) };
}
