export type { CallInfo } from './calls/info.js';
export { type DialogStateChange, fromDialogStateEmitter } from './calls/state-emitter.js';
export { type B2buaProgress, type B2buaTracker, type Legs, trackB2bua } from './calls/tracker.js';
export type { ConnectingOptions, DrachtioSipOptions, SharedOptions } from './options.js';
export { type DrachtioSip, drachtioSip } from './port.js';
export {
  type RegistrationTracker,
  type TrackRegistrationsOptions,
  trackRegistrations,
} from './registrations/tracker.js';
