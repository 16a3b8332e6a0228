import { codePointName } from '../xml/chars.js';
import { documentError, quote, shorten } from '../xml/errors.js';
import {
  ACCOUNT_URI,
  HEADER_NAME,
  ILLEGAL_IN_LINE,
  MAX_COUNT,
  type MessageCount,
  type MessageHeader,
  type MessageSummary,
  messageContexts,
} from './model.js';

/**
 * Writes a message summary (RFC 3842 section 5.2), lines ended by CRLF.
 * @throws PuaError `PUA_ERR_DOCUMENT` naming the place: an account that is no URI, a count that is none, a context class that
 * is none or there twice, a header that would not be read as it is.
 */
export function writeMessageSummary(summary: MessageSummary): string {
  const { waiting, account, counts = [], messages = [] } = summary;
  if (typeof waiting !== 'boolean') throw documentError('Messages-Waiting', `must be true or false, not ${waiting}`);
  let out = `Messages-Waiting: ${waiting ? 'yes' : 'no'}\r\n`;
  if (account !== undefined) {
    if (!ACCOUNT_URI.test(account)) throw documentError('Message-Account', `${quote(String(account))} is no URI`);
    out += headerLine({ name: 'Message-Account', value: account }, 'Message-Account');
  }
  const seen = new Set<string>();
  for (const count of counts) {
    if (seen.size === seen.add(count.context).size) throw documentError(String(count.context), 'is there twice');
    out += countLine(count);
  }
  messages.forEach((headers, i) => {
    const place = `message[${i + 1}]`;
    if (headers.length === 0) throw documentError(place, 'has no header');
    out += '\r\n';
    headers.forEach((header, j) => {
      out += headerLine(header, `${place}/header[${j + 1}]`);
    });
  });
  return out;
}

function countLine({ context, new: fresh, old, urgent }: MessageCount): string {
  if (!messageContexts.includes(context)) {
    throw documentError(
      'message-summary',
      `${quote(String(context))} is no context class; there are ${messageContexts.join(', ')}`,
    );
  }
  const line = `${capitalized(context)}: ${checkCount(fresh, context)}/${checkCount(old, context)}`;
  if (urgent === undefined) return `${line}\r\n`;
  return `${line} (${checkCount(urgent.new, context)}/${checkCount(urgent.old, context)})\r\n`;
}

/** `voice-message` -> `Voice-Message` */
function capitalized(context: string): string {
  return context.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

function checkCount(count: number, context: string): number {
  if (Number.isInteger(count) && count >= 0 && count <= MAX_COUNT) return count;
  throw documentError(context, `${count} is no count; expected 0 to ${MAX_COUNT}`);
}

function headerLine({ name, value }: MessageHeader, place: string): string {
  if (!HEADER_NAME.test(name)) throw documentError(place, `${quote(String(name))} is no name of a header`);
  if (typeof value !== 'string') throw documentError(place, `the value of ${shorten(name)} must be a text`);
  const illegal = value.search(ILLEGAL_IN_LINE);
  if (illegal >= 0) throw documentError(place, `the character ${codePointName(value, illegal)} must not be there`);
  if (/^[ \t]|[ \t]$/.test(value)) throw documentError(place, `${quote(value)} has white space around it`);
  return `${name}: ${value}\r\n`;
}
