/**
 * What an administrator's cron job does beside the webhook: tells us again and again which calls the proxy has, and what it
 * knows of those that we ask for.
 *
 *   POST alive: a, b -> 200 unknown: b      POST restored: b ->   200 <-
 */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { DialogEvent } from '@pua/core';
import type { Scene } from './scene';

const EVERY_MS = 300;

type Row = Record<string, unknown>;

export class SignsOfLife {
  readonly #scene: Scene;
  #timer: NodeJS.Timeout | undefined;
  #beat: Promise<void> = Promise.resolve();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  start(): void {
    // We may be away: then it was in vain.
    const beat = () => this.#tell().catch(() => undefined);
    this.#timer = setInterval(() => {
      this.#beat = this.#beat.then(beat);
    }, EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beat;
  }

  async #tell(): Promise<void> {
    const rows = await this.#scene.proxy.dialogs();
    const { unknown } = (await this.#post({ alive: rows.map(keyOf) })) as { unknown: readonly string[] };
    const asked = rows.filter((row) => unknown.includes(keyOf(row))).map(restored);
    if (asked.length > 0) await this.#post(asked);
  }

  #post(body: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = { 'Content-Type': 'application/json' };
      const call = request(`${this.#scene.program.url}/events/dialogs`, { method: 'POST', agent: false, headers });
      call.on('error', reject);
      call.on('response', (response) => {
        text(response).then((answer) => resolve(JSON.parse(answer)), reject);
      });
      call.end(JSON.stringify(body));
    });
  }
}

const keyOf = ({ hash_entry, hash_id }: Row): string => `${hash_entry}:${hash_id}`;

function restored(row: Row): DialogEvent {
  const party = (uri: unknown, tag: unknown, contact: unknown) => ({
    ...{ uri: String(uri), tag: String(tag), contact: String(contact) },
  });
  const caller = party(row['from_uri'], row['from_tag'], row['caller_contact']);
  const callee = party(row['to_uri'], row['to_tag'], row['callee_contact']);
  const dialog = { key: keyOf(row), callId: String(row['callid']), caller, callee, state: 'confirmed' } as const;
  return { kind: 'restored', dialog };
}
