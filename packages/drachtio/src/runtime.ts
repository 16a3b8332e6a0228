/** The real clock and chance; a simulated pair of the same shape makes a run repeatable. */
import { randomFillSync } from 'node:crypto';
import type { Clock, Random } from '@pua/core';

/** Longer waits fire at once in setTimeout: they are made of several. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, run) {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      timer = left <= LONGEST_MS ? setTimeout(run, left) : setTimeout(() => wait(left - LONGEST_MS), LONGEST_MS);
    };
    wait(ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** 20 hexadecimal digits carry 80 bits. */
const TOKEN_BYTES = 10;
/** Drawn for many tokens at once: one draw costs more than all the rest of a token. */
const pool = Buffer.alloc(400 * TOKEN_BYTES);
let used = pool.length;

export const systemRandom: Random = {
  uniform: () => Math.random(),
  token() {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    used += TOKEN_BYTES;
    return pool.toString('hex', used - TOKEN_BYTES, used);
  },
};
