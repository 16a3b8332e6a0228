/** @module Calls as dialog events: the companion of pua_dialoginfo. */
import { type Dialoginfo, DialoginfoModule } from './module.js';
import type { DialoginfoOptions } from './options.js';

export type { DomainList } from './domains.js';
export type { Dialoginfo, DialoginfoStats } from './module.js';
export { DIALOGINFO_PARAMETERS, type DialoginfoOptions } from './options.js';
export type { ScriptResult } from './script.js';

/**
 * Publishes the calls of one or several sources as `dialog` events (RFC 4235, RFC 3903), for the caller, the callee or both.
 *
 *     pua.use(source).use(dialoginfo({ source, localDomains: 'example.com' }));
 *
 * @throws PuaError `PUA_ERR_OPTION` that names the option
 */
export function dialoginfo(options: DialoginfoOptions): Dialoginfo {
  return new DialoginfoModule(options);
}
