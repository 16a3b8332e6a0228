/** Parameters of header fields and URIs: `;name=value`, with the white space and quoted strings that are allowed there. */

const SEMICOLON = 0x3b;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Space, tab, and the line ends of a folded line. */
export function skipSpace(text: string, at: number, end: number): number {
  while (at < end && text.charCodeAt(at) <= 0x20) at++;
  return at;
}

/** Index after the closing quote of the quoted string that begins at `at`; -1 when it is not closed. */
export function skipQuoted(text: string, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i + 1;
  }
  return -1;
}

/** Content of a quoted string without its quotes and escapes; other text as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || text.charCodeAt(0) !== QUOTE || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\([\s\S])/g, '$1');
}

/**
 * Cursor over `*( ; name [= value] )`. It stops at a comma, at the end, or where no parameter begins. Reading is
 * lenient: empty parameters are skipped, and so is what follows a value up to the next separator.
 */
export class ParameterCursor {
  nameStart = 0;
  nameEnd = 0;
  /** -1 when the parameter has no value. */
  valueStart = -1;
  valueEnd = -1;
  private text = '';
  at = 0;
  /** Whether a parameter was empty. */
  gaps = false;
  private end = 0;

  over(text: string, at: number, end: number): this {
    this.text = text;
    this.at = at;
    this.end = end;
    this.gaps = false;
    return this;
  }

  next(): boolean {
    const { text, end } = this;
    let at = skipSpace(text, this.at, end);
    while (at < end && text.charCodeAt(at) === SEMICOLON) {
      at = skipSpace(text, at + 1, end);
      this.nameStart = at;
      let code = 0;
      for (; at < end; at++) {
        code = text.charCodeAt(at);
        if (code === EQUALS || code === SEMICOLON || code === COMMA || code <= 0x20) break;
      }
      this.nameEnd = at;
      at = skipSpace(text, at, end);
      this.valueStart = -1;
      this.valueEnd = -1;
      if (at < end && text.charCodeAt(at) === EQUALS) at = this.value(skipSpace(text, at + 1, end));
      for (; at < end; at++) {
        code = text.charCodeAt(at);
        if (code === SEMICOLON || code === COMMA) break;
      }
      if (this.nameEnd > this.nameStart) {
        this.at = at;
        return true;
      }
      this.gaps = true;
    }
    this.at = at;
    return false;
  }

  private value(start: number): number {
    const { text, end } = this;
    let at = start;
    if (at < end && text.charCodeAt(at) === QUOTE) {
      const after = skipQuoted(text, at, end);
      at = after < 0 ? end : after;
    } else {
      for (; at < end; at++) {
        const code = text.charCodeAt(at);
        if (code === SEMICOLON || code === COMMA || code <= 0x20) break;
      }
    }
    this.valueStart = start;
    this.valueEnd = at;
    return at;
  }
}

/** Parameters by name, compared without case; the first of a name counts. A parameter without value has ''. */
export class Parameters {
  private readonly byName = new Map<string, string>();

  /** `text` begins with the semicolon of the first parameter; anything else gives an empty list. */
  static read(text: string): Parameters {
    const parameters = new Parameters();
    const cursor = new ParameterCursor().over(text, 0, text.length);
    while (cursor.next()) {
      const name = text.slice(cursor.nameStart, cursor.nameEnd).toLowerCase();
      const value = cursor.valueStart < 0 ? '' : text.slice(cursor.valueStart, cursor.valueEnd);
      if (!parameters.byName.has(name)) parameters.byName.set(name, unquote(value));
    }
    return parameters;
  }

  get size(): number {
    return this.byName.size;
  }
  has(name: string): boolean {
    return this.byName.has(name.toLowerCase());
  }
  /** Value without its quotes; undefined when there is no such parameter. */
  get(name: string): string | undefined {
    return this.byName.get(name.toLowerCase());
  }
  /** Names in lower case, in order. */
  names(): IterableIterator<string> {
    return this.byName.keys();
  }
}
