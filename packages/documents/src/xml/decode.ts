import { documentError } from './errors.js';

/**
 * Text of bytes that must be UTF-8; a byte order mark stays.
 * @throws PuaError `PUA_ERR_DOCUMENT`
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw documentError('document', 'not valid UTF-8: convert it to UTF-8', cause);
  }
}
