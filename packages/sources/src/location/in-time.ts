import type { Clock } from '@pua/core';

/** For a database that neither answers nor fails: rejects after `ms` milliseconds. */
export function inTime<T>(clock: Clock, ms: number, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => reject(new Error(`the database has not answered for ${ms / 1000} s`)));
    answer.then(resolve, reject).finally(() => timer.cancel());
  });
}
