/**
 * A SIP message as drachtio-server shows it, read from its text. drachtio-srf's own reading is not used: it joins the
 * lines of a field with commas, and knows only some compact names.
 */
import type { HeaderView, ReceivedBody } from '@pua/core';

/** RFC 3261 7.3.3, 3265, 3515, 3841, 3892, 4028, 4474. */
const LONG: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

function keyOf(name: string): string {
  const lower = name.trim().toLowerCase();
  return LONG[lower] ?? lower;
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

export class RawMessage implements HeaderView {
  readonly startLine: string;
  readonly #fields: readonly (readonly [key: string, value: string])[];
  readonly #content: string;

  constructor(text: string) {
    const end = text.indexOf('\r\n\r\n');
    const [startLine = '', ...lines] = (end < 0 ? text : text.slice(0, end)).split(/\r\n(?![ \t])/);
    this.startLine = startLine;
    this.#content = end < 0 ? '' : text.slice(end + 4);
    this.#fields = lines.map((line) => {
      const colon = line.indexOf(':');
      return [keyOf(line.slice(0, Math.max(colon, 0))), unfolded(line.slice(colon + 1))];
    });
  }

  get(name: string): string | undefined {
    const key = keyOf(name);
    return this.#fields.find(([found]) => found === key)?.[1];
  }

  all(name: string): readonly string[] {
    const key = keyOf(name);
    return this.#fields.filter(([found]) => found === key).map(([, value]) => value);
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
  return value.replace(/\r\n[ \t]+/g, ' ').trim();
}

/** The tag parameter of a From or To value; undefined when there is none. */
export function tagOf(value: string | undefined): string | undefined {
  const parameters = value?.slice(value.lastIndexOf('>') + 1) ?? '';
  return /;\s*tag\s*=\s*([^;,\s]+)/i.exec(parameters)?.[1];
}
