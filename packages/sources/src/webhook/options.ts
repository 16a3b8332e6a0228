/** Parameters of the webhooks; all are our own. */
import { checkParameters, type OptionsOf, type ParameterSpec, PuaError } from '@pua/core';

export const REGISTRATION_WEBHOOK_PARAMETERS = {
  path: { type: 'string', default: '/events/registrations', doc: 'Path of the route.' },
  expire: {
    type: 'int',
    default: 1,
    values: [0, 1],
    doc: '1: a binding whose time is over and that nobody has refreshed is told as `expire`. 0: the sender tells it.',
  },
} as const satisfies Record<string, ParameterSpec>;

export const DIALOG_WEBHOOK_PARAMETERS = {
  path: { type: 'string', default: '/events/dialogs', doc: 'Path of the route.' },
  pua_json_path: {
    type: 'string',
    default: '/events/pua_json',
    doc: "Path of the route for the messages of Kamailio's pua_json.",
  },
  heartbeat: {
    type: 'int',
    default: 0,
    min: 0,
    max: 86_400,
    doc: "Seconds after which a call is over when nothing was heard of it: the sender gives signs of life more often. 0: it gives none, and the call's `lifetime` is what ends it.",
  },
} as const satisfies Record<string, ParameterSpec>;

export type RegistrationWebhookOptions = Omit<OptionsOf<typeof REGISTRATION_WEBHOOK_PARAMETERS>, 'expire'> & {
  /** Default true. */
  expire?: boolean | 0 | 1;
};
/** `heartbeat`: null is 0. */
export type DialogWebhookOptions = Omit<OptionsOf<typeof DIALOG_WEBHOOK_PARAMETERS>, 'heartbeat'> & {
  heartbeat?: number | null;
};

/** @throws PuaError `PUA_ERR_OPTION` */
export function checkRegistrationWebhook(options: RegistrationWebhookOptions) {
  const expire = typeof options.expire === 'boolean' ? Number(options.expire) : options.expire;
  const given = { ...options, expire } as OptionsOf<typeof REGISTRATION_WEBHOOK_PARAMETERS>;
  const checked = checkParameters('registrationWebhook', REGISTRATION_WEBHOOK_PARAMETERS, given);
  return { path: checkPath('registrationWebhook path', checked.path), expire: checked.expire === 1 };
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function checkDialogWebhook(options: DialogWebhookOptions) {
  const given = options as OptionsOf<typeof DIALOG_WEBHOOK_PARAMETERS>;
  const { path, puaJsonPath, heartbeat } = checkParameters('dialogWebhook', DIALOG_WEBHOOK_PARAMETERS, given);
  return {
    path: checkPath('dialogWebhook path', path),
    puaJsonPath: checkPath('dialogWebhook puaJsonPath (pua_json_path)', puaJsonPath),
    /** Milliseconds; null: none. */
    silence: heartbeat === 0 ? null : heartbeat * 1000,
  };
}

function checkPath(name: string, path: string): string {
  if (/^(?:\/[\w.-]+)+$/.test(path)) return path;
  throw new PuaError('PUA_ERR_OPTION', `${name}: must be a path such as /events/dialogs, not ${JSON.stringify(path)}`);
}
