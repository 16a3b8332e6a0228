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

/** The name by which applications know a dialog. */
export const dialogId = (callId: string, localTag: string): string => `${callId};from-tag=${localTag}`;

export class Dialogs {
  readonly #byId = new Map<string, ServerDialog>();

  get size(): number {
    return this.#byId.size;
  }

  find(id: string): ServerDialog | undefined {
    return this.#byId.get(id);
  }

  add(dialog: ServerDialog): void {
    this.#byId.set(dialog.id, dialog);
  }

  remove(dialog: ServerDialog): void {
    if (this.#byId.get(dialog.id) === dialog) this.#byId.delete(dialog.id);
  }

  clear(): void {
    this.#byId.clear();
  }
}
