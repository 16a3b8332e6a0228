export { addressParameter, addressTag, addressUri, splitAddresses } from './address.js';
export type * from './api.js';
export { COMPACT_HEADERS } from './compact.js';
export { PuaError, type PuaErrorCode } from './errors.js';
export {
  type BodyProcessor,
  type EventDefinition,
  eventId,
  type ProcessInput,
  type ProcessOutput,
  type ProcessParameters,
  packageOf,
} from './events.js';
export * from './flags.js';
export { type Near, nearest } from './nearest.js';
export { channels, type RecordMessage } from './observe.js';
export type { PuaOptions } from './options.js';
export {
  checkParameters,
  type OptionsOf,
  optionName,
  type ParameterSpec,
  PUA_PARAMETERS,
  type PuaParameterName,
  parameterFault,
} from './parameters.js';
export {
  authorization,
  type Challenge,
  DIGEST_ALGORITHMS,
  type DigestAlgorithm,
  type DigestCredentials,
  parseChallenges,
} from './policy/digest.js';
export type { Policy } from './policy/policy.js';
export type * from './ports/runtime.js';
export type * from './ports/sip.js';
export type * from './ports/store.js';
export { createPua, Pua } from './pua.js';
export type * from './routes.js';
export { Schedule, type Scheduled } from './schedule.js';
export type { Ceiling } from './sending/pacer.js';
export type * from './sources/dialog.js';
export type * from './sources/registration.js';
