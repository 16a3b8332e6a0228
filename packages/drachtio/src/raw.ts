/**
 * A SIP message as drachtio-server shows it, read from its text. drachtio-srf's own reading is not used: it joins the
 * lines of a field with commas, and knows only some compact names.
 */
import { COMPACT_HEADERS, type HeaderView, type ReceivedBody } from '@pua/core';

/** Of each header name that was asked for, in lower case: what finds its lines. */
const PATTERNS = new Map<string, RegExp>();
/** Programs ask for few names, over and over; the bound is for one that asks for names out of messages. */
const KNOWN_NAMES = 512;

function patternFor(name: string): RegExp {
  const known = PATTERNS.get(name);
  if (known) {
    // Where it found something, in whatever message, is where it would go on.
    known.lastIndex = 0;
    return known;
  }
  const lower = name.toLowerCase();
  const long = COMPACT_HEADERS[lower] ?? lower;
  const compact = Object.keys(COMPACT_HEADERS).find((letter) => COMPACT_HEADERS[letter] === long);
  const names = [long, ...(compact ? [compact] : [])].map((one) => one.replace(/[^\w-]/g, '\\$&'));
  // The value goes on in lines that begin with white space (RFC 3261 7.3.1).
  const line = '[^\\r\\n]*';
  const pattern = new RegExp(`\\r?\\n(?:${names.join('|')})[ \\t]*:(${line}(?:\\r?\\n[ \\t]${line})*)`, 'gi');
  if (PATTERNS.size < KNOWN_NAMES) PATTERNS.set(name, pattern);
  return pattern;
}

class Body implements ReceivedBody {
  constructor(
    readonly type: string,
    readonly bytes: Buffer,
  ) {}

  text(): string {
    return this.bytes.toString('utf8');
  }
}

/** Fields are looked for when they are asked for: of most messages few are, and of an echo one. */
export class RawMessage implements HeaderView {
  readonly #head: string;
  readonly #content: string;

  constructor(text: string) {
    const end = text.indexOf('\r\n\r\n');
    this.#head = end < 0 ? text : text.slice(0, end);
    this.#content = end < 0 ? '' : text.slice(end + 4);
  }

  get startLine(): string {
    return this.#head.split('\r\n', 1)[0]!;
  }

  get(name: string): string | undefined {
    const value = patternFor(name).exec(this.#head)?.[1];
    return value === undefined ? undefined : unfolded(value);
  }

  all(name: string): readonly string[] {
    return Array.from(this.#head.matchAll(patternFor(name)), ([, value]) => unfolded(value!));
  }

  get body(): ReceivedBody | undefined {
    return this.#content === '' ? undefined : new Body(this.get('Content-Type') ?? '', Buffer.from(this.#content));
  }

  /** Number of CSeq; undefined when it can't be read. */
  get cseq(): number | undefined {
    const digits = /^\d+/.exec(this.get('CSeq') ?? '');
    return digits ? Number(digits[0]) : undefined;
  }
}

function unfolded(value: string): string {
  return value.replace(/\r?\n[ \t]+/g, ' ').trim();
}

/** The tag parameter of a From or To value; undefined when there is none. */
export function tagOf(value: string | undefined): string | undefined {
  const parameters = value?.slice(value.lastIndexOf('>') + 1) ?? '';
  return /;\s*tag\s*=\s*([^;,\s]+)/i.exec(parameters)?.[1];
}
