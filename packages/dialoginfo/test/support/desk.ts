/** dialoginfo beside records that do at once what they are told: no server, no network. For many random calls in little time. */
import type { PuaApi, PublInfo } from '@pua/core';
import { type Dialoginfo, type DialoginfoOptions, dialoginfo } from '@pua/dialoginfo';
import { type DialogInfo, readDialogInfo } from '@pua/documents';
import { SimClock } from '@pua/testkit';
import { FakeSource } from './source';

/** What was handed to the core. */
export interface Sent {
  readonly presUri: string;
  readonly id: string;
  readonly expires: number;
  /** undefined: the lifetime is prolonged, or the publication removed. */
  readonly body: string | undefined;
}

export class Desk {
  readonly clock = new SimClock();
  readonly sent: Sent[] = [];
  readonly source = new FakeSource([]);
  module!: Dialoginfo;
  readonly #options: DialoginfoOptions;
  readonly #records = new Map<string, { presUri: string; id: string; body: string; until: number }>();

  constructor(options: DialoginfoOptions = {}) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { clock, source } = this;
    this.module = dialoginfo({ source, ...this.#options });
    const pua = {
      clock,
      addEvent: () => {},
      list: () => this.#alive().map(({ until, ...record }) => ({ ...record, event: 'dialog', desiredExpires: until })),
      sendPublish: (info: PublInfo) => this.#take(info as PublInfo & { body?: string }),
    };
    this.module.setup(pua as unknown as PuaApi);
    await this.module.start!();
    await this.settle();
  }

  async restart(): Promise<void> {
    await this.module.stop!();
    await this.start();
  }

  settle(): Promise<void> {
    return this.clock.advanceAsync(1);
  }

  /** Documents that stand, by presentity and id. */
  get documents(): Map<string, DialogInfo> {
    return new Map(this.#alive().map(({ presUri, id, body }) => [`${presUri} ${id}`, readDialogInfo(body)]));
  }

  /** States of all dialogs in them. */
  get states(): string[] {
    return [...this.documents.values()].flatMap(({ dialogs }) => dialogs.map(({ state }) => state));
  }

  #alive() {
    const now = this.clock.wall() / 1000;
    for (const [key, { until }] of this.#records) if (until <= now) this.#records.delete(key);
    return [...this.#records.values()];
  }

  #take({ presUri, id = '', expires = 0, body }: PublInfo & { body?: string }): void {
    this.sent.push({ presUri, id, expires, body });
    const key = `${presUri} ${id}`;
    const known = this.#records.get(key);
    if (expires === 0) this.#records.delete(key);
    else if (body !== undefined || known)
      this.#records.set(key, { presUri, id, body: body ?? known!.body, until: this.clock.wall() / 1000 + expires });
  }
}
