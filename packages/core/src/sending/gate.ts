/** At most one PUBLISH per Request-URI is on the wire (RFC 3903 section 4): the others wait their turn. */
export class Gate<J> {
  /** Request-URI -> who waits behind the one that is through; null: nobody. */
  readonly #busy = new Map<string, J[] | null>();

  /** True: go on. False: waits, enter() of the next one is told by the release before it. */
  enter(key: string, job: J): boolean {
    const waiting = this.#busy.get(key);
    if (waiting === undefined) {
      this.#busy.set(key, null);
      return true;
    }
    if (waiting === null) this.#busy.set(key, [job]);
    else waiting.push(job);
    return false;
  }

  /** The one that was through is done; returns the next one, which is through now. */
  leave(key: string): J | undefined {
    const waiting = this.#busy.get(key);
    const next = waiting?.shift();
    if (next === undefined) this.#busy.delete(key);
    return next;
  }

  get size(): number {
    return this.#busy.size;
  }
}
