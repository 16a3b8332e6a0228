/** Listens to a dialog of drachtio-srf without changing what it does. */
import type { CallDialog, DialogRequest } from '../srf.js';

export interface LegEvents {
  /** The peer has sent a request. */
  request(request: DialogRequest): void;
  /** The application hangs up. */
  hungUp(): void;
}

/**
 * Its events won't do: a listener for `modify` or `refresh` takes the answer away from drachtio-srf, and there is none for
 * a dialog that the application itself ends. So its methods say it as well.
 */
export function watchLeg(dialog: CallDialog, on: LegEvents): void {
  const { handle, destroy, request } = dialog;
  dialog.handle = (received, ...rest) => {
    on.request(received);
    return handle.call(dialog, received, ...rest);
  };
  dialog.destroy = (...given) => {
    on.hungUp();
    return destroy.apply(dialog, given);
  };
  dialog.request = (options, ...rest) => {
    if (options.method.toUpperCase() === 'BYE') on.hungUp();
    return request.call(dialog, options, ...rest);
  };
}
