/** What a watcher is shown of somebody: one word per NOTIFY. */
import { type DialogInfo, type RegInfo, readDialogInfo, readPidf, readRegInfo } from '@pua/documents';
import type { Notification, Watcher, WatcherSubscription } from '@pua/testkit';

export type LampEvent = 'presence' | 'dialog' | 'reg';

const MS = 10_000;

/** Without a document, or with an empty one. */
export const OFF = 'off';

const joined = (words: readonly string[]): string => (words.length === 0 ? OFF : [...words].sort().join(' '));

const WORDS: Readonly<Record<LampEvent, (body: string) => string>> = {
  /** `open` per device */
  presence: (body) => joined((readPidf(body).tuples ?? []).map(({ basic = '' }) => basic)),
  /** State per call */
  dialog: (body) => joined(readDialogInfo(body).dialogs.map(({ state }) => state)),
  /** State of the registration, events of its contacts */
  reg: (body) =>
    joined(
      readRegInfo(body).registrations.map(({ state, contacts = [] }) =>
        [state, ...contacts.map(({ event }) => event).sort()].join(':'),
      ),
    ),
};

export class Lamp {
  readonly event: LampEvent;
  readonly #subscription: WatcherSubscription;
  /** NOTIFYs before this one are over. */
  #next = 0;

  private constructor(event: LampEvent, subscription: WatcherSubscription) {
    this.event = event;
    this.#subscription = subscription;
  }

  static async watch(watcher: Watcher, uri: string, event: LampEvent): Promise<Lamp> {
    const subscription = await watcher.subscribe(uri, event, { watcher: 'sip:wim@example.com' });
    if (subscription.answer?.status !== 200) throw new Error(`SUBSCRIBE ${uri}: ${subscription.answer?.status}`);
    await subscription.waitFor(({ state }) => state === 'active', MS);
    return new Lamp(event, subscription);
  }

  /** The next NOTIFY that says so. */
  async shows(word: string, ms = MS): Promise<Notification> {
    const { notifications } = this.#subscription;
    const first = this.#next;
    const seen = await this.#subscription
      .waitFor((one) => notifications.indexOf(one) >= first && this.#wordOf(one) === word, ms)
      .catch((error) => {
        throw new Error(`no "${word}" in ${JSON.stringify(this.history)}; ${(error as Error).message}`);
      });
    this.#next = notifications.indexOf(seen) + 1;
    return seen;
  }

  async dialogs(word: string): Promise<DialogInfo['dialogs']> {
    return readDialogInfo((await this.shows(word)).body).dialogs;
  }

  async registrations(word: string): Promise<RegInfo['registrations']> {
    return readRegInfo((await this.shows(word)).body).registrations;
  }

  /** All it has shown, repetitions left out. */
  get history(): string[] {
    const words = this.#subscription.notifications.map((one) => this.#wordOf(one));
    return words.filter((word, i) => word !== words[i - 1]);
  }

  /** Documents in their order. */
  get documents(): readonly string[] {
    return this.#subscription.documents;
  }

  #wordOf({ body }: Notification): string {
    return body === '' ? OFF : WORDS[this.event](body);
  }
}
