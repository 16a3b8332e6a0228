/**
 * One coarse timer wheel for all transactions: scheduling, moving and cancelling are O(1), a tick costs only what is
 * due, and there is one clock timer however many transactions live. With nothing scheduled no timer runs.
 */
import type { Clock, Timer } from '@pua/core';

const SLOTS = 4096;
const MASK = SLOTS - 1;
const WORDS = SLOTS / 32;

/** Base of what can be scheduled: the links live in the object itself, so that scheduling allocates nothing. */
export abstract class WheelNode {
  /** Clock time in milliseconds. */
  due = 0;
  /** -1 while not scheduled. */
  slot = -1;
  previous: WheelNode = this;
  next: WheelNode = this;
  /** Must not throw. */
  abstract expire(now: number): void;
}

export class TimerWheel {
  private readonly heads: (WheelNode | undefined)[] = new Array(SLOTS).fill(undefined);
  /** One bit per slot that holds something. */
  private readonly bits = new Int32Array(WORDS);
  /** Last tick that was worked off. */
  private tick = 0;
  private armed = Number.POSITIVE_INFINITY;
  private timer: Timer | undefined;
  private count = 0;

  /** `granularity`: milliseconds per tick; a node never expires early, and at most that much late. */
  constructor(
    private readonly clock: Clock,
    readonly granularity: number,
  ) {}

  get size(): number {
    return this.count;
  }

  /** Calls `node.expire` at `due`; a node that is scheduled already is moved. */
  schedule(node: WheelNode, due: number, now: number): void {
    if (node.slot >= 0) this.cancel(node);
    node.due = due;
    const current = Math.floor(now / this.granularity);
    // Nothing lies between the last tick and the present one unless the timer is overdue: then the tick stays behind.
    if (current > this.tick && current < this.armed) this.tick = current;
    const tick = this.insert(node);
    if (tick < this.armed) this.arm(tick, now);
  }

  cancel(node: WheelNode): void {
    const { slot } = node;
    if (slot < 0) return;
    node.slot = -1;
    this.count--;
    if (node.next === node) {
      this.heads[slot] = undefined;
      this.bits[slot >>> 5]! &= ~(1 << (slot & 31));
      return;
    }
    node.previous.next = node.next;
    node.next.previous = node.previous;
    if (this.heads[slot] === node) this.heads[slot] = node.next;
    node.next = node;
    node.previous = node;
  }

  /** Forgets the clock timer; nothing expires any more until something is scheduled. */
  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.armed = Number.POSITIVE_INFINITY;
  }

  /** Puts the node into the slot of its tick and returns the tick; one beyond the wheel's span is put in again later. */
  private insert(node: WheelNode): number {
    const wanted = Math.max(this.tick + 1, Math.ceil(node.due / this.granularity));
    const tick = Math.min(wanted, this.tick + MASK);
    const slot = tick & MASK;
    const head = this.heads[slot];
    if (head) {
      node.previous = head.previous;
      node.next = head;
      head.previous.next = node;
      head.previous = node;
    } else {
      this.heads[slot] = node;
      this.bits[slot >>> 5]! |= 1 << (slot & 31);
    }
    node.slot = slot;
    this.count++;
    return tick;
  }

  private arm(tick: number, now: number): void {
    this.timer?.cancel();
    this.armed = tick;
    this.timer = this.clock.after(Math.max(0, tick * this.granularity - now), () => this.turn());
  }

  private turn(): void {
    this.timer = undefined;
    const now = this.clock.now();
    const current = Math.floor(now / this.granularity);
    // Meanwhile it counts as armed for a tick that has come: whoever is scheduled by expire() neither arms it nor moves
    // the tick past those that are overdue, too.
    for (let tick = this.nextTick(); tick <= current; tick = this.nextTick()) {
      this.tick = tick;
      const slot = tick & MASK;
      // One at a time: expire() may cancel any other node, also one of this slot.
      for (let node = this.heads[slot]; node; node = this.heads[slot]) {
        this.cancel(node);
        if (node.due > now) this.insert(node);
        else node.expire(now);
      }
    }
    if (current > this.tick) this.tick = current;
    this.armed = Number.POSITIVE_INFINITY;
    const next = this.nextTick();
    if (next < this.armed) this.arm(next, now);
  }

  /** The next tick that has something in its slot; infinite when the wheel is empty. */
  private nextTick(): number {
    const first = (this.tick + 1) & MASK;
    let word = first >>> 5;
    let bits = this.bits[word]! & (-1 << (first & 31));
    for (let i = 0; i <= WORDS; i++) {
      if (bits !== 0) {
        const slot = (word << 5) + 31 - Math.clz32(bits & -bits);
        return this.tick + 1 + ((slot - first) & MASK);
      }
      word = (word + 1) & (WORDS - 1);
      bits = this.bits[word]!;
    }
    return Number.POSITIVE_INFINITY;
  }
}
