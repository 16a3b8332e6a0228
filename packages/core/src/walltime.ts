/** The two clocks read at one moment: rows hold wall time in seconds, machines monotonic milliseconds. */
export interface WallClock {
  readonly now: number;
  readonly wall: number;
}

/** Seconds since 1970; 0 for Infinity ("for ever"). */
export function toWall(at: number, clock: WallClock): number {
  return at === Number.POSITIVE_INFINITY ? 0 : Math.round((clock.wall + at - clock.now) / 1000);
}

export function fromWall(seconds: number, clock: WallClock): number {
  return clock.now + seconds * 1000 - clock.wall;
}
