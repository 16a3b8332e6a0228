import type { DialogEvent, PuaApi, PuaModule } from '@pua/core';
import { dialog } from '@pua/documents';
import { Calls } from './calls.js';
import { fault } from './fault.js';
import { Heartbeat } from './heartbeat.js';
import { checkOptions, type DialoginfoOptions, type Settings } from './options.js';
import { Publications } from './publications.js';
import { restore } from './restore.js';
import { Script, type ScriptResult } from './script.js';

export interface DialoginfoStats {
  /** Calls that live, and those that ended a short while ago. */
  readonly calls: number;
  readonly publications: number;
  /** Events that came too late and were dropped: a state behind the one that is known, or of a call that is over. */
  readonly dropped: number;
}

export interface Dialoginfo extends PuaModule {
  /**
   * `dialoginfo_set([side])`: which sides of a call are published, `A` the caller, `B` the callee, empty both. May be called
   * before the first event of the call.
   * @param key of the call in its source
   * @returns 1; -1 without key
   */
  dialoginfoSet(key: string, side?: string): ScriptResult;
  /**
   * `dialoginfo_set_branch_callee(callee)`: the callee of a branch, as a name-addr; an empty text removes it. Counts from the
   * next event on.
   * @returns 1; -1 when the call is not known (dialoginfoSet() makes it known), or `callee` is no address
   */
  dialoginfoSetBranchCallee(key: string, branch: string, callee: string): ScriptResult;
  /**
   * `dialoginfo_mute_branch([side])`: sides of a branch that are not published. Counts from the next event on.
   * @returns 1; -1 when the call is not known
   */
  dialoginfoMuteBranch(key: string, branch: string, side?: string): ScriptResult;
  stats(): DialoginfoStats;
}

interface Parts {
  readonly script: Script;
  readonly publications: Publications;
  readonly calls: Calls;
  readonly heartbeat: Heartbeat;
}

export class DialoginfoModule implements Dialoginfo {
  readonly name = 'dialoginfo';
  readonly #settings: Settings;
  #pua: PuaApi | undefined;
  #parts: Parts | undefined;
  /** Events of sources that start before us: the records are read first. null: no longer. */
  #early: { event: DialogEvent; source: number }[] | null = [];
  readonly #listeners: (() => void)[] = [];
  #stopped = false;

  constructor(options: DialoginfoOptions) {
    this.#settings = checkOptions(options);
  }

  setup(pua: PuaApi): void {
    pua.addEvent(dialog);
    const settings = this.#settings;
    const script = new Script(pua.clock, settings.warn);
    const publications = new Publications(pua, settings);
    const calls = new Calls(pua, settings, script, publications);
    this.#pua = pua;
    this.#parts = { script, publications, calls, heartbeat: new Heartbeat(pua.clock, settings, calls) };
    for (const [index, source] of settings.sources.entries()) {
      this.#listeners.push(source.onEvent((event) => this.#on(event, index)));
    }
  }

  /** The records are read beside everything else: only events wait for it. */
  start(): void {
    void this.#begin();
  }

  async #begin(): Promise<void> {
    const settings = this.#settings;
    const { calls, publications, heartbeat } = this.#parts!;
    try {
      await restore({ pua: this.#pua!, settings, calls, publications, stopped: () => this.#stopped });
    } catch (error) {
      fault(error, 'records of the last run');
    }
    const early = this.#early ?? [];
    this.#early = null;
    if (this.#stopped) return;
    for (const { event, source } of early) this.#on(event, source);
    heartbeat.start();
  }

  stop(): void {
    this.#stopped = true;
    for (const remove of this.#listeners.splice(0)) remove();
    const { script, publications, calls, heartbeat } = this.#parts!;
    for (const part of [heartbeat, calls, publications, script]) part.stop();
  }

  #on(event: DialogEvent, source: number): void {
    if (this.#early) {
      this.#early.push({ event, source });
      return;
    }
    try {
      this.#parts!.calls.on(event, source);
    } catch (error) {
      fault(error, `event ${event?.kind}`);
    }
  }

  dialoginfoSet(key: string, side?: string): ScriptResult {
    return this.#parts?.script.set(key, side) ?? -1;
  }

  dialoginfoSetBranchCallee(key: string, branch: string, callee: string): ScriptResult {
    return this.#parts?.script.setBranchCallee(key, branch, callee) ?? -1;
  }

  dialoginfoMuteBranch(key: string, branch: string, side?: string): ScriptResult {
    return this.#parts?.script.mute(key, branch, side) ?? -1;
  }

  stats(): DialoginfoStats {
    const { calls, publications } = this.#parts ?? {};
    return { calls: calls?.size ?? 0, publications: publications?.size ?? 0, dropped: calls?.dropped ?? 0 };
  }
}
