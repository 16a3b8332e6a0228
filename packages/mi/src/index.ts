/** @module Commands over HTTP: JSON-RPC 2.0 with the method names of Kamailio's pua_rpc and OpenSIPS' pua_mi. */
export type { HttpAddress } from './adapters/http.js';
export type { MiPublishResult } from './commands/publish.js';
export type { MiSubscribeResult } from './commands/subscribe.js';
export type { MiContext } from './context.js';
export { FAULTS, Fault, type FaultName, type FaultRow } from './faults.js';
export type { Health } from './health.js';
export { type MiModule, mi } from './module.js';
export type { MiOptions } from './options.js';
