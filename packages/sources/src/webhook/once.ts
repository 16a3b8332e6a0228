/** The header field `Idempotency-Key`: a request that comes again is not carried out again, but answered as before. */
import { createHash } from 'node:crypto';
import type { Clock, HttpAnswer, HttpCall } from '@pua/core';
import { Refused } from './entries/read.js';
import { Memory } from './memory.js';

interface Done {
  readonly digest: string;
  readonly answer: Promise<HttpAnswer>;
}

export class Once {
  readonly #done: Memory<Done>;

  constructor(clock: Clock) {
    this.#done = new Memory(clock);
  }

  /**
   * Only what ended well is remembered. While the first one is in progress, the second waits for it.
   * @param content what the request says, checked
   * @throws Refused 400 for a malformed key, 422 when the key came with something else before
   */
  async run(headers: HttpCall['headers'], content: unknown, act: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
    const key = headers['idempotency-key'];
    if (key === undefined) return act();
    if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
      throw new Refused(400, 'Idempotency-Key: must be 1 to 255 visible ASCII characters');
    }
    const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64');
    const before = this.#done.get(key);
    if (before) {
      if (before.digest === digest) return { ...(await before.answer), headers: { 'Idempotency-Replayed': 'true' } };
      throw new Refused(422, 'Idempotency-Key: came with another body before; every request needs a key of its own');
    }
    const answer = act();
    this.#done.set(key, { digest, answer });
    const fine = await answer.then(
      ({ status }) => status < 300,
      () => false,
    );
    if (!fine) this.#done.delete(key);
    return answer;
  }
}
