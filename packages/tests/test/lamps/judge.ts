/** What a presence server has accepted, and whether that can be. */

import type { Binding } from '@pua/core';
import { readDialogInfo, readPidf, readRegInfo } from '@pua/documents';
import type { Life } from './life';

const RANK = { trying: 0, proceeding: 1, early: 2, confirmed: 3, terminated: 4 } as const;

export interface Accepted {
  readonly uri: string;
  readonly initial: boolean;
  readonly body: string;
}

/** Documents of an event that were taken, in their order. */
export function accepted({ world }: Life, event: string): Accepted[] {
  return world.server.requests
    .filter(({ method, status, headers, body }) => {
      return method === 'PUBLISH' && status === 200 && body !== undefined && headers.get('Event') === event;
    })
    .map(({ uri, headers, body }) => ({
      uri,
      initial: headers.get('SIP-If-Match') === undefined,
      body: body!.text(),
    }));
}

/** Lamps that are on. */
export function lit({ world }: Life): string[] {
  return world.server.publications
    .filter(({ event }) => event === 'dialog')
    .flatMap(({ presentity, body }) =>
      readDialogInfo(body.text()).dialogs.map(({ state }) => `${presentity} ${state}`),
    );
}

/** States of a dialog go forward and never past its end; versions of a publication rise. */
export function faultsOfDialogs(life: Life): string[] {
  const found: string[] = [];
  const states = new Map<string, keyof typeof RANK>();
  const versions = new Map<string, number>();
  for (const { uri, initial, body } of accepted(life, 'dialog')) {
    const { version, entity, dialogs } = readDialogInfo(body);
    if (entity !== uri) found.push(`${uri}: entity ${entity}`);
    for (const { id, state } of dialogs) {
      const record = `${uri} DIALOG_PUBLISH.${life.plan.aggregate === 1 ? 'all' : id}`;
      // Nobody knows what a killed process had not written down.
      if (life.unwritten.has(record)) continue;
      const last = versions.get(record) ?? -1;
      if (!initial && version <= last && life.plan.aggregate === 0)
        found.push(`${record}: version ${version} after ${last}`);
      versions.set(record, version);
      const before = states.get(`${uri} ${id}`);
      if (before !== undefined && RANK[state] < RANK[before]) found.push(`${uri} ${id}: ${state} after ${before}`);
      states.set(`${uri} ${id}`, state);
    }
  }
  return found;
}

/** `AOR contact` of what is bound, what presence documents say is open, and what reg documents say is active. */
export async function registrations({ registrar, world }: Life) {
  const bound: Binding[] = [];
  for await (const binding of registrar.snapshot()) bound.push(binding);
  const held = (event: string) => world.server.publications.filter((one) => one.event === event);
  return {
    bound: bound.map(({ aor, contact }) => `${decodeURI(aor)} ${contact}`).sort(),
    open: held('presence')
      .flatMap(({ presentity, body }) =>
        (readPidf(body.text()).tuples ?? []).map(({ contact }) => `${decodeURI(presentity)} ${contact?.uri}`),
      )
      .sort(),
    active: held('reg')
      .flatMap(({ presentity, body }) =>
        readRegInfo(body.text()).registrations.flatMap(({ contacts = [] }) =>
          contacts.filter(({ state }) => state === 'active').map(({ uri }) => `${decodeURI(presentity)} ${uri}`),
        ),
      )
      .sort(),
  };
}

/** Some of the documents of each event, from all of the story. */
export function samples(life: Life, every: number): string[] {
  return ['dialog', 'presence', 'reg'].flatMap((event) =>
    accepted(life, event)
      .filter((_, i) => i % every === 0)
      .map(({ body }) => body),
  );
}
