/**
 * @module Registrations as presence (Kamailio's and OpenSIPS' pua_usrloc): what a registrar tells becomes PUBLISH requests
 * of the event package `presence`, so that phones that know nothing of presence are seen online and offline.
 */
import type { PuaModule } from '@pua/core';
import { UsrlocModule } from './module.js';
import { checkOptions, type UsrlocOptions } from './options.js';

export { USRLOC_PARAMETERS, type UsrlocOptions } from './options.js';

export interface Usrloc extends PuaModule {
  /** Settles when the bindings of the sources and the publications of the last run have been compared; never rejects. */
  readonly reconciled: Promise<void>;
}

/**
 * The module, for `pua.use()`; its sources are used before it.
 *
 *   insert          PUBLISH (document) ->
 *   update          PUBLISH (SIP-If-Match) ->, in full where nothing is published yet
 *   delete, expire  PUBLISH (SIP-If-Match, Expires: 0) ->
 *
 * @throws PuaError `PUA_ERR_OPTION` that names the option
 */
export function usrloc(options: UsrlocOptions): Usrloc {
  return new UsrlocModule(checkOptions(options));
}
