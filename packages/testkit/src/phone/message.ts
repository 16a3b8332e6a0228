/** SIP messages as lines of text: what a phone and a call server write, and change on the way. */
import { splitList } from '../sip/headers.js';

export type Field = readonly [name: string, value: string];

/** Compact names that phones and sipp use. */
const LONG: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
};
const keyOf = (name: string): string => {
  const key = name.trim().toLowerCase();
  return LONG[key] ?? key;
};

export class Message {
  constructor(
    /** Request line or status line. */
    public start: string,
    public fields: Field[],
    readonly body = '',
  ) {}

  /** undefined: that is no SIP message. */
  static parse(data: Buffer): Message | undefined {
    const text = data.toString('utf8');
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const [start, ...lines] = text
      .slice(0, end)
      .replace(/\r\n[ \t]+/g, ' ')
      .split('\r\n');
    if (!start || !/^SIP\/2\.0 \d{3}|^[A-Z]+ \S+ SIP\/2\.0$/.test(start)) return undefined;
    const fields = lines.map((line): Field => {
      const colon = line.indexOf(':');
      return [line.slice(0, Math.max(0, colon)).trim(), line.slice(colon + 1).trim()];
    });
    return new Message(start, fields, text.slice(end + 4));
  }

  get isRequest(): boolean {
    return !this.start.startsWith('SIP/2.0 ');
  }

  /** Of a request: its own; of a response: that of what it answers. */
  get method(): string {
    return this.isRequest ? this.start.split(' ', 1)[0]! : this.get('CSeq').split(/\s+/)[1]!;
  }

  get uri(): string {
    return this.start.split(' ')[1]!;
  }

  get status(): number {
    return Number(this.start.split(' ')[1]);
  }

  get reason(): string {
    return this.start.split(' ').slice(2).join(' ');
  }

  get cseq(): number {
    return Number.parseInt(this.get('CSeq'), 10);
  }

  /** Value of the first field of that name; empty: there is none. */
  get(name: string): string {
    return this.all(name)[0] ?? '';
  }

  /** Entries of all fields of that name. */
  all(name: string): string[] {
    const key = keyOf(name);
    const values = this.fields.flatMap(([field, value]) => (keyOf(field) === key ? [value] : []));
    return key === 'via' || key === 'route' || key === 'record-route' ? values.flatMap(splitList) : values;
  }

  /** Replaces all fields of that name, at the place of the first one. */
  set(name: string, ...values: readonly string[]): this {
    const key = keyOf(name);
    const at = this.fields.findIndex(([field]) => keyOf(field) === key);
    const others = this.fields.filter(([field]) => keyOf(field) !== key);
    others.splice(at < 0 ? others.length : at, 0, ...values.map((value): Field => [name, value]));
    this.fields = others;
    return this;
  }

  copy(): Message {
    return new Message(this.start, [...this.fields], this.body);
  }

  toBuffer(): Buffer {
    const body = Buffer.from(this.body);
    this.set('Content-Length', String(body.length));
    const head = [this.start, ...this.fields.map(([name, value]) => `${name}: ${value}`)].join('\r\n');
    return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body]);
  }
}

/** An answer to a request: Via, Record-Route, From, To, Call-ID and CSeq are the request's (RFC 3261 8.2.6). */
export function answerTo(
  request: Message,
  status: number,
  reason: string,
  toTag: string,
  more: readonly Field[] = [],
): Message {
  const to = request.get('To');
  return new Message(`SIP/2.0 ${status} ${reason}`, [
    ...request.all('Via').map((value): Field => ['Via', value]),
    ...request.all('Record-Route').map((value): Field => ['Record-Route', value]),
    ['From', request.get('From')],
    ['To', toTag === '' || /;\s*tag=/i.test(to) ? to : `${to};tag=${toTag}`],
    ['Call-ID', request.get('Call-ID')],
    ['CSeq', request.get('CSeq')],
    ...more,
  ]);
}

/** Branch of the topmost Via. */
export const branchOf = (message: Message): string => /;\s*branch=([^;\s,]+)/i.exec(message.get('Via'))?.[1] ?? '';

/** Host and port of a SIP URI or of a Via. */
export function addressOf(text: string): { readonly host: string; readonly port: number } {
  const match = /(?:^sips?:(?:[^@]*@)?|^SIP\/2\.0\/\w+\s+)([\w.-]+)(?::(\d+))?/i.exec(text.trim());
  return { host: match?.[1] ?? '127.0.0.1', port: Number(match?.[2] ?? 5060) };
}
