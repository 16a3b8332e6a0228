import type { OutgoingRequest } from '@pua/core';
import type { Application } from './application.js';

/** A dialog that the server keeps for an application: its numbers, tags and routes are the server's own. */
export interface ServerDialog {
  readonly id: string;
  readonly callId: string;
  readonly local: { readonly uri: string; readonly tag: string };
  readonly remote: { readonly uri: string; tag: string | undefined };
  /** The link it belongs to for ever, also when that is gone. */
  readonly owner: Application;
  /** The 2xx has come. */
  confirmed: boolean;
  cseq: number;
  routes: readonly string[];
  /** Remote target. */
  target: string;
}

/** The name by which applications know a dialog; the tag is that of From in the request that made it. */
export const dialogId = (callId: string, fromTag: string): string => `${callId};from-tag=${fromTag}`;

/** What the next request in a dialog says of it. */
export function nextInside(dialog: ServerDialog): Pick<OutgoingRequest, 'callId' | 'cseq' | 'from' | 'to' | 'routes'> {
  const { callId, local, remote, routes } = dialog;
  const to = { uri: remote.uri, ...(remote.tag === undefined ? {} : { tag: remote.tag }) };
  return { callId, cseq: ++dialog.cseq, from: local, to, routes };
}

export class Dialogs {
  readonly #byId = new Map<string, ServerDialog>();
  /** By Call-ID and local tag, as requests from the wire name them. */
  readonly #byTag = new Map<string, ServerDialog>();

  get size(): number {
    return this.#byId.size;
  }

  find(id: string): ServerDialog | undefined {
    return this.#byId.get(id);
  }

  of(callId: string, localTag: string): ServerDialog | undefined {
    return this.#byTag.get(`${callId} ${localTag}`);
  }

  add(dialog: ServerDialog): void {
    this.#byId.set(dialog.id, dialog);
    this.#byTag.set(`${dialog.callId} ${dialog.local.tag}`, dialog);
  }

  remove(dialog: ServerDialog): void {
    if (this.#byId.get(dialog.id) !== dialog) return;
    this.#byId.delete(dialog.id);
    this.#byTag.delete(`${dialog.callId} ${dialog.local.tag}`);
  }

  clear(): void {
    this.#byId.clear();
    this.#byTag.clear();
  }
}
