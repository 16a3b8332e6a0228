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

const ALPHABET = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 'latin1');
/** 14 characters of 62 carry 83 bits. */
const TOKEN_LENGTH = 14;

const pool = new Uint8Array(4096);
let used = pool.length;
const token = Buffer.alloc(TOKEN_LENGTH);

function randomByte(): number {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  return pool[used++]!;
}

export const systemRandom: Random = {
  uniform: () => Math.random(),
  token() {
    for (let at = 0; at < TOKEN_LENGTH; ) {
      // 62 of the 64 values: the other two are thrown away, so that every character is equally likely.
      const six = randomByte() & 63;
      if (six < 62) token[at++] = ALPHABET[six]!;
    }
    // In one piece: a string put together character by character is slow to make and slow to look at.
    return token.toString('latin1');
  },
};
