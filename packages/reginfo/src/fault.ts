import { channels } from '@pua/core';

/** Told on `pua:fault`: nobody waits for it who could be told. */
export function fault(error: unknown, where: string): void {
  channels.fault.publish({ type: 'fault', where: `reginfo: ${where}`, error });
}
