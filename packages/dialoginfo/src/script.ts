/** The script functions of OpenSIPS' module: what scripts say of a call, before or while its events come. */
import { type Clock, PuaError, Schedule, type Scheduled } from '@pua/core';
import type { DialogIdentity } from '@pua/documents';
import type { Side } from './ids.js';
import { parseNameAddr } from './text.js';

/** How the functions of a script end. */
export type ScriptResult = 1 | -1;

interface Branch {
  callee?: DialogIdentity | undefined;
  muted?: ReadonlySet<Side>;
}

class Said implements Scheduled {
  deadline = Number.POSITIVE_INFINITY;
  scheduleIndex = -1;
  /** undefined: no event has told of it yet. */
  call: object | undefined;
  /** undefined: both. */
  sides: ReadonlySet<Side> | undefined;
  readonly branches = new Map<string, Branch>();
  constructor(readonly key: string) {}
}

/** What is said of a call that no event tells of is kept as long as an INVITE may ring: Timer C (RFC 3261 section 16.6). */
const UNHEARD_MS = 180_000;
const SIDE_OF: Readonly<Record<string, Side>> = { A: 'caller', B: 'callee' };

export class Script {
  readonly #calls = new Map<string, Said>();
  readonly #schedule: Schedule<Said>;

  constructor(
    readonly clock: Clock,
    readonly warn: (message: string) => void,
  ) {
    this.#schedule = new Schedule(clock, ({ key }) => void this.#calls.delete(key));
  }

  stop(): void {
    this.#schedule.stop();
  }

  /** An event tells of the call: what is said of it is kept until forget(). A key may be used again, for another call. */
  heard(key: string, call: object): void {
    const said = this.#calls.get(key) ?? new Said(key);
    said.call = call;
    said.deadline = Number.POSITIVE_INFINITY;
    this.#schedule.remove(said);
    this.#calls.set(key, said);
  }

  forget(key: string, call: object): void {
    if (this.#calls.get(key)?.call === call) this.#calls.delete(key);
  }

  // -------------------------------------------------------------------------------------------------- functions

  set(key: string, side: string | undefined): ScriptResult {
    if (typeof key !== 'string' || key === '') return -1;
    let said = this.#calls.get(key);
    if (!said) {
      said = new Said(key);
      this.#calls.set(key, said);
      said.deadline = this.clock.now() + UNHEARD_MS;
      this.#schedule.update(said);
    }
    said.sides = this.#sides('dialoginfo_set', side);
    return 1;
  }

  setBranchCallee(key: string, branch: string, callee: string): ScriptResult {
    const found = this.#branch(key, branch);
    const parsed = callee === '' ? undefined : parseNameAddr(callee);
    if (!found || (callee !== '' && !parsed)) return -1;
    found.callee = parsed;
    return 1;
  }

  mute(key: string, branch: string, side: string | undefined): ScriptResult {
    const found = this.#branch(key, branch);
    if (!found) return -1;
    found.muted = this.#sides('dialoginfo_mute_branch', side) ?? new Set(['caller', 'callee']);
    return 1;
  }

  // -------------------------------------------------------------------------------------------------- what was said

  callee(key: string, branch: string | undefined): DialogIdentity | undefined {
    return branch === undefined ? undefined : this.#calls.get(key)?.branches.get(branch)?.callee;
  }

  /** Not chosen for the call, or muted for the branch. */
  isMuted(key: string, branch: string | undefined, side: Side): boolean {
    const said = this.#calls.get(key);
    if (said?.sides && !said.sides.has(side)) return true;
    return (branch !== undefined && said?.branches.get(branch)?.muted?.has(side)) || false;
  }

  #branch(key: string, branch: string): Branch | undefined {
    const said = this.#calls.get(key);
    if (!said) return undefined;
    const found = said.branches.get(String(branch)) ?? {};
    said.branches.set(String(branch), found);
    return found;
  }

  /** undefined: both. */
  #sides(name: string, letters: string | undefined): ReadonlySet<Side> | undefined {
    if (letters === undefined || letters === '') return undefined;
    if (typeof letters !== 'string') throw new PuaError('PUA_ERR_ARGUMENT', `${name}: side must be a text of A and B`);
    const sides = new Set<Side>();
    for (const letter of letters) {
      const side = SIDE_OF[letter];
      if (side) sides.add(side);
      else this.warn(`${name}: unknown side ${JSON.stringify(letter)}, ignored; known are A (caller) and B (callee)`);
    }
    return sides;
  }
}
