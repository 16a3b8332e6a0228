/** Options of the webhooks, and what is wrong with a value. */
import { PuaError } from '@pua/core';

export interface RegistrationWebhookOptions {
  /** Path of the route. Default `/events/registrations`. */
  readonly path?: string;
  /**
   * true: a binding whose time is over and that nobody has refreshed is told as `expire`. false: the sender tells it.
   * Default true.
   */
  readonly expire?: boolean;
}

export interface DialogWebhookOptions {
  /** Path of the route. Default `/events/dialogs`. */
  readonly path?: string;
  /** Path of the route that takes all messages of Kamailio's pua_json. Default `/events/pua_json`. */
  readonly puaJsonPath?: string;
  /**
   * Seconds after which a call is over when nothing was heard of it: the sender gives signs of life more often. Null: it
   * gives none, and the call's `lifetime` is what ends it. Default null.
   */
  readonly heartbeat?: number | null;
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function checkRegistrationWebhook(options: RegistrationWebhookOptions): Required<RegistrationWebhookOptions> {
  const { path = '/events/registrations', expire = true } = options;
  if (typeof expire !== 'boolean') {
    throw new PuaError('PUA_ERR_OPTION', `registrationWebhook expire: must be true or false, not ${shown(expire)}`);
  }
  return { path: checkPath('registrationWebhook path', path), expire };
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function checkDialogWebhook(options: DialogWebhookOptions): Required<DialogWebhookOptions> {
  const { path = '/events/dialogs', puaJsonPath = '/events/pua_json', heartbeat = null } = options;
  if (heartbeat !== null && !(Number.isInteger(heartbeat) && heartbeat >= 1 && heartbeat <= 86_400)) {
    throw new PuaError(
      'PUA_ERR_OPTION',
      `dialogWebhook heartbeat: must be a whole number of seconds from 1 to 86400, or null, not ${shown(heartbeat)}`,
    );
  }
  return {
    path: checkPath('dialogWebhook path', path),
    puaJsonPath: checkPath('dialogWebhook puaJsonPath', puaJsonPath),
    heartbeat,
  };
}

function checkPath(name: string, path: string): string {
  if (typeof path === 'string' && /^(?:\/[\w.-]+)+$/.test(path)) return path;
  throw new PuaError('PUA_ERR_OPTION', `${name}: must be a path such as /events/dialogs, not ${shown(path)}`);
}

const shown = (value: unknown) => (JSON.stringify(value) ?? String(value)).slice(0, 80);
