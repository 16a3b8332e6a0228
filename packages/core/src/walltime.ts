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
