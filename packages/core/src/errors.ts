/** Programming and configuration errors. What the network did is a result, never an error. */

export type PuaErrorCode =
  | 'PUA_ERR_OPTION'
  | 'PUA_ERR_ARGUMENT'
  | 'PUA_ERR_EVENT_UNKNOWN'
  | 'PUA_ERR_EVENT_CONFLICT'
  | 'PUA_ERR_INVALID_MESSAGE'
  | 'PUA_ERR_DOCUMENT'
  | 'PUA_ERR_MEDIA_TYPE'
  | 'PUA_ERR_LISTEN'
  | 'PUA_ERR_STORE_OPEN'
  | 'PUA_ERR_STORE_HELD'
  | 'PUA_ERR_STORE_VERSION'
  | 'PUA_ERR_STATE';

export class PuaError extends Error {
  override readonly name = 'PuaError';
  constructor(
    readonly code: PuaErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }

  /** Also true for an error of another copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && String((value as { code?: unknown }).code).startsWith('PUA_ERR_');
  }
}
