/** Entries of `sources` as sources. */
import {
  type DialogSource,
  optionName,
  type PuaModule,
  type RegistrationSink,
  type RegistrationSource,
} from '@pua/core';
import {
  dialogWebhook,
  type KamailioDialogsOptions,
  type KamailioLocationOptions,
  kamailioDialogs,
  kamailioLocation,
  type RegistrarOptions,
  registrar,
  registrationWebhook,
} from '@pua/sources';
import type { SourceEntry } from './config/sources.js';

export type RegistrationModule = RegistrationSource & PuaModule & Partial<RegistrationSink>;
export type DialogModule = DialogSource & PuaModule;

/**
 * Nothing is opened before start().
 * @param dbUrl where a registrar keeps its bindings unless the entry says so itself; null: nowhere
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function registrationSource(entry: SourceEntry, dbUrl: string | null): RegistrationModule {
  const { type, ...given } = entry;
  if (type === 'location') return kamailioLocation(optionsOf(given) as unknown as KamailioLocationOptions);
  if (type === 'webhook') return registrationWebhook(optionsOf(given));
  const { location_db_url: own, location_table: table = 'pua_location', ...others } = given;
  const url = (own as string | undefined) ?? dbUrl;
  const location = url === null ? {} : { location: { dbUrl: url, table: String(table) } };
  return registrar({ ...optionsOf(others), ...location } as RegistrarOptions);
}

/** @throws PuaError `PUA_ERR_OPTION` */
export function dialogSource({ type, ...given }: SourceEntry): DialogModule {
  const options = optionsOf(given);
  return type === 'dialog' ? kamailioDialogs(options as unknown as KamailioDialogsOptions) : dialogWebhook(options);
}

/** `db_url` -> `dbUrl`; what is not given is left out, so that its default counts. */
function optionsOf(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set.map(([name, value]) => [optionName(name), value]));
}
