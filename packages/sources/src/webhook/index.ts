export { dialogWebhook } from './dialogs.js';
export type { DialogWebhookOptions, RegistrationWebhookOptions } from './options.js';
export { registrationWebhook } from './registrations.js';
