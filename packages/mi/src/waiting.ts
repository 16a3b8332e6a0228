/** Waiting for the result of a request: bounded in time and in number, and given up when nobody listens any more. */
import type { PuaHandle, PuaResult } from '@pua/core';
import type { MiContext } from './context.js';
import { Fault } from './faults.js';

/** Counts what is in progress. */
export class Gate {
  #inside = 0;
  #emptied: (() => void) | undefined;
  constructor(readonly limit: number) {}

  get inside(): number {
    return this.#inside;
  }

  enter(): boolean {
    if (this.#inside >= this.limit) return false;
    this.#inside++;
    return true;
  }

  leave(): void {
    this.#inside--;
    if (this.#inside === 0) this.#emptied?.();
  }

  /** Resolves when nothing is in progress, after `ms` at the latest. */
  async empty(ms: number): Promise<void> {
    if (this.#inside === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#emptied = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#emptied = undefined;
  }
}

/**
 * The result, within the limit.
 * @throws Fault `pending` after `waitMs`, `stopping` when the signal ends the wait
 */
export function resultOf(handle: PuaHandle, waitMs: number, signal: AbortSignal | undefined): Promise<PuaResult> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const late = () => {
      end();
      const seconds = waitMs / 1000;
      reject(
        new Fault(
          'pending',
          `no final answer within ${seconds} s; the request goes on, pua.show with this key tells how it stands`,
          { key: handle.key, status: 408, pending: true },
        ),
      );
    };
    const aborted = () => {
      end();
      reject(new Fault('stopping', 'nobody waits for the answer any more; the request goes on', { key: handle.key }));
    };
    const timer = setTimeout(late, waitMs);
    if (signal?.aborted) aborted();
    else {
      signal?.addEventListener('abort', aborted);
      void handle.result.then((result) => {
        end();
        resolve(result);
      });
    }
  });
}

/** Result of a call that does not wait: what the core has decided at once, else undefined. */
export function resultSoFar(handle: PuaHandle): Promise<PuaResult | undefined> {
  return Promise.race([handle.result, Promise.resolve(undefined)]);
}

export function outcomeOf(
  handle: PuaHandle,
  wait: boolean,
  waitMs: number,
  context: MiContext,
): Promise<PuaResult | undefined> {
  return wait && !context.notification ? resultOf(handle, waitMs, context.signal) : resultSoFar(handle);
}

/** @throws Fault for every result that is a failure */
export function mustBeFine(
  result: PuaResult | undefined,
  key: string,
): Extract<PuaResult, { outcome: 'accepted' | 'nothing-to-do' }> | undefined {
  switch (result?.outcome) {
    case undefined:
    case 'accepted':
    case 'nothing-to-do':
      return result;
    case 'rejected': {
      const { status, reason, retrying, retryAfter, minExpires } = result;
      throw new Fault('rejected', `the SIP server answered ${status} ${reason}${goesOn(retrying)}`, {
        key,
        status,
        reason,
        retrying,
        ...(retryAfter === undefined ? {} : { retryAfter }),
        ...(minExpires === undefined ? {} : { minExpires }),
      });
    }
    case 'unreachable': {
      const { cause, retrying } = result;
      throw new Fault('unreachable', `no SIP server answered: ${cause}${goesOn(retrying)}`, {
        key,
        status: 408,
        reason: cause,
        retrying,
      });
    }
    case 'superseded':
      throw new Fault('superseded', 'a newer request for the same record came before this one was sent', { key });
    case 'no-body':
      throw new Fault('no-body', 'there is nothing to refresh: a new publication needs a body', { key });
    case 'wrong-etag':
      throw new Fault(
        'wrong-etag',
        'the entity-tag given is not the one that is held for this publication; pua.list shows it',
        { key, ...(result.etag === undefined ? {} : { etag: result.etag }) },
      );
    case 'document-refused':
      throw new Fault('invalid-params', `body: ${result.cause}`, { key });
    case 'expired':
      throw new Fault('expired', 'the lifetime asked for ended before a server had accepted it', { key, status: 408 });
    case 'stopped':
      throw new Fault('stopping', 'it is being stopped; the request is kept and goes on after the next start', { key });
  }
}

const goesOn = (retrying: boolean) => (retrying ? '; it is tried again' : '');
