/** Extra header lines given by callers: read, checked, kept as pairs. */
import { PuaError } from './errors.js';
import type { Headers } from './ports/sip.js';

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
// What the core or the engine writes itself; a second one would change the meaning of the request.
const RESERVED = new Set([
  'via',
  'from',
  'to',
  'cseq',
  'call-id',
  'contact',
  'max-forwards',
  'event',
  'expires',
  'sip-if-match',
  'record-route',
  'route',
  'authorization',
  'proxy-authorization',
  'v',
  'f',
  't',
  'i',
  'm',
  'o',
  'c',
  'l',
  'e',
]);
const NONE: Headers = [];

/** A checked copy. @throws PuaError `PUA_ERR_ARGUMENT` that names the header */
function checkHeaders(headers: Headers): Headers {
  return headers.map((pair: unknown) => {
    const [name, value] = Array.isArray(pair) ? pair : [];
    if (typeof name !== 'string' || !TOKEN.test(name)) {
      const shown = JSON.stringify(name ?? pair) ?? '';
      throw new PuaError('PUA_ERR_ARGUMENT', `extra header ${shown.slice(0, 80)}: not a header name`);
    }
    const lower = name.toLowerCase();
    if (RESERVED.has(lower) || lower.startsWith('content-')) {
      throw new PuaError('PUA_ERR_ARGUMENT', `extra header ${name}: it is written by the core and can't be given`);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (typeof value !== 'string' || /[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw new PuaError(
        'PUA_ERR_ARGUMENT',
        `extra header ${name}: its value must be one line of text without control characters`,
      );
    }
    return [name, value] as const;
  });
}

/** Complete lines, CRLF (or LF) between them; a missing last line end is fine. Unchecked: see readHeaders. */
export function parseHeaderLines(text: string): Headers {
  if (text === '') return NONE;
  const headers: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    headers.push(colon < 0 ? [line, ''] : [line.slice(0, colon).trimEnd(), line.slice(colon + 1).trim()]);
  }
  return headers;
}

/** @throws PuaError `PUA_ERR_ARGUMENT` */
export function readHeaders(given: Headers | string): Headers {
  if (typeof given === 'string') return checkHeaders(parseHeaderLines(given));
  if (!Array.isArray(given))
    throw new PuaError('PUA_ERR_ARGUMENT', 'extra headers: must be lines of text or a list of [name, value]');
  return given.length === 0 ? NONE : checkHeaders(given);
}

export function formatHeaders(headers: Headers): string {
  return headers.length === 0 ? '' : headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
