/** What a command knows about its call. */
import type { CommandContext } from '@pua/core';

export interface MiContext extends CommandContext {
  /** The call had positional parameters, these; arguments and results then have Kamailio's shape. */
  readonly positional?: readonly unknown[];
  /** Nobody will read the result: don't wait for it. */
  readonly notification?: boolean;
}
