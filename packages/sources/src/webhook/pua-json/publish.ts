/** PUBLISHes that a message of pua_json asks for, and how they ended. */
import type { PuaApi, PuaResult, PublInfo, Timer } from '@pua/core';

/** How long the answer waits for the final SIP answer, milliseconds. */
const WAIT_MS = 60_000;

/** `pending`: no final answer in time; the request goes on. */
type Outcome = PuaResult | { readonly outcome: 'pending' };

export type PublishResult = Outcome & { readonly package: string; readonly id: string; readonly key: string };

export async function publish(pua: PuaApi, info: PublInfo, signal: AbortSignal | undefined): Promise<PublishResult> {
  const { key, result } = pua.sendPublish(info);
  let timer: Timer | undefined;
  let onAbort: (() => void) | undefined;
  const pending = new Promise<Outcome>((resolve) => {
    onAbort = () => resolve({ outcome: 'pending' });
    timer = pua.clock.after(WAIT_MS, onAbort);
    signal?.addEventListener('abort', onAbort);
  });
  const outcome = await Promise.race([result, pending]);
  timer!.cancel();
  signal?.removeEventListener('abort', onAbort!);
  return { package: String(info.event), id: info.id!, key, ...outcome };
}

const FINE: readonly string[] = ['accepted', 'nothing-to-do', 'superseded', 'duplicate', 'stale'];

/** Is what was asked for, or something newer, where it should be? */
export const isFine = ({ outcome }: { readonly outcome: string }): boolean => FINE.includes(outcome);
