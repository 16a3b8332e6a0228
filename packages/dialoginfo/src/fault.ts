import { channels } from '@pua/core';

/** A fault that must not stop anything is told on `pua:fault`. */
export function fault(error: unknown, where: string): void {
  channels.fault.publish({ type: 'fault', where: `dialoginfo: ${where}`, error });
}
