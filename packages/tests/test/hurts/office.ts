/** A Pua with companions in the simulated world, and what its presence server makes of their documents. */
import {
  createPua,
  type DialogEvent,
  type DialogEventKind,
  type DialogSnapshot,
  type DialogState,
  type PuaModule,
  type PuaOptions,
} from '@pua/core';
import { type DialoginfoOptions, dialoginfo } from '@pua/dialoginfo';
import { type DialogInfo, readDialogInfo } from '@pua/documents';
import { reginfo } from '@pua/reginfo';
import { usrloc } from '@pua/usrloc';
import { Switchboard } from '../../dist/lamps/switchboard.js';
import { World, type WorldOptions } from '../../dist/world/world.js';
import { broken } from '../lamps/broken';
import { harmlessOf } from './hurt';

/** What stories are made of; a mutant has another one of one of them. */
export const PARTS = { createPua, dialoginfo, reginfo, usrloc };
export type Parts = typeof PARTS;
export type Mutant = Partial<Parts>;

export function harmlessParts(
  name: string,
  story: (parts: Parts) => Promise<void>,
  mutants: Readonly<Record<string, Mutant>>,
): void {
  const all = Object.entries(mutants).map(([what, mutant]) => [what, { ...PARTS, ...mutant }] as const);
  harmlessOf(PARTS)(name, story, Object.fromEntries(all));
}

/** dialoginfo, usrloc or reginfo with one of its modules, or of a package it uses, broken. */
export const brokenDialoginfo = <M extends object>(file: string, change: (actual: M) => object) =>
  broken<Pick<Parts, 'dialoginfo'>, M>('@pua/dialoginfo', file, change);
export const brokenUsrloc = <M extends object>(file: string, change: (actual: M) => object) =>
  broken<Pick<Parts, 'usrloc'>, M>('@pua/usrloc', file, change);
export const brokenReginfo = <M extends object>(file: string, change: (actual: M) => object) =>
  broken<Pick<Parts, 'reginfo'>, M>('@pua/reginfo', file, change);

type Surroundings = Partial<Omit<WorldOptions, 'createPua'>>;

/** @param modules made anew for every process */
export function office(
  parts: Parts,
  modules: (options: PuaOptions) => readonly PuaModule[],
  more: Surroundings = {},
): Promise<World> {
  return World.start({
    seed: 1,
    etagsByUri: false,
    ...more,
    createPua: (options) => modules(options).reduce((pua, module) => pua.use(module), parts.createPua(options)),
  });
}

/** A world whose dialoginfo hears of the calls of a switchboard. */
export async function callOffice(
  parts: Parts,
  options: DialoginfoOptions = {},
  more: Surroundings = {},
): Promise<{ readonly world: World; readonly calls: Switchboard }> {
  const calls = new Switchboard();
  const world = await office(parts, () => [parts.dialoginfo({ source: calls, ...options })], more);
  world.onStop = () => calls.hangUp();
  return { world, calls };
}

export const ALICE = 'sip:alice@example.com';
export const BOB = 'sip:bob@example.com';

const STATES: Readonly<Record<DialogEventKind, DialogState>> = {
  created: 'trying',
  early: 'early',
  confirmed: 'confirmed',
  updated: 'confirmed',
  restored: 'confirmed',
  failed: 'terminated',
  terminated: 'terminated',
  expired: 'terminated',
};

/** Alice calls Bob; the state goes with the kind unless it is given. */
export function call(
  kind: DialogEventKind,
  dialog: Partial<DialogSnapshot> = {},
  more: Pick<DialogEvent, 'method'> | object = {},
): DialogEvent {
  return {
    kind,
    dialog: {
      key: 'call',
      callId: 'call@pbx.example.com',
      caller: { uri: ALICE, tag: 'a', contact: 'sip:alice@192.0.2.1:5062' },
      callee: { uri: BOB },
      state: STATES[kind],
      ...dialog,
    },
    ...more,
  };
}

/** A phone of the callee that has answered with a tag. */
export const phone = (tag: string, uri = BOB) => ({ uri, tag, contact: `sip:${tag}@192.0.2.2:5062` });

export const userOf = (uri: string): string => /^(?:sips?:)?([^@]+)@/.exec(uri)?.[1] ?? uri;

/** The dialog documents that the server has taken, in their order. */
export function documents({ server }: World): { readonly user: string; readonly document: DialogInfo }[] {
  return server.requests
    .filter(({ method, status, body }) => method === 'PUBLISH' && status === 200 && body !== undefined)
    .map(({ uri, body }) => ({ user: userOf(uri), document: readDialogInfo(body!.text()) }));
}

/** States that the server was told of each dialog: `alice initiator` -> all of its dialogs, by id. */
export function courses(world: World): Map<string, DialogState[]> {
  const found = new Map<string, DialogState[]>();
  for (const { user, document } of documents(world)) {
    for (const { id, direction, state } of document.dialogs) {
      const key = `${user} ${direction} ${id}`;
      found.set(key, [...(found.get(key) ?? []), state]);
    }
  }
  return found;
}

const RANK = ['trying', 'proceeding', 'early', 'confirmed', 'terminated'];

/** Courses in which a state is followed by an earlier one. */
export function setBack(world: World): string[] {
  return [...courses(world)]
    .filter(([, states]) => states.some((state, i) => RANK.indexOf(state) < RANK.indexOf(states[i - 1] ?? 'trying')))
    .map(([key, states]) => `${key}: ${states.join(', ')}`);
}

/** What the server holds: states of dialogs by user. */
export function lamps({ server }: World): Record<string, DialogState[]> {
  const found: Record<string, DialogState[]> = {};
  for (const { presentity, body } of server.publications) {
    const states = readDialogInfo(body.text()).dialogs.map(({ state }) => state);
    const user = userOf(presentity);
    found[user] = [...(found[user] ?? []), ...states].sort();
  }
  return found;
}
