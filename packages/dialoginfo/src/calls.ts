/** All calls that are known: an event changes its call, the call's dialogs change what is published. */
import { type DialogEvent, type DialogSnapshot, type PuaApi, PuaError, Schedule } from '@pua/core';
import { Call, type Fork } from './call.js';
import { type Facts, isSeenAlike, learn } from './facts.js';
import { tell } from './forks.js';
import { ownIdentity, type View } from './identity.js';
import { callName, SIDES, type Side } from './ids.js';
import { dialogOf, reasonOf } from './mapping.js';
import type { Settings } from './options.js';
import { isSilent, isVisible, presentitiesOf, suppresses } from './presentities.js';
import type { Publications } from './publications.js';
import { compareIdentities, compareTags } from './restore.js';
import type { Script } from './script.js';
import { RANK } from './state.js';
import { isUri } from './text.js';

/** Lifetime of a call whose source says nothing (Kamailio's dialog module). */
const DEFAULT_LIFETIME = 43_200;
/** Lifetime of what is not answered in profile opensips. */
const UNANSWERED_LIFETIME = 3_600;
/** A call that is over is remembered until what was under way cannot come any more: 64*T1 (RFC 3261 section 17). */
const TOMBSTONE_MS = 32_000;
const MAX_SECONDS = 0x7ffffff0;

export class Calls {
  readonly #pua: PuaApi;
  readonly #settings: Settings;
  readonly #script: Script;
  readonly #publications: Publications;
  readonly #calls = new Map<string, Call>();
  readonly #schedule: Schedule<Call>;
  /** Time between two answers of sources that can tell which calls live, ms. */
  readonly #beat: number;
  /** Events of the past that were dropped. */
  dropped = 0;

  constructor(pua: PuaApi, settings: Settings, script: Script, publications: Publications) {
    this.#pua = pua;
    this.#settings = settings;
    this.#script = script;
    this.#publications = publications;
    this.#schedule = new Schedule(pua.clock, (call) => this.#forget(call));
    this.#beat = settings.sources.some(({ live }) => live) ? settings.heartbeatInterval * 1000 : 0;
  }

  get size(): number {
    return this.#calls.size;
  }

  [Symbol.iterator](): IterableIterator<Call> {
    return this.#calls.values();
  }

  stop(): void {
    this.#schedule.stop();
  }

  /** The call of that name, made when records tell of it. */
  known(name: string): Call {
    const call = this.#calls.get(name) ?? new Call(name, true);
    this.#calls.set(name, call);
    return call;
  }

  /** Sets when a call of the records is forgotten. */
  keep(call: Call): void {
    call.deadline = call.until;
    this.#schedule.update(call);
  }

  /**
   * @param source index of who tells
   * @throws PuaError `PUA_ERR_ARGUMENT` that names what the event lacks
   */
  on(event: DialogEvent, source: number): void {
    checkSnapshot(event.dialog);
    const call = this.#callOf(event.dialog);
    call.source = source;
    call.heardAt = this.#pua.clock.now();
    call.missingSince = undefined;
    try {
      this.#tell(call, event);
    } finally {
      // Whatever happens, the call is forgotten some time; one that was given up all the same, and comes back if it is named.
      if (!call.lost) this.#plan(call);
      this.#publications.flush();
    }
  }

  /** Its source does not know the call any more, and nobody said how it ended. */
  lost(call: Call): void {
    for (const fork of call.live()) {
      fork.state = 'terminated';
      for (const side of SIDES) {
        for (const presentity of fork.listed[side]) {
          this.#publications.terminate(presentity, call.idOf(fork, side), { event: 'timeout' }, call.facts?.startedAt);
        }
        fork.listed[side].clear();
      }
    }
    call.ended = true;
    call.lost = true;
    this.#plan(call);
    this.#publications.flush();
  }

  // -------------------------------------------------------------------------------------------------- parts

  #callOf({ key, callId }: DialogSnapshot): Call {
    const name = callName(callId, key, this.#settings.useUuid === 1);
    const call = this.#calls.get(name) ?? new Call(name, false);
    this.#calls.set(name, call);
    call.key = key;
    this.#script.heard(key, call);
    return call;
  }

