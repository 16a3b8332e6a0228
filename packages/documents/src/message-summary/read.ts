import { codePointName } from '../xml/chars.js';
import { decodeUtf8 } from '../xml/decode.js';
import { documentError, quote, shorten } from '../xml/errors.js';
import { checkSize, type XmlLimits } from '../xml/limits.js';
import {
  ACCOUNT_URI,
  HEADER_NAME,
  ILLEGAL_IN_LINE,
  MAX_COUNT,
  type MessageContext,
  type MessageCount,
  type MessageHeader,
  type MessageSummary,
  messageContexts,
} from './model.js';

/**
 * Reads a message summary:
 *
 *   Messages-Waiting: yes                      the status line, always first
 *   Message-Account: sip:alice@example.com     optional
 *   Voice-Message: 4/8 (1/2)                   new/old (urgent new/urgent old), a line per context class
 *                                              an empty line before the headers of each message
 *   Subject: carpool tomorrow?
 *
 * Names, `yes` and `no` go in any case; lines may be folded and end in LF alone; the last may have no end, or empty lines
 * behind it. Counts above 2^32 - 1 count as that (RFC 3842 section 3.5). Nothing else is forgiven.
 * @param limits `maxBytes`; default 256 kB.
 * @throws PuaError `PUA_ERR_DOCUMENT` that names the line.
 */
export function readMessageSummary(
  body: string | Uint8Array,
  limits: Pick<XmlLimits, 'maxBytes'> = {},
): MessageSummary {
  const text = typeof body === 'string' ? body : decodeUtf8(body);
  checkSize(text, limits);
  const [summary, ...messages] = parts(text);
  const [status, ...rest] = summary!;
  if (status?.name.toLowerCase() !== 'messages-waiting') {
    throw error(status?.number ?? 1, 'must be Messages-Waiting: yes, or no');
  }
  const account = rest[0]?.name.toLowerCase() === 'message-account' ? rest[0] : undefined;
  const counts = readCounts(account ? rest.slice(1) : rest);
  return {
    waiting: readWaiting(status),
    ...(account ? { account: readAccount(account) } : {}),
    ...(counts.length > 0 ? { counts } : {}),
    ...(messages.length > 0 ? { messages: messages.map((lines) => lines.map(header)) } : {}),
  };
}

/** The lines of each part; parts are separated by one empty line. */
function parts(text: string): Line[][] {
  const found: Line[][] = [[]];
  // As lists of pieces: a line may be folded very often.
  let pieces: string[] | undefined;
  const raw = text.replace(/(?<![\r\n])[\r\n]+$/, '').split(/\r?\n/);
  raw.forEach((line, index) => {
    const number = index + 1;
    const illegal = line.search(ILLEGAL_IN_LINE);
    if (illegal >= 0) throw error(number, `the character ${codePointName(line, illegal)} must not be there`);
    const part = found.at(-1)!;
    if (line === '') {
      if (part.length === 0) throw error(number, 'must not be empty');
      found.push([]);
      pieces = undefined;
    } else if (/^[ \t]/.test(line)) {
      if (pieces === undefined) throw error(number, 'continues a line that is not there');
      pieces.push(line);
    } else {
      pieces = [];
      part.push(new Line(line, number, pieces));
    }
  });
  return found;
}

function readWaiting({ number, value }: Line): boolean {
  const word = value.toLowerCase();
  if (word !== 'yes' && word !== 'no') throw error(number, `Messages-Waiting is ${quote(value)}, must be yes or no`);
  return word === 'yes';
}

function readAccount({ number, value }: Line): string {
  if (ACCOUNT_URI.test(value)) return value;
  throw error(number, `Message-Account is ${quote(value)}, must be a URI without angle brackets`);
}

function readCounts(lines: readonly Line[]): MessageCount[] {
  const seen = new Set<string>();
  return lines.map(({ number, name, value }) => {
    const context = name.toLowerCase() as MessageContext;
    if (!messageContexts.includes(context)) {
      throw error(number, `${quote(name)} is no context class; there are ${messageContexts.join(', ')}`);
    }
    if (seen.size === seen.add(context).size) throw error(number, `a second ${context}`);
    const match = /^(\d+)[ \t]*\/[ \t]*(\d+)(?:[ \t]*\([ \t]*(\d+)[ \t]*\/[ \t]*(\d+)[ \t]*\))?$/.exec(value);
    if (!match) throw error(number, `${shorten(name)} is ${quote(value)}, must be like 4/8 or 4/8 (1/2)`);
    const [fresh, old, urgentNew, urgentOld] = match.slice(1).map((digits) => Math.min(Number(digits), MAX_COUNT));
    return {
      context,
      new: fresh!,
      old: old!,
      ...(match[3] === undefined ? {} : { urgent: { new: urgentNew!, old: urgentOld! } }),
    };
  });
}

/** A line, its continuations included. */
class Line {
  readonly name: string;
  readonly #start: string;

  constructor(
    text: string,
    /** From 1. */
    readonly number: number,
    readonly folded: readonly string[],
  ) {
    const colon = text.indexOf(':');
    this.name = trim(text.slice(0, Math.max(colon, 0)));
    if (!HEADER_NAME.test(this.name)) throw error(number, `${quote(text)} must be a name, a colon and a value`);
    this.#start = text.slice(colon + 1);
  }

  get value(): string {
    return trim([this.#start, ...this.folded].map(trim).join(' '));
  }
}

/** Without the blanks and tabs around it. */
function trim(text: string): string {
  return text.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, '');
}

function header({ name, value }: Line): MessageHeader {
  return { name, value };
}

function error(line: number, what: string) {
  return documentError(`line ${line}`, what);
}
