/** The two clocks read at one moment: rows hold wall time in seconds, machines monotonic milliseconds. */
export interface WallClock {
  readonly now: number;
  readonly wall: number;
}

/** The columns are integers of 32 bits: a lifetime that ends later ends in 2038 after a restart. */
const LAST = 0x7fffffff;

/** Seconds since 1970; 0 for Infinity ("for ever"). */
export function toWall(at: number, clock: WallClock): number {
  return at === Number.POSITIVE_INFINITY ? 0 : Math.min(LAST, Math.round((clock.wall + at - clock.now) / 1000));
}

/** The same for a time before which nothing may happen: rounded up; 0 when it has passed. */
export function notBeforeToWall(at: number, clock: WallClock): number {
  return at > clock.now ? Math.min(LAST, Math.ceil((clock.wall + at - clock.now) / 1000)) : 0;
}

export function fromWall(seconds: number, clock: WallClock): number {
  return clock.now + seconds * 1000 - clock.wall;
}

/** Shorter waits are not worth a column: after a restart the next try comes at once. */
const LONG_MS = 60_000;

/** When a long retry is due, rounded up; 0 for a record that does not wait for one. */
export function retryAtToWall(s: { phase: string; deadline: number; notBefore: number }, clock: WallClock): number {
  const waits = s.phase === 'waiting' && s.deadline < Number.POSITIVE_INFINITY;
  return waits && s.deadline > Math.max(s.notBefore, clock.now + LONG_MS) ? notBeforeToWall(s.deadline, clock) : 0;
}
