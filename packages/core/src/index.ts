export { PuaError, type PuaErrorCode } from './errors.js';
export * from './events.js';
export * from './flags.js';
export type * from './ports/runtime.js';
export type * from './ports/sip.js';
export type * from './ports/store.js';
