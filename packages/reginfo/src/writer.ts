/** What a document says of an AOR -> what changes in the sink. */
import type { Binding, RegistrationSink, SinkMeta } from '@pua/core';
import { bindingOf, isEcho } from './contact.js';
import { isLocal } from './mapping.js';
import type { Sources } from './sources.js';
import { type AorState, endOf, type Whole } from './state.js';

export interface WriteContext extends Whole {
  readonly subscriptionId: string;
  readonly table: string | undefined;
  /** Wall time, milliseconds since 1970. */
  readonly now: number;
  /** Seconds left of the subscription. */
  readonly remaining: number;
}

export class SinkWriter {
  constructor(
    readonly sink: RegistrationSink,
    readonly sources: Sources,
  ) {}

  /** Touches only what is the subscription's own. Returns how many bindings were written or removed. */
  async write(aor: string, state: AorState, context: WriteContext): Promise<number> {
    const { complete, registered, subscriptionId } = context;
    const meta: SinkMeta = { origin: 'reginfo', subscriptionId };
    const owned = await this.sink.listOwned(aor, subscriptionId);
    if (complete && state.wanted.size === 0 && state.ended.size === 0) {
      if (owned.length === 0) return 0;
      if (!owned.some(({ bindingId }) => registered.has(bindingId!))) return this.sink.removeAll(aor, meta);
    }
    const news = await this.#news(aor, state, owned, context);
    let changed = news.length;
    for (const binding of owned) {
      const event = endOf(binding.bindingId!, state, context);
      if (event === undefined) continue;
      if (await this.sink.remove(aor, binding.bindingId!, { ...meta, event })) changed++;
      news.push(...heirsOf(binding, state));
    }
    for (const binding of news) await this.sink.upsert(binding, meta);
    return changed;
  }

  /** The bindings to be written, and those whose public GRUU is another one now (RFC 5628 section 6). */
  async #news(aor: string, state: AorState, owned: readonly Binding[], context: WriteContext): Promise<Binding[]> {
    const { fresh, wanted } = state;
    if (fresh.size === 0) return [];
    const local = await this.#localBindings(aor, owned, context.table);
    const news = [...fresh]
      .filter((key) => !isEcho(wanted.get(key)!, local))
      .map((key) => bindingOf(wanted.get(key)!, { aor, key, ...context }));
    const gruus = new Map(news.map(({ instance, pubGruu }) => [instance, pubGruu]));
    for (const known of owned) {
      const { bindingId, instance, pubGruu } = known;
      const current = instance === undefined ? undefined : gruus.get(instance);
      if (current === undefined || current === pubGruu || fresh.has(bindingId!) || !wanted.has(bindingId!)) continue;
      news.push({ ...known, pubGruu: current });
    }
    return news;
  }

  async #localBindings(aor: string, owned: readonly Binding[], table: string | undefined): Promise<Binding[]> {
    const all = await this.sources.bindings({ aor, table: this.sources.tableOf(table === undefined ? {} : { table }) });
    const ours = new Set(owned.map(({ bindingId }) => bindingId));
    return all.filter((one) => isLocal(one) && (one.bindingId === undefined || !ours.has(one.bindingId)));
  }
}

/**
 * A phone that has gone from one registrar to another is told of by both for a while. To a sink that keeps a contact once
 * it was the binding of both; it goes on as that of the one where the phone still is.
 */
function heirsOf(over: Binding, { wanted, fresh }: AorState): Binding[] {
  const heir = [...wanted].find(([key, { uri }]) => uri === over.contact && !fresh.has(key));
  return heir ? [{ ...over, bindingId: heir[0] }] : [];
}
