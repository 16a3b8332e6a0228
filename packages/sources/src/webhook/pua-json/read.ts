/** A message of pua_json: which package it is of, and what is to be done. */
import type { PublInfo } from '@pua/core';
import type { z } from 'zod';
import type { DialogEntry } from '../entries/dialog.js';
import { type Read, reader } from '../entries/read.js';
import { dialogEntry, dialogMessage } from './dialog.js';
import { publications } from './publications.js';

export type Instruction = { readonly dialog: DialogEntry } | { readonly publish: PublInfo };

const dialog = dialogMessage.transform((fields) => ({ dialog: dialogEntry(fields) }));
const published = Object.fromEntries(
  Object.entries(publications).map(([name, schema]) => [name, schema.transform((publish) => ({ publish }))]),
);
const packages: Readonly<Record<string, z.ZodType<Instruction>>> = { dialog, ...published };

const PACKAGE = 'Event-Package';

export const isPuaJson = (entry: unknown): boolean =>
  typeof entry === 'object' && entry !== null && Object.hasOwn(entry, 'Event-Name');

export const readPuaJson: Read<Instruction> = (entry) => {
  const name = typeof entry === 'object' && entry !== null ? (entry as Record<string, unknown>)[PACKAGE] : undefined;
  if (typeof name === 'string' && Object.hasOwn(packages, name)) return reader(packages[name]!)(entry);
  const message = `must be one of ${Object.keys(packages).join(', ')}`;
  return { problems: [{ path: `.${PACKAGE}`, message: name === undefined ? `is missing; ${message}` : message }] };
};

/** Where only calls are taken. */
export const readPuaJsonDialog: Read<DialogEntry> = (entry) => {
  const result = readPuaJson(entry);
  if ('problems' in result) return result;
  if ('dialog' in result.value) return { value: result.value.dialog };
  return {
    problems: [
      { path: `.${PACKAGE}`, message: 'must be dialog here; the route for pua_json takes the other packages' },
    ],
  };
};
