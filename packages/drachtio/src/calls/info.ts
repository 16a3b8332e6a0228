import type { DialogParty, DialogSnapshot } from '@pua/core';

type Identity = Partial<Pick<DialogParty, 'uri' | 'display'>>;

/** What the application knows of a call better than its INVITE; all of it holds as long as the call does. */
export interface CallInfo
  extends Pick<
    DialogSnapshot,
    'publish' | 'publishUris' | 'mask' | 'privacy' | 'flags' | 'vars' | 'referredBy' | 'replaces'
  > {
  /** Its address-of-record and name; default: From of the INVITE. */
  readonly caller?: Identity;
  /** Default: To of the INVITE. */
  readonly callee?: Identity;
}
