import type { Random } from '@pua/core';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** 14 characters of 62 are 83 bits. */
const TOKEN_LENGTH = 14;

/** A step of the hash that spreads a seed over the generator's state (splitmix32). */
function spread(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
}

function seedOf(seed: number | string): number {
  if (typeof seed === 'number') return seed;
  let hash = 0x811c9dc5;
  for (const character of seed) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return hash;
}

/** Repeatable chance (sfc32): the same seed gives the same sequence on every machine. Not for secrets. */
export class SimRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** A number takes part with its 32 low bits; a string is hashed. */
  constructor(seed: number | string) {
    const next = spread(seedOf(seed));
    [this.#a, this.#b, this.#c] = [next(), next(), next()];
    for (let round = 0; round < 12; round++) this.#bits();
  }

  uniform(): number {
    return ((this.#bits() >>> 5) * 0x4000000 + (this.#bits() >>> 6)) / 0x20000000000000;
  }

  token(): string {
    let token = '';
    for (let i = 0; i < TOKEN_LENGTH; i++) token += ALPHABET[this.int(ALPHABET.length)];
    return token;
  }

  /** Integer in 0..limit-1. */
  int(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  /** One of the items. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('SimRandom.pick: nothing to pick from');
    return items[this.int(items.length)]!;
  }

  #bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}