  #tell(call: Call, event: DialogEvent): void {
    const { dialog } = event;
    const before = call.facts;
    if (!before) compareTags(call, dialog);
    const { live, ended, stale } = tell(call, event);
    if (stale) {
      this.dropped++;
      return;
    }
    const { known, earlier } = call;
    const facts = learn(before, event, this.#settings, { known, earlier, wall: this.#pua.clock.wall() });
    call.facts = facts;
    if (live) {
      if (live.unheard) compareIdentities(this.#view(call, facts, live, event));
      this.#setLifetime(call, live, dialog);
      const alike = before !== undefined && isSeenAlike(before, facts);
      const others = alike ? [] : call.live().filter((fork) => fork !== live && !fork.unheard);
      this.#publish(call, facts, [live, ...others], event);
    }
    this.#end(call, facts, ended, event);
  }

  #view(call: Call, facts: Facts, fork: Fork, { kind }: DialogEvent): View {
    return { call, facts, fork, settings: this.#settings, script: this.#script, creation: kind === 'created' };
  }

  /** The caller's documents first, within a side in the order of its list; what the side no longer has before them. */
  #publish(call: Call, facts: Facts, forks: readonly Fork[], event: DialogEvent): void {
    for (const side of isSilent(event, this.#settings) ? [] : SIDES) {
      if (suppresses(event, { facts, settings: this.#settings }, side)) continue;
      for (const fork of forks) this.#list(this.#view(call, facts, fork, event), side);
    }
    for (const other of call.live()) {
      for (const side of SIDES) {
        for (const presentity of other.listed[side]) {
          this.#publications.prolong(presentity, call.idOf(other, side), call.until);
        }
      }
    }
  }

  #list(view: View, side: Side): void {
    const { call, facts, fork } = view;
    const presentities = presentitiesOf(view, side);
    const id = call.idOf(fork, side);
    for (const presentity of fork.listed[side]) {
      if (presentities.has(presentity)) continue;
      fork.listed[side].delete(presentity);
      this.#publications.terminate(presentity, id, {}, facts.startedAt);
    }
    if (presentities.size === 0 || !isVisible(view, side)) return;
    const dialog = dialogOf(view, side);
    const { uri } = ownIdentity(view, side);
    for (const presentity of presentities) {
      fork.listed[side].add(presentity);
      const entity = isUri(uri) ? uri : presentity;
      this.#publications.list({ presentity, entity, dialog, startedAt: facts.startedAt, until: call.until });
    }
  }

  #end(call: Call, facts: Facts, forks: readonly Fork[], event: DialogEvent): void {
    for (const side of SIDES) {
      const quiet = suppresses(event, { facts, settings: this.#settings }, side);
      for (const fork of forks) {
        const id = call.idOf(fork, side);
        const reason = reasonOf(fork.reason, event.kind, side);
        for (const presentity of fork.listed[side]) {
          if (quiet) this.#publications.remove(presentity, id);
          else this.#publications.terminate(presentity, id, reason, facts.startedAt);
        }
        fork.listed[side].clear();
      }
    }
  }

  /** `override_lifetime`, else what the source says, else the default; from now on. */
  #setLifetime(call: Call, fork: Fork, { lifetime }: DialogSnapshot): void {
    const now = this.#pua.clock.now();
    const { overrideLifetime, opensips } = this.#settings;
    if (lifetime !== undefined && lifetime > 0) call.promised = now + Math.min(MAX_SECONDS, Math.ceil(lifetime)) * 1000;
    if (overrideLifetime > 0) call.until = now + overrideLifetime * 1000;
    else if (opensips && RANK[fork.state] < RANK.confirmed) call.until = now + UNANSWERED_LIFETIME * 1000;
    else call.until = call.promised > now ? call.promised : now + DEFAULT_LIFETIME * 1000;
  }

  /**
   * A call whose lifetime is over is forgotten; who hears of it again publishes again. One that has ended is remembered for as
   * long as its source goes on naming it.
   */
  #plan(call: Call): void {
    const rest = Math.max(TOMBSTONE_MS + (call.lost ? 0 : this.#beat), (this.#settings.terminatedLifetime + 1) * 1000);
    call.deadline = call.live().length > 0 ? call.until : this.#pua.clock.now() + rest;
    this.#schedule.update(call);
  }

  #forget(call: Call): void {
    this.#calls.delete(call.name);
    if (call.key !== undefined) this.#script.forget(call.key, call);
  }
}

function checkSnapshot(dialog: DialogSnapshot): void {
  const lacks = (what: string) =>
    new PuaError('PUA_ERR_ARGUMENT', `event of call ${JSON.stringify(dialog?.key)}: ${what}`);
  if (typeof dialog?.key !== 'string' || dialog.key === '') throw lacks('key must be a text');
  if (typeof dialog.callId !== 'string') throw lacks('callId must be a text');
  if (!(dialog.state in RANK)) throw lacks(`state must be one of ${Object.keys(RANK).join(', ')}`);
  for (const side of SIDES) if (typeof dialog[side]?.uri !== 'string') throw lacks(`${side}.uri must be a text`);
}
