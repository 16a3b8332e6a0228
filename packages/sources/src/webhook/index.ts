export { dialogWebhook } from './dialogs.js';
export {
  DIALOG_WEBHOOK_PARAMETERS,
  type DialogWebhookOptions,
  REGISTRATION_WEBHOOK_PARAMETERS,
  type RegistrationWebhookOptions,
} from './options.js';
export { registrationWebhook } from './registrations.js';
