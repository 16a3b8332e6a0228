/** Reads lists of addresses with parameters: Contact, To, From, Path (RFC 3261 20.10, 25.1). Strict, in one pass. */

const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const LESS = 0x3c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

// One that would break out of its place in a header field, or is no text, is none: no blanks, controls, <, > and quotes.
const SIP_URI =
  /^sips?:(?:[!#-;=?A-~\x80-\uffff]+@)?(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?(?:[;?][!#-;=?-~\x80-\uffff]*)?$/i;
const OTHER_URI = /^(?!sips?:)[a-z][a-z0-9+.-]*:[!#-;=?-~\x80-\uffff]+$/i;

export const isUri = (text: string): boolean => SIP_URI.test(text) || OTHER_URI.test(text);

/** What no header field may repeat. */
const isControl = (code: number): boolean => (code < 0x20 && code !== 0x09) || code === 0x7f;

/**
 *     const reader = new AddressReader(line);
 *     while (reader.next()) while (reader.parameter()) ...
 *     if (reader.malformed) ...
 */
export class AddressReader {
  /** URI of the address, without angle brackets; `*` for the wildcard of Contact. */
  uri = '';
  /** In lower case. */
  name = '';
  /** Without quotes and escapes; true: no value. */
  value: string | true = true;
  malformed = false;
  #at = 0;

  constructor(readonly text: string) {}

  /** On to the next address; what is left of the parameters before it must have been read. */
  next(): boolean {
    const { text } = this;
    this.#space();
    if (this.malformed || this.#at >= text.length) return false;
    if (this.#at > 0) {
      if (text.charCodeAt(this.#at) !== COMMA) return this.#fail();
      this.#at++;
      this.#space();
    }
    const start = this.#at;
    const quoted = text.charCodeAt(start) === QUOTE;
    if (quoted) this.#quoted();
    for (let at = this.#at; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LESS) return this.#bracketed(at + 1);
      if (code === QUOTE || isControl(code)) return this.#fail();
      if (code === SEMICOLON || code === COMMA) return quoted ? this.#fail() : this.#bare(start, at);
    }
    return quoted ? this.#fail() : this.#bare(start, text.length);
  }

  /** On to the next parameter of this address. */
  parameter(): boolean {
    const { text } = this;
    this.#space();
    if (this.malformed || text.charCodeAt(this.#at) !== SEMICOLON) return false;
    this.#at++;
    this.#space();
    this.name = this.#token().toLowerCase();
    this.value = true;
    if (this.name === '') return this.#fail();
    this.#space();
    if (text.charCodeAt(this.#at) !== EQUALS) return true;
    this.#at++;
    this.#space();
    this.value = text.charCodeAt(this.#at) === QUOTE ? this.#quoted() : this.#token();
    return !this.malformed;
  }

  #fail(): false {
    this.malformed = true;
    return false;
  }

  #space(): void {
    for (; this.#at < this.text.length; this.#at++) {
      const code = this.text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09) return;
    }
  }

  #bracketed(start: number): boolean {
    const end = this.text.indexOf('>', start);
    if (end < 0) return this.#fail();
    this.#at = end + 1;
    return this.#uri(this.text.slice(start, end).trim());
  }

  #bare(start: number, end: number): boolean {
    this.#at = end;
    return this.#uri(this.text.slice(start, end).trim());
  }

  #uri(uri: string): boolean {
    this.uri = uri;
    return uri === '*' || isUri(uri) || this.#fail();
  }

  /** Up to a separator. */
  #token(): string {
    const start = this.#at;
    for (; this.#at < this.text.length; this.#at++) {
      const code = this.text.charCodeAt(this.#at);
      if (code <= 0x20 || code === SEMICOLON || code === COMMA || code === EQUALS || code === QUOTE) break;
      if (isControl(code)) break;
    }
    return this.text.slice(start, this.#at);
  }

  /** A quoted string, without its quotes and escapes. */
  #quoted(): string {
    const { text } = this;
    const start = this.#at + 1;
    let escapes = false;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === BACKSLASH) {
        escapes = true;
        at++;
        if (isControl(text.charCodeAt(at))) break;
      } else if (isControl(code)) break;
      else if (code === QUOTE) {
        this.#at = at + 1;
        const inner = text.slice(start, at);
        return escapes ? inner.replace(/\\(.)/g, '$1') : inner;
      }
    }
    this.malformed = true;
    return '';
  }
}
