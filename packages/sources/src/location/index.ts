/** The location service: who is bound to what, until when. */
export { canonicalAor } from './aor.js';
export { Bindings, type BindingsOptions } from './bindings.js';
/** For sources of your own. */
export { Listeners } from './listeners.js';
export type { ContactUpdate, Registration, RegistrationFault, RegistrationResult } from './registration.js';
export type { LocationStore, StoredBinding } from './store.js';
export { locationTable } from './table.js';
export { sameUri } from './uri.js';
