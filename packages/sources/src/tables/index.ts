/** Registrations and calls from tables that Kamailio writes. */
export { kamailioDialogs } from './kamailio-dialogs.js';
export { kamailioLocation } from './kamailio-location.js';
export {
  KAMAILIO_DIALOGS_PARAMETERS,
  KAMAILIO_LOCATION_PARAMETERS,
  type KamailioDialogsOptions,
  type KamailioLocationOptions,
} from './options.js';
