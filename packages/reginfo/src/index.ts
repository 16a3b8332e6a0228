/** @module Registrations as `reg` events (RFC 3680), both ways: the companion of `pua_reginfo`. */
import { ReginfoModule } from './module.js';
import type { ReginfoOptions } from './options.js';

export type { HandledReginfo, ReceivedReginfo } from './consumer.js';
export type { ReginfoModule as Reginfo } from './module.js';
export { REGINFO_PARAMETERS, type ReginfoOptions, type ReginfoProfile, type ReginfoSink } from './options.js';
export type { WatchedRegistrations } from './subscriber.js';
export type { ReginfoNotify, ToldContact } from './told.js';

/**
 * A module that publishes the registrations of its sources, and writes those of other servers into its sink.
 * @throws PuaError `PUA_ERR_OPTION` that names the option and the parameter
 */
export function reginfo(options: ReginfoOptions = {}): ReginfoModule {
  return new ReginfoModule(options);
}
