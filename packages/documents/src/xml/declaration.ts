import { isSpace } from './chars.js';
import { documentError, position, quote } from './errors.js';

/** Longest declaration that is looked at; the one everybody writes has 38 characters. */
const MAX_LENGTH = 256;
const COMMON = '<?xml version="1.0" encoding="UTF-8"?>';
const declaration =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"([^"<&]*)"|'([^'<&]*)')(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([^"<&]*)"|'([^'<&]*)'))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>$/;

/**
 * Checks the XML declaration at `at`, if there is one.
 * @returns the offset behind it.
 * @throws PuaError `PUA_ERR_DOCUMENT`: malformed, not version 1.0, or an encoding other than UTF-8. The text has been decoded
 * already, and goes on as UTF-8: another name would be untrue here, or would become so on the wire.
 */
export function declarationEnd(source: string, at: number): number {
  if (source.startsWith(COMMON, at)) return at + COMMON.length;
  if (!source.startsWith('<?xml', at) || !isSpace(source.charCodeAt(at + 5))) return at;
  const head = source.slice(at, at + MAX_LENGTH);
  const end = head.indexOf('?>') + 2;
  const match = end < 2 ? null : declaration.exec(head.slice(0, end));
  if (!match) throw documentError(position(source, at), 'the XML declaration is malformed');
  const version = match[1] ?? match[2];
  if (version !== '1.0') {
    throw documentError(position(source, at), `XML version ${quote(version ?? '')}; only 1.0 is read`);
  }
  const encoding = match[3] ?? match[4];
  if (encoding !== undefined && encoding.toUpperCase() !== 'UTF-8') {
    throw documentError(
      position(source, at),
      `declared encoding ${quote(encoding)}; only UTF-8 is read: convert the document and its declaration`,
    );
  }
  return at + end;
}
